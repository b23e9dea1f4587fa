#include "common/base/log_escape.h"

#include <stdint.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/base/utf8.h"

/* Longest escape of one byte or character: \uNNNN, or \\xNN in JSON. */
#define PIECE_MAX 8

static const char cut_mark[] = "[...]";

static size_t escape_byte(char piece[PIECE_MAX], unsigned char byte, enum am_log_style style)
{
    const char *backslash = style == AM_LOG_JSON_STRING ? "\\\\" : "\\";

    return (size_t)snprintf(piece, PIECE_MAX, "%sx%02X", backslash, (unsigned)byte);
}

/* JSON names a control character by its code point; they all have one of at most 16 bits. */
static size_t escape_code_point(char piece[PIECE_MAX], const char *text, size_t len)
{
    unsigned code = (unsigned char)text[0];

    if (len > 1)
        code &= len == 2 ? 0x1Fu : 0x0Fu;
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3Fu);
    return (size_t)snprintf(piece, PIECE_MAX, "\\u%04x", code & 0xFFFFu);
}

/* Writes the first character of `text` into `piece`; returns how many bytes of `text` that took. */
static size_t escape_first(char piece[PIECE_MAX], size_t *piece_len, struct am_span text,
                           enum am_log_style style)
{
    size_t len = am_utf8_first(text);
    unsigned char first = (unsigned char)text.ptr[0];

    if (len > 0 && style == AM_LOG_JSON_STRING && am_utf8_is_control(text.ptr, len)) {
        *piece_len = escape_code_point(piece, text.ptr, len);
        return len;
    }
    if (len == 0 || am_utf8_is_control(text.ptr, len)) {
        *piece_len = escape_byte(piece, first, style);
        return 1;
    }
    if (first == '\\' || (first == '"' && style != AM_LOG_PLAIN)) {
        piece[0] = '\\';
        piece[1] = (char)first;
        *piece_len = 2;
        return 1;
    }
    memcpy(piece, text.ptr, len);
    *piece_len = len;
    return len;
}

void am_log_escape_within(struct am_buf *out, struct am_span text, enum am_log_style style,
                          size_t room)
{
    const size_t mark_len = sizeof(cut_mark) - 1;
    size_t start = out->len, safe = out->len; /* safe: where a cut still leaves room for the mark */
    char piece[PIECE_MAX];
    size_t piece_len;

    while (text.len > 0) {
        size_t taken = escape_first(piece, &piece_len, text, style);
        if (out->len - start + piece_len > room) {
            if (out->failed || room < mark_len)
                return;
            out->len = safe;
            am_buf_add_str(out, cut_mark);
            return;
        }
        am_buf_add(out, am_span_of(piece, piece_len));
        if (out->len - start + mark_len <= room)
            safe = out->len;
        text = am_span_of(text.ptr + taken, text.len - taken);
    }
}

void am_log_escape(struct am_buf *out, struct am_span text)
{
    am_log_escape_within(out, text, AM_LOG_PLAIN, SIZE_MAX);
}
