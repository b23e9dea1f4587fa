/* A policy record: spans stay inside the text, and what is bad was there. */
#include <stdint.h>
#include <stdlib.h>

#include "dmarc-milter/dmarc_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct am_span part, struct am_span whole)
{
    if (part.len > 0 && (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_span text = am_span_of((const char *)data, size);
    struct dmarc_record record;
    if (dmarc_record_parse(&record, text) != dmarc_record_is_one(text))
        abort();
    inside(record.rua, text);
    inside(record.ruf, text);
    inside(record.fo, text);
    if ((record.bad & ~record.present) != 0 || (record.rua.len > 0 && record.present == 0))
        abort();
    if (dmarc_record_standing(&record) == DMARC_STANDING_GOOD && record.p == DMARC_POLICY_ABSENT)
        abort();
    return 0;
}
