#include "author-milter/author_field.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"

/* Longest display name that is kept, and line that is written without a fold. */
#define NAME_MAX_OCTETS 200
#define REPLY_TO_MAX 4096

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* RFC 5322 section 3.2.3, with the dots that real names have, and RFC 6532. */
static bool is_phrase_text(char c)
{
    return am_is_alnum((unsigned char)c) || ((unsigned char)c & 0x80) != 0 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* Copies a quoted string; returns where it ends, or 0 when it has no end or holds what it must not.
 */
static size_t copy_quoted(struct am_span text, size_t pos, struct am_buf *out)
{
    am_buf_add_char(out, '"');
    for (pos++; pos < text.len && text.ptr[pos] != '"'; pos++) {
        if (text.ptr[pos] == '\\' && pos + 1 < text.len)
            am_buf_add_char(out, text.ptr[pos++]);
        char c = is_blank(text.ptr[pos]) ? ' ' : text.ptr[pos];
        if ((unsigned char)c < ' ' || c == 0x7f || c == '@')
            return 0;
        am_buf_add_char(out, c);
    }
    am_buf_add_char(out, '"');
    return pos < text.len ? pos + 1 : 0;
}

/* Copies the phrase in front of "<". Returns false when there is none that may be kept. */
static bool copy_name(struct am_span text, struct am_buf *out)
{
    size_t pos = 0;
    bool gap = false;

    while (pos < text.len && text.ptr[pos] != '<') {
        if (is_blank(text.ptr[pos])) {
            gap = true;
            pos++;
            continue;
        }
        if (gap && out->len > 0)
            am_buf_add_char(out, ' ');
        gap = false;
        if (text.ptr[pos] == '"')
            pos = copy_quoted(text, pos, out);
        else if (is_phrase_text(text.ptr[pos]))
            am_buf_add_char(out, text.ptr[pos++]);
        else
            return false;
        if (pos == 0)
            return false;
    }
    return pos < text.len && out->len > 0 && !out->failed && am_utf8_is_valid(am_buf_span(out));
}

const char *author_field_write(struct am_arena *arena, struct am_span former,
                               const struct am_author *author)
{
    struct am_buf name;
    const char *value;

    am_buf_init(&name, NAME_MAX_OCTETS);
    if (copy_name(former, &name))
        value = am_arena_printf(arena, "%s <%.*s@%s>", am_buf_str(&name),
                                (int)author->address.local.len, author->address.local.ptr,
                                author->domain);
    else
        value = am_arena_printf(arena, "<%.*s@%s>", (int)author->address.local.len,
                                author->address.local.ptr, author->domain);
    am_buf_fini(&name);
    return value;
}

/* --- Reply-To --- */

/* Printable text and folds that are followed by more than blanks. */
static bool may_stand(struct am_span text)
{
    bool blank_line = false;

    if (text.len == 0 || text.len > REPLY_TO_MAX || !am_utf8_is_valid(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n') {
            if (blank_line || i + 1 == text.len ||
                (text.ptr[i + 1] != ' ' && text.ptr[i + 1] != '\t'))
                return false;
            blank_line = true;
        } else if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        } else if (c != ' ' && c != '\t') {
            blank_line = false;
        }
    }
    return !blank_line;
}

const char *author_field_reply_to(struct am_arena *arena, struct am_span former,
                                  const struct am_authors *authors)
{
    struct am_span text = am_span_trim(former);
    struct am_buf out;
    const char *value;

    if (authors->count == 0)
        return "";
    if (!authors->unreadable && may_stand(text))
        return am_arena_copy(arena, text);
    am_buf_init(&out, REPLY_TO_MAX);
    for (size_t i = 0; i < authors->count; i++) {
        const struct am_author *author = &authors->items[i];
        const struct am_span local = author->address.local;

        if (author->domain != NULL && may_stand(local) && am_span_find(local, '\n') == local.len)
            am_buf_printf(&out, "%s<%.*s@%s>", out.len == 0 ? "" : ", ", (int)local.len, local.ptr,
                          author->domain);
    }
    value = out.failed ? "" : am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return value;
}
