/* States of managed keys: what is taken, written again, is the same; nothing else is taken. */
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_rotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dkim_rotation_domain first = {.count = 0}, second = {.count = 0};
    struct am_problem problem = {{0}};
    struct am_buf text;

    if (!dkim_rotation_read(&first, am_span_of((const char *)data, size), &problem))
        return problem.text[0] == '\0' ? abort(), 0 : 0;
    am_buf_init(&text, 0);
    dkim_rotation_write(&first, &text);
    if (!dkim_rotation_read(&second, am_buf_span(&text), &problem) ||
        memcmp(&first, &second, sizeof(first)) != 0)
        abort();
    am_buf_fini(&text);
    return 0;
}
