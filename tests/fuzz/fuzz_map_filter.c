/* A hostile local part and login in a filter: its brackets stay as they were. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/map/map_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *text, const char *set)
{
    size_t found = 0;

    for (; *text != '\0'; text++)
        found += strchr(set, *text) != NULL;
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char filter[] = "(&(mail=%s)(uid=%l)(x=%u))";
    struct am_arena *arena = am_arena_new(1024, 0);
    char *text = am_arena_copy(arena, am_span_of((const char *)data, size));
    size_t half = size / 2;
    struct am_map_question question = {
        .local = {(const char *)data, half}, .domain = "example.org", .login = text + half};

    if (am_map_question_is_askable(&question)) {
        const char *filled = am_map_filter_fill(filter, &question, arena);
        if (filled == NULL || count(filled, "()&|!*<>~") != count(filter, "()&|!*<>~"))
            abort();
    }
    am_arena_free(arena);
    return 0;
}
