/* A map file of overrides: parsed or refused with a sentence that names the file. */
#include <stdlib.h>

#include "common/milter/override_map.h"
#include "spf-milter/spf_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_span text = am_span_of((const char *)data, size);
    struct am_problem problem = {.text = ""};
    struct am_override_map map;
    struct am_address address;

    if (!am_override_map_parse(&map, arena, spf_extra_sections[0], "map", text, &problem)) {
        if (strncmp(problem.text, "map:", 4) != 0)
            abort();
    } else {
        am_address_parse(&address, text);
        uint32_t found = am_patterns_find(map.senders, arena, &address);
        if (found != AM_TABLE_NONE && found >= map.count)
            abort();
    }
    am_arena_free(arena);
    return 0;
}
