#include "contrib/mime/mime_edit.h"

/* RFC 2045 section 6.7: 76 characters with the '=' of a soft line break. */
enum { LINE_MAX_LEN = 75 };

void am_mime_put_quoted(struct am_buf *out, struct am_span text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool last = i + 1 == text.len || text.ptr[i + 1] == '\n';
        if (byte == '\n') {
            am_buf_add_str(out, "\r\n");
            column = 0;
            continue;
        }
        /* A blank at the end of a line does not survive, a dot at its beginning may not, and
         * hyphens there may be somebody's delimiter. */
        bool plain = byte > ' ' && byte <= '~' && byte != '=' &&
                     ((byte != '.' && byte != '-') || column > 0);
        plain = plain || (byte == ' ' && !last);
        if (column + (plain ? 1 : 3) > LINE_MAX_LEN) {
            am_buf_add_str(out, "=\r\n");
            column = 0;
        }
        if (plain) {
            am_buf_add_char(out, (char)byte);
        } else {
            char code[3] = {'=', hex[byte >> 4], hex[byte & 15]};
            am_buf_add(out, am_span_of(code, 3));
        }
        column += plain ? 1 : 3;
    }
}

/* RFC 5322 section 3.6.8. */
static bool is_field(struct am_span line)
{
    size_t colon = am_span_find(line, ':');
    for (size_t i = 0; i < colon && colon < line.len; i++) {
        if (line.ptr[i] <= ' ' || line.ptr[i] > '~')
            return false;
    }
    return colon > 0 && colon < line.len;
}

/* Fields of a message within that say nothing about its content stay. */
static void keep_fields(struct am_buf *out, struct am_span header)
{
    while (header.len > 0) {
        size_t len = am_span_find(header, '\n');
        while (len + 1 < header.len && (header.ptr[len + 1] == ' ' || header.ptr[len + 1] == '\t'))
            len += 1 + am_span_find(am_span_of(header.ptr + len + 1, header.len - len - 1), '\n');
        len += len < header.len;
        struct am_span field = am_span_of(header.ptr, len);
        if (is_field(field) && !am_span_starts_nocase(field, am_span_str("content-")))
            am_buf_add(out, field);
        header = am_span_of(header.ptr + len, header.len - len);
    }
}

static void put_part(struct am_buf *out, struct am_span body, const struct am_mime_cut *cut)
{
    const struct am_mime_part *part = cut->part;
    if (part->is_message)
        keep_fields(out, am_span_of(body.ptr + part->start, part->content - part->start));
    if (part->depth > 1 && part->start < part->content)
        am_buf_add_str(out, "Content-Type: " AM_MIME_NOTICE_TYPE
                            "\r\nContent-Transfer-Encoding: " AM_MIME_NOTICE_ENCODING
                            "\r\nContent-Disposition: inline\r\n\r\n");
    am_mime_put_quoted(out, am_span_str(cut->text));
    if (part->depth == 1)
        am_buf_add_str(out, "\r\n");
}

bool am_mime_splice(struct am_buf *out, struct am_span body, const struct am_mime_cut *cuts,
                    size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct am_mime_part *part = cuts[i].part;
        if (part->start < at || part->end < part->start || part->end > body.len)
            continue;
        am_buf_add(out, am_span_of(body.ptr + at, part->start - at));
        put_part(out, body, &cuts[i]);
        at = part->end;
    }
    if (at < body.len)
        am_buf_add(out, am_span_of(body.ptr + at, body.len - at));
    return !out->failed;
}
