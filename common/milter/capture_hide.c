#include "common/milter/capture_hide.h"

#include "common/mail/address.h"

const char *am_capture_hide_address(struct am_arena *arena, const char *text)
{
    struct am_address address;

    (void)am_address_parse(&address, am_span_str(text));
    if (address.is_null || address.domain.len == 0)
        return am_arena_copy(arena, am_span_str(address.is_null ? "<>" : "<x>"));
    return am_arena_printf(arena, "<x@%.*s>", (int)address.domain.len, address.domain.ptr);
}

/* RFC 5321 section 4.1.2: atext and dots, but "=": "smtp.mailfrom=" is to stay. */
static bool is_local(unsigned char c)
{
    return am_is_alnum(c) || c >= 0x80 || (c != '\0' && strchr(".!#$%&'*+-/?^_`{|}~", c) != NULL);
}

/* Returns where the local part begins that ends at `end`. */
static size_t local_start(const char *text, size_t end)
{
    size_t start = end;

    if (end > 1 && text[end - 1] == '"') {
        for (start = end - 1; start > 0 && text[start - 1] != '"';)
            start--;
        return start > 0 ? start - 1 : end;
    }
    while (start > 0 && is_local((unsigned char)text[start - 1]))
        start--;
    return start;
}

const char *am_capture_hide_text(struct am_arena *arena, const char *text)
{
    char *out = text == NULL ? NULL : am_arena_copy(arena, am_span_str(text));
    size_t len = 0;

    if (out == NULL)
        return NULL;
    /* What is put in is never longer than what it stands for. */
    for (const char *p = out; *p != '\0'; p++) {
        size_t start = *p == '@' ? local_start(out, len) : len;

        if (start < len) {
            out[start] = 'x';
            len = start + 1;
        }
        out[len++] = *p;
    }
    out[len] = '\0';
    return out;
}

static bool hide(struct am_arena *arena, const char **text)
{
    if (*text == NULL)
        return true;
    *text = am_capture_hide_text(arena, *text);
    return *text != NULL;
}

static bool hide_list(struct am_arena *arena, struct am_strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!hide(arena, &list->items[i]))
            return false;
    return true;
}

/* A login is mostly the local part of somebody's address. */
static bool hide_login(struct am_arena *arena, const char **text)
{
    if (strchr(*text, '@') != NULL)
        return hide(arena, text);
    *text = "x";
    return true;
}

static bool hide_property(struct am_arena *arena, struct am_property *property)
{
    const char *value = am_arena_copy(arena, property->value);

    if (value == NULL || !(strcmp(property->property, "auth") == 0 ? hide_login(arena, &value)
                                                                   : hide(arena, &value)))
        return false;
    property->value = am_span_str(value);
    return true;
}

static bool hide_results(struct am_arena *arena, struct am_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        struct am_result *result = &results->items[i];

        if (!hide(arena, &result->reason))
            return false;
        for (size_t j = 0; j < result->property_count; j++)
            if (!hide_property(arena, &result->properties[j]))
                return false;
    }
    return true;
}

static bool hide_macros(struct am_arena *arena, struct am_case *kept)
{
    for (size_t i = 0; i < kept->macro_count; i++) {
        struct am_play_macro *macro = &kept->macros[i];
        bool login =
            strcmp(macro->name, "{auth_authen}") == 0 || strcmp(macro->name, "{auth_author}") == 0;

        if (!(login ? hide_login(arena, &macro->value) : hide(arena, &macro->value)))
            return false;
    }
    return true;
}

bool am_capture_hide(struct am_arena *arena, struct am_case *kept)
{
    struct am_outcome *outcome = &kept->outcome;

    outcome->edits = (struct am_strlist){NULL, 0};
    outcome->note_count = 0;
    return hide_macros(arena, kept) && hide_list(arena, &kept->sender_params) &&
           hide_list(arena, &outcome->refused) && hide_results(arena, &outcome->results) &&
           hide(arena, &outcome->why) && hide(arena, &outcome->reply) &&
           hide(arena, &outcome->observed) && hide(arena, &outcome->quarantine);
}
