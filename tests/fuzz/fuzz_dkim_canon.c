/* A body against the slow reference. Octet 0: canonicalisation; octet 1 and the text: cuts. */
#include <stdlib.h>

#include "dkim-milter/dkim_canon_body.h"
#include "tests/unit/dkim/reference_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct am_span text = am_span_of((const char *)data + 2, size - 2);
    struct am_buf out[2] = {0};
    struct dkim_sink sink = reference_sink(out);
    struct dkim_canon_body body;
    dkim_canon_body_init(&body, data[0] & 1 ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE);
    for (size_t i = 0, len; i < text.len; i += len) {
        size_t cut = data[1] ^ (unsigned char)text.ptr[i];
        len = 1 + cut * cut % 601;
        len = len < text.len - i ? len : text.len - i;
        dkim_canon_body_update(&body, am_span_of(text.ptr + i, len), &sink);
    }
    dkim_canon_body_finish(&body, &sink);
    reference_canon_body(body.canon, text, &out[1]);
    if (!am_span_equal(am_buf_span(&out[0]), am_buf_span(&out[1])))
        abort();
    am_buf_fini(&out[0]);
    am_buf_fini(&out[1]);
    return 0;
}
