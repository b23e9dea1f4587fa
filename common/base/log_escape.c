#include "common/base/log_escape.h"

#include <stdint.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/base/utf8.h"

/* Longest escape of one byte: \u00NN, or \\xNN in JSON. */
#define PIECE_MAX 8

static const char cut_mark[] = "[...]";

static size_t escape_byte(char piece[PIECE_MAX], unsigned char byte, enum am_log_style style,
                          bool is_utf8)
{
    unsigned value = byte;

    if (style != AM_LOG_JSON_STRING)
        return (size_t)snprintf(piece, PIECE_MAX, "\\x%02X", value);
    if (is_utf8)
        return (size_t)snprintf(piece, PIECE_MAX, "\\u%04x", value);
    return (size_t)snprintf(piece, PIECE_MAX, "\\\\x%02X", value);
}

/* Writes the first character of `text` into `piece`; returns how many bytes of `text` that took. */
static size_t escape_first(char piece[PIECE_MAX], size_t *piece_len, struct am_span text,
                           enum am_log_style style)
{
    size_t len = am_utf8_first(text);
    unsigned char first = (unsigned char)text.ptr[0];

    if (len == 0 || am_utf8_is_control(text.ptr, len)) {
        /* C1 controls are two bytes of UTF-8; JSON wants their code point, the others the bytes. */
        bool as_code_point = len == 2 && style == AM_LOG_JSON_STRING;
        if (as_code_point)
            first = (unsigned char)text.ptr[1];
        *piece_len = escape_byte(piece, first, style, len > 0);
        return as_code_point ? 2 : 1;
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
