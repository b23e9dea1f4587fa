#include "common/base/printable.h"

const char *am_printable_copy(struct am_arena *arena, struct am_span text, size_t max)
{
    bool cut = text.len > max;
    size_t len = cut ? max : text.len;
    char *copy = am_arena_copy(arena, am_span_of(text.ptr, len));

    for (size_t i = 0; copy != NULL && i < len; i++)
        if (copy[i] < ' ' || copy[i] > '~')
            copy[i] = '?';
    return copy == NULL || !cut ? copy : am_arena_printf(arena, "%s[...]", copy);
}
