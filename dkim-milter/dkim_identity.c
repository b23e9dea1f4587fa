#include "dkim-milter/dkim_identity.h"

#include <string.h>

#include "common/base/utf8.h"
#include "common/mail/domain.h"
#include "dkim-milter/dkim_tag.h"

/* Hyphens stand inside a label only (Let-dig and Ldh-str of RFC 5321 section 4.1.2). */
static bool has_edge_hyphen(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (*p == '-' && (p == name || p[-1] == '.' || p[1] == '.' || p[1] == '\0'))
            return true;
    return false;
}

enum dkim_identity_status dkim_domain_to_ascii(const char **ascii, struct am_arena *arena,
                                               struct am_span text)
{
    *ascii = NULL;
    /* Each octet of an A-label takes at most four as UTF-8; longer is not worth converting. */
    if (text.len == 0 || text.len > (size_t)4 * AM_DOMAIN_MAX || text.ptr[text.len - 1] == '.')
        return DKIM_IDENTITY_BAD;
    const char *name = am_domain_to_ascii(arena, text);
    if (name == NULL && am_domain_is_valid(text))
        return DKIM_IDENTITY_MEMORY;
    if (name == NULL || !am_domain_is_valid(am_span_str(name)) || has_edge_hyphen(name) ||
        name[strlen(name) - 1] == '.')
        return DKIM_IDENTITY_BAD;
    *ascii = name;
    return DKIM_IDENTITY_OK;
}

static int hex_value(char c)
{
    if (am_is_digit((unsigned char)c))
        return c - '0';
    c = am_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Decodes dkim-quoted-printable (section 2.11): white space counts for nothing, "=" begins two
 * hexadecimal digits. `out` holds as much as `text`.
 *
 * Returns: false for "=" without two digits.
 */
static bool decode(struct am_span text, char *out, size_t *len)
{
    *len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t blank = dkim_fws_len(am_span_of(text.ptr + at, text.len - at));
        if (blank > 0) {
            at += blank;
            continue;
        }
        char c = text.ptr[at++];
        if (c == '=') {
            int high = at < text.len ? hex_value(text.ptr[at]) : -1;
            int low = at + 1 < text.len ? hex_value(text.ptr[at + 1]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            at += 2;
        }
        out[(*len)++] = c;
    }
    return true;
}

/* The length of the character a text begins with when it may stand in quotes, else 0. */
static size_t quoted_len(struct am_span text)
{
    unsigned char c = text.len > 0 ? (unsigned char)text.ptr[0] : 0;
    if (c >= 0x80) {
        size_t len = am_utf8_first(text);
        return len > 0 && !am_utf8_is_control(text.ptr, len) ? len : 0;
    }
    return c >= ' ' && c <= '~' ? 1 : 0;
}

/* The same for an atom (RFC 5322 section 3.2.3, RFC 6532). */
static size_t atom_len(struct am_span text)
{
    unsigned char c = text.len > 0 ? (unsigned char)text.ptr[0] : 0;
    if (c >= 0x80)
        return quoted_len(text);
    return c != 0 && (am_is_alnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL) ? 1 : 0;
}

/* Measures a quoted string with its quotes; 0 when it is none. */
static size_t quoted_string_len(struct am_span text)
{
    size_t at = 1;
    while (at < text.len && text.ptr[at] != '"') {
        if (text.ptr[at] == '\\')
            at++;
        size_t step = quoted_len(am_span_of(text.ptr + at, text.len - at));
        if (step == 0)
            return 0;
        at += step;
    }
    return at < text.len ? at + 1 : 0;
}

/* Measures a dot-string: atoms with single dots between them; 0 when it is none. */
static size_t dot_string_len(struct am_span text)
{
    size_t at = 0, atom = 0;
    while (at < text.len) {
        if (text.ptr[at] == '.' && atom > 0) {
            atom = 0;
            at++;
            continue;
        }
        size_t step = atom_len(am_span_of(text.ptr + at, text.len - at));
        if (step == 0)
            break;
        atom += step;
        at += step;
    }
    return atom > 0 ? at : 0;
}

enum dkim_identity_status dkim_identity_parse(struct dkim_identity *identity,
                                              struct am_arena *arena, struct am_span value)
{
    size_t len, local = 0;
    char *text = am_arena_alloc(arena, value.len + 1);
    if (text == NULL)
        return DKIM_IDENTITY_MEMORY;
    if (!decode(value, text, &len) || len == 0)
        return DKIM_IDENTITY_BAD;
    struct am_span all = am_span_of(text, len);
    if (text[0] == '"')
        local = quoted_string_len(all);
    else if (text[0] != '@')
        local = dot_string_len(all);
    if ((local == 0 && text[0] != '@') || local == len || text[local] != '@')
        return DKIM_IDENTITY_BAD;
    identity->text = all;
    identity->local = am_span_of(text, local);
    identity->domain = am_span_of(text + local + 1, len - local - 1);
    return dkim_domain_to_ascii(&identity->ascii_domain, arena, identity->domain);
}
