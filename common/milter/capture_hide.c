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

/* --- words --- */

static bool is_word(char c)
{
    return am_is_alnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static size_t word_len(const char *text)
{
    size_t len = 0;

    while (is_word(text[len]))
        len++;
    return len;
}

static bool has_word(const char *text, struct am_span word)
{
    while (*text != '\0') {
        size_t len = word_len(text);

        if (len > 0 && am_span_equal_nocase(am_span_of(text, len), word))
            return true;
        text += len > 0 ? len : 1;
    }
    return false;
}

/* RFC 7208 section 7.3: an upper-case macro letter escapes all but unreserved characters. */
static const char *escaped(struct am_arena *arena, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *out = am_arena_alloc(arena, 3 * strlen(text) + 1);
    size_t len = 0;

    for (; out != NULL && *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (am_is_alnum(c) || strchr("-._~", c) != NULL) {
            out[len++] = (char)c;
        } else {
            out[len++] = '%';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        }
    }
    return out;
}

const char *am_capture_hide_words(struct am_arena *arena, const char *text, const char *local)
{
    const char *other = text == NULL ? NULL : escaped(arena, local);
    char *out = other == NULL ? NULL : am_arena_copy(arena, am_span_str(text));
    size_t used = 0;

    if (out == NULL)
        return NULL;
    while (*text != '\0') {
        struct am_span word = am_span_of(text, word_len(text));

        if (word.len == 0) {
            out[used++] = *text++;
            continue;
        }
        text += word.len;
        if (has_word(local, word) || has_word(other, word))
            word = am_span_str("x");
        memcpy(out + used, word.ptr, word.len);
        used += word.len;
    }
    out[used] = '\0';
    return out;
}

bool am_capture_hidden_equals(const char *hidden, const char *text)
{
    while (*hidden != '\0' && *text != '\0') {
        size_t here = word_len(hidden), there = word_len(text);

        if (here == 0 || there == 0) {
            if (*hidden++ != *text++)
                return false;
            continue;
        }
        if ((here != 1 || *hidden != 'x') &&
            !am_span_equal_nocase(am_span_of(hidden, here), am_span_of(text, there)))
            return false;
        hidden += here;
        text += there;
    }
    return *hidden == *text;
}

/* --- a case --- */

static bool hide(struct am_arena *arena, const char **text)
{
    if (*text == NULL)
        return true;
    *text = am_capture_hide_text(arena, *text);
    return *text != NULL;
}

/* A text of free form, such as the explanation of a domain's owner. */
static bool hide_free(struct am_arena *arena, const char **text, const char *local)
{
    if (*text == NULL)
        return true;
    *text = am_capture_hide_words(arena, *text, local);
    return hide(arena, text);
}

static bool hide_list(struct am_arena *arena, struct am_strlist *list, const char *local)
{
    for (size_t i = 0; i < list->count; i++)
        if (!hide_free(arena, &list->items[i], local))
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

/* A sender without a domain is its local part alone. */
static bool hide_property(struct am_arena *arena, struct am_property *property, const char *local)
{
    const char *value = am_arena_copy(arena, property->value);
    bool bare = strcmp(property->property, "auth") == 0 ||
                (local[0] != '\0' && am_span_equal_nocase(property->value, am_span_str(local)));

    if (value == NULL || !(bare ? hide_login(arena, &value) : hide(arena, &value)))
        return false;
    property->value = am_span_str(value);
    return true;
}

static bool hide_results(struct am_arena *arena, struct am_results *results, const char *local)
{
    for (size_t i = 0; i < results->count; i++) {
        struct am_result *result = &results->items[i];

        if (!hide_free(arena, &result->reason, local))
            return false;
        for (size_t j = 0; j < result->property_count; j++)
            if (!hide_property(arena, &result->properties[j], local))
                return false;
    }
    return true;
}

static bool is_personal(const char *macro)
{
    static const char *const names[] = {"{auth_authen}", "{auth_author}", "{mail_addr}",
                                        "{rcpt_addr}"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], macro) == 0)
            return true;
    return false;
}

static bool hide_macros(struct am_arena *arena, struct am_case *kept)
{
    for (size_t i = 0; i < kept->macro_count; i++) {
        struct am_play_macro *macro = &kept->macros[i];

        if (!(is_personal(macro->name) ? hide_login(arena, &macro->value)
                                       : hide(arena, &macro->value)))
            return false;
    }
    return true;
}

static bool hide_questions(struct am_arena *arena, struct am_dns_recording *dns, const char *local)
{
    for (struct am_dns_recorded *item = dns->first; item != NULL; item = item->next) {
        item->name = am_capture_hide_words(arena, item->name, local);
        if (item->name == NULL)
            return false;
    }
    return true;
}

bool am_capture_hide(struct am_arena *arena, struct am_case *kept, const char *local)
{
    struct am_outcome *outcome = &kept->outcome;

    outcome->edits = (struct am_strlist){NULL, 0};
    outcome->note_count = 0;
    return hide_macros(arena, kept) && hide_list(arena, &kept->sender_params, "") &&
           hide_list(arena, &outcome->refused, local) &&
           hide_results(arena, &outcome->results, local) &&
           hide_free(arena, &outcome->why, local) && hide_free(arena, &outcome->reply, local) &&
           hide_free(arena, &outcome->observed, local) &&
           hide_free(arena, &outcome->quarantine, local) &&
           hide_questions(arena, &kept->dns, local);
}
