#include "common/milter/reply.h"

#include <stdio.h>
#include <string.h>

#include "common/base/span.h"

/* Reads 1 to 3 digits without a leading zero; returns how many, 0 when there is no such number. */
static size_t digits(const char *text)
{
    size_t count = 0;

    while (count < 4 && am_is_digit((unsigned char)text[count]))
        count++;
    if (count > 3 || (count > 1 && text[0] == '0'))
        return 0;
    return count;
}

/* RFC 3463 section 2: class "." subject "." detail; the class must be the reply's. */
static bool xcode_fits(const char *xcode, int code)
{
    if (xcode[0] != (char)('0' + code / 100) || xcode[1] != '.')
        return false;
    size_t subject = digits(xcode + 2);
    if (subject == 0 || xcode[2 + subject] != '.')
        return false;
    size_t detail = digits(xcode + 3 + subject);
    return detail != 0 && xcode[3 + subject + detail] == '\0';
}

static char clean_byte(char c, bool utf8)
{
    unsigned char byte = (unsigned char)c;

    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8))
        return '?';
    return c;
}

char *am_reply_clean(struct am_arena *arena, const char *text, bool utf8)
{
    char *copy = am_arena_copy(arena, am_span_str(text));

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        *c = clean_byte(*c, utf8);
    return copy;
}

/* Cuts the next piece of at most AM_REPLY_LINE_MAX octets off `*rest`, at a blank if there is one.
 */
static struct am_span next_piece(struct am_span *rest)
{
    struct am_span piece = *rest;

    if (piece.len > AM_REPLY_LINE_MAX) {
        size_t at = AM_REPLY_LINE_MAX;
        while (at > 0 && piece.ptr[at] != ' ')
            at--;
        piece.len = at > 0 ? at : AM_REPLY_LINE_MAX;
    }
    rest->ptr += piece.len;
    rest->len -= piece.len;
    while (rest->len > 0 && *rest->ptr == ' ') {
        rest->ptr++;
        rest->len--;
    }
    return piece;
}

/* Copies a piece with unwanted bytes replaced and `%` doubled, followed by `tail`. */
static const char *wire_line(struct am_arena *arena, struct am_span piece, const char *tail)
{
    char *line = am_arena_alloc(arena, 2 * piece.len + strlen(tail) + 1);
    if (line == NULL)
        return NULL;

    size_t used = 0;
    for (size_t i = 0; i < piece.len; i++) {
        line[used++] = clean_byte(piece.ptr[i], false);
        if (piece.ptr[i] == '%')
            line[used++] = '%';
    }
    memcpy(line + used, tail, strlen(tail) + 1);
    return line;
}

static bool fill_lines(struct am_reply *reply, struct am_arena *arena, struct am_span text)
{
    while (reply->line_count < AM_REPLY_LINES_MAX) {
        size_t end = am_span_find(text, '\n');
        struct am_span rest = am_span_of(text.ptr, end);
        bool last = end == text.len;
        if (!last)
            text = am_span_of(text.ptr + end + 1, text.len - end - 1);

        if (rest.len > 0 && rest.ptr[rest.len - 1] == '\r')
            rest.len--;
        do {
            struct am_span piece = next_piece(&rest);
            bool full = reply->line_count + 1 == AM_REPLY_LINES_MAX && (rest.len > 0 || !last);
            const char *line = wire_line(arena, piece, full ? " [...]" : "");
            if (line == NULL)
                return false;
            reply->lines[reply->line_count++] = line;
        } while (rest.len > 0 && reply->line_count < AM_REPLY_LINES_MAX);
        if (last)
            break;
    }
    return true;
}

const struct am_reply *am_reply_new(struct am_arena *arena, int code, const char *xcode,
                                    const char *text)
{
    if (code < 400 || code > 599 || (xcode != NULL && !xcode_fits(xcode, code)))
        return NULL;
    if (text == NULL || *text == '\0')
        text = code < 500 ? "Try again later" : "Not accepted";

    struct am_reply *reply = am_arena_alloc(arena, sizeof(*reply));
    if (reply == NULL)
        return NULL;
    reply->code = code;
    if (xcode != NULL)
        snprintf(reply->xcode, sizeof(reply->xcode), "%s", xcode);
    reply->lines = am_arena_alloc(arena, AM_REPLY_LINES_MAX * sizeof(*reply->lines));
    if (reply->lines == NULL || !fill_lines(reply, arena, am_span_str(text)))
        return NULL;

    struct am_span first = am_span_of(text, am_span_find(am_span_str(text), '\n'));
    char *log_text = am_arena_copy(arena, am_span_trim(first));
    if (log_text == NULL)
        return NULL;
    for (char *c = log_text; *c != '\0'; c++)
        *c = clean_byte(*c, false);
    reply->log_text = log_text;
    return reply;
}

/* The text of a line as a client reads it: "%%" is "%". */
static const char *plain_line(struct am_arena *arena, const char *line)
{
    char *text = am_arena_copy(arena, am_span_str(line)), *out = text;

    if (text == NULL)
        return NULL;
    for (const char *p = text; *p != '\0'; p++) {
        *out++ = *p;
        if (*p == '%' && p[1] == '%')
            p++;
    }
    *out = '\0';
    return text;
}

const char *am_reply_text(struct am_arena *arena, const struct am_reply *reply)
{
    const char *text = am_arena_printf(arena, "%d%s%s", reply->code,
                                       reply->xcode[0] == '\0' ? "" : " ", reply->xcode);

    for (size_t i = 0; i < reply->line_count && text != NULL; i++) {
        const char *line = plain_line(arena, reply->lines[i]);
        text =
            line == NULL ? NULL : am_arena_printf(arena, "%s%c%s", text, i == 0 ? ' ' : '\n', line);
    }
    return text;
}
