#include "srs-milter/srs_local.h"

#define TAG_LEN 4 /* "SRS0", "SRS1" */

bool srs_local_unquote(struct am_arena *arena, struct am_span local, struct am_span *out)
{
    *out = local;
    if (local.len < 2 || local.ptr[0] != '"')
        return true;
    char *text = am_arena_alloc(arena, local.len + 1);
    size_t len = 0;

    *out = am_span_of(NULL, 0);
    if (text == NULL)
        return false;
    for (size_t i = 1; i + 1 < local.len; i++) {
        if (local.ptr[i] == '\\' && i + 2 < local.len)
            i++;
        text[len++] = local.ptr[i];
    }
    *out = am_span_of(text, len);
    return true;
}

/* RFC 5321 section 4.1.2: dot-string or quoted-string; RFC 6531 adds UTF-8 to atext. */
static bool is_atext(unsigned char c)
{
    return am_is_alnum(c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_string(struct am_span local)
{
    bool after_dot = true;

    for (size_t i = 0; i < local.len; i++) {
        bool dot = local.ptr[i] == '.';
        if (dot ? after_dot : !is_atext((unsigned char)local.ptr[i]))
            return false;
        after_dot = dot;
    }
    return !after_dot;
}

/* Returns the length with the NUL, or 0 for a character that no address carries. */
static size_t write_quoted(char *out, struct am_span local)
{
    size_t len = 0;

    out[len++] = '"';
    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.ptr[i];
        if (c < 0x20 || c == 0x7F)
            return 0;
        if (c == '"' || c == '\\')
            out[len++] = '\\';
        out[len++] = (char)c;
    }
    out[len++] = '"';
    out[len++] = '\0';
    return len;
}

enum srs_status srs_local_join(struct am_arena *arena, struct am_span local, struct am_span domain,
                               const char **address)
{
    char *quoted = NULL;

    *address = NULL;
    if (!is_dot_string(local)) {
        quoted = am_arena_alloc(arena, 2 * local.len + 3);
        if (quoted == NULL)
            return SRS_FAILED;
        if (write_quoted(quoted, local) == 0)
            return SRS_MALFORMED;
        local = am_span_str(quoted);
    }
    if (local.len + 1 + domain.len > SRS_ADDRESS_MAX)
        return SRS_TOO_LONG;
    *address =
        am_arena_printf(arena, "%.*s@%.*s", (int)local.len, local.ptr, (int)domain.len, domain.ptr);
    return *address == NULL ? SRS_FAILED : SRS_OK;
}

size_t srs_local_tag(struct am_span text)
{
    if (!am_span_starts_nocase(text, am_span_str("SRS0")) &&
        !am_span_starts_nocase(text, am_span_str("SRS1")))
        return 0;
    if (text.len <= TAG_LEN || strchr("=+-", text.ptr[TAG_LEN]) == NULL || text.ptr[TAG_LEN] == 0)
        return 0;
    return TAG_LEN + 1;
}

/* Takes what stands before the next '='. Returns false when there is none, or nothing before it. */
static bool take_part(struct am_span *text, struct am_span *part)
{
    size_t end = am_span_find(*text, '=');

    if (end == 0 || end == text->len)
        return false;
    *part = am_span_of(text->ptr, end);
    *text = am_span_of(text->ptr + end + 1, text->len - end - 1);
    return true;
}

enum srs_status srs_local_split(struct srs_local *parts, struct am_span text)
{
    size_t tag = srs_local_tag(text);
    struct am_span rest;

    *parts = (struct srs_local){0};
    if (tag == 0)
        return SRS_NO_SRS;
    parts->second = text.ptr[TAG_LEN - 1] == '1';
    rest = am_span_of(text.ptr + tag, text.len - tag);
    if (!take_part(&rest, &parts->hash) || (!parts->second && !take_part(&rest, &parts->day)) ||
        !take_part(&rest, &parts->domain))
        return SRS_MALFORMED;
    /* What stood behind "SRS0" begins with the separator of the one who wrote it. */
    if (rest.len == 0 || (parts->second && (rest.len < 2 || strchr("=+-", rest.ptr[0]) == NULL)))
        return SRS_MALFORMED;
    parts->rest = rest;
    return SRS_OK;
}
