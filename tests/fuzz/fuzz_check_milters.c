/* A list of milters as main.cf has it: each is read, or has a sentence and a mend. */
#include <stdint.h>
#include <stdlib.h>

#include "authmilter/check_milter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    const char *text = am_arena_copy(arena, am_span_of((const char *)data, size));
    struct check_milters milters;

    if (check_milters_parse(&milters, arena, text))
        for (size_t i = 0; i < milters.count; i++) {
            const struct check_milter *milter = &milters.items[i];
            if (milter->wrong ? milter->problem == NULL || milter->mend == NULL
                              : (milter->path == NULL) == (milter->host == NULL))
                abort();
        }
    am_arena_free(arena);
    return 0;
}
