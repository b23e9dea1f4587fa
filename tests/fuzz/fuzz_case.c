/* A case: what is read is written, and read again as the same. */
#include <stdlib.h>

#include "common/milter/case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, (size_t)256 << 20);
    struct am_case kept, again;
    struct am_problem problem;

    if (am_case_parse(&kept, arena, am_span_of((const char *)data, size), "fuzz", &problem)) {
        json_t *object = am_case_to_json(&kept);
        char *text = object == NULL ? NULL : json_dumps(object, 0);
        if (text == NULL || !am_case_parse(&again, arena, am_span_str(text), "again", &problem) ||
            again.field_count != kept.field_count || again.dns.count != kept.dns.count ||
            again.conn_dns.count != kept.conn_dns.count)
            abort();
        free(text);
        json_decref(object);
    }
    am_arena_free(arena);
    return 0;
}
