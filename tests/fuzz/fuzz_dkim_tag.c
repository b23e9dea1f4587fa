/* A tag list; what was read of it, written down again, is the same list. */
#include <stdint.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "dkim-milter/dkim_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dkim_tag_list list, again;
    struct am_buf text = {0};
    dkim_tag_list_parse(&list, am_span_of((const char *)data, size));
    if (list.bad > size || list.count > DKIM_TAG_MAX)
        abort();
    for (size_t i = 0; i < list.count; i++) {
        am_buf_add(&text, list.tags[i].name);
        am_buf_add_str(&text, i % 2 == 0 ? " = " : "=\r\n\t");
        am_buf_add(&text, list.tags[i].value);
        am_buf_add_char(&text, ';');
    }
    if (list.count > 0 && dkim_tag_list_parse(&again, am_buf_span(&text)) != DKIM_TAG_OK)
        abort();
    for (size_t i = 0; i < list.count; i++)
        if (!am_span_equal(again.tags[i].value, list.tags[i].value))
            abort();
    am_buf_fini(&text);
    return 0;
}
