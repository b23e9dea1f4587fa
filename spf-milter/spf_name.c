#include "spf-milter/spf_check.h"

/* Names and texts of an evaluation, and how they are shown. */

bool spf_name_set(struct spf_check *check, struct spf_name *name, struct am_span text)
{
    name->text = am_arena_copy(check->arena, text);
    name->len = text.len;
    if (name->text == NULL)
        check->memory_short = true;
    return name->text != NULL;
}

bool spf_name_is_usable(const struct spf_name *name)
{
    size_t label = 0, labels = 1;
    if (name->len == 0 || name->len > SPF_NAME_MAX)
        return false;
    for (size_t i = 0; i < name->len; i++) {
        if (name->text[i] != '.') {
            if (++label > 63)
                return false;
            continue;
        }
        if (label == 0)
            return false;
        label = 0;
        labels++;
    }
    return label > 0 && labels > 1;
}

const char *spf_printable(struct am_arena *arena, struct am_span text)
{
    char *copy = am_arena_copy(arena, text);
    for (size_t i = 0; copy != NULL && i < text.len; i++)
        if (copy[i] < ' ' || copy[i] > '~')
            copy[i] = '?';
    return copy;
}

const char *spf_shown_address(struct am_arena *arena, struct am_span text)
{
    char *copy = am_arena_copy(arena, text);
    for (size_t i = 0; copy != NULL && i < text.len; i++)
        if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
            copy[i] = '?';
    return copy;
}

#define SHOWN_MAX 100

const char *spf_shown(struct am_arena *arena, struct am_span text)
{
    bool cut = text.len > SHOWN_MAX;
    const char *copy = spf_printable(arena, am_span_of(text.ptr, cut ? SHOWN_MAX : text.len));
    if (copy != NULL && cut)
        copy = am_arena_printf(arena, "%s...", copy);
    return copy == NULL ? "?" : copy;
}
