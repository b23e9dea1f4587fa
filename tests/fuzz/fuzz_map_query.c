/* A query: read or refused with a sentence; what is read has as many marks as parameters. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/map/map_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    char *text = am_arena_copy(arena, am_span_of((const char *)data, size));
    struct am_map_query query;
    struct am_problem problem = {{0}};

    for (int marks = AM_MAP_MARKS_QUESTION; marks <= AM_MAP_MARKS_DOLLAR; marks++) {
        bool good = am_map_query_read(&query, arena, text, (enum am_map_marks)marks, &problem);
        if (good ? query.count == 0 || query.count > AM_MAP_PLACES_MAX || query.text == NULL
                 : problem.text[0] == '\0')
            abort();
    }
    am_arena_free(arena);
    return 0;
}
