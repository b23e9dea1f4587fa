#include "dkim-milter/dkim_sign_text.h"

#define WIDTH 76
#define NAME_LEN (sizeof("DKIM-Signature: ") - 1)

void dkim_sign_text_init(struct dkim_sign_text *text, struct am_buf *out)
{
    text->out = out;
    text->column = NAME_LEN;
}

static void new_line(struct dkim_sign_text *text)
{
    am_buf_add_str(text->out, "\n ");
    text->column = 1;
}

void dkim_sign_text_word(struct dkim_sign_text *text, const char *word)
{
    size_t len = strlen(word);

    if (text->column + 1 + len > WIDTH) {
        new_line(text);
    } else if (text->out->len > 0) {
        am_buf_add_char(text->out, ' ');
        text->column++;
    }
    am_buf_add(text->out, am_span_of(word, len));
    text->column += len;
}

void dkim_sign_text_line(struct dkim_sign_text *text, const char *word)
{
    new_line(text);
    am_buf_add_str(text->out, word);
    text->column += strlen(word);
}

void dkim_sign_text_join(struct dkim_sign_text *text, struct am_span piece)
{
    if (text->column + piece.len > WIDTH && text->column > 1)
        new_line(text);
    am_buf_add(text->out, piece);
    text->column += piece.len;
}

void dkim_sign_text_item(struct dkim_sign_text *text, struct am_span piece, char separator)
{
    if (text->column + piece.len + 1 > WIDTH && text->column > 1)
        new_line(text);
    am_buf_add(text->out, piece);
    am_buf_add_char(text->out, separator);
    text->column += piece.len + 1;
}

void dkim_sign_text_split(struct dkim_sign_text *text, struct am_span digits)
{
    while (digits.len > 0) {
        size_t room = text->column < WIDTH ? WIDTH - text->column : 0;
        size_t len = digits.len < room ? digits.len : room;

        am_buf_add(text->out, am_span_of(digits.ptr, len));
        text->column += len;
        digits = am_span_of(digits.ptr + len, digits.len - len);
        if (digits.len > 0)
            new_line(text);
    }
}

/* Writes one octet into `unit`, encoded if need be; returns the length. */
static size_t encode(char unit[3], unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";

    if (c > ' ' && c < 0x7F && c != ';' && c != '=' && c != '|') {
        unit[0] = (char)c;
        return 1;
    }
    unit[0] = '=';
    unit[1] = hex[c >> 4];
    unit[2] = hex[c & 15];
    return 3;
}

void dkim_sign_text_quoted(struct dkim_sign_text *text, struct am_span octets)
{
    char unit[3];

    for (size_t i = 0; i < octets.len; i++)
        dkim_sign_text_join(text, am_span_of(unit, encode(unit, (unsigned char)octets.ptr[i])));
}

void dkim_sign_text_name(struct dkim_sign_text *text, struct am_span octets)
{
    size_t len = 0;
    char unit[3];

    for (size_t i = 0; i < octets.len; i++)
        len += encode(unit, (unsigned char)octets.ptr[i]);
    if (text->column + len > WIDTH && text->column > 1)
        new_line(text);
    for (size_t i = 0; i < octets.len; i++)
        am_buf_add(text->out, am_span_of(unit, encode(unit, (unsigned char)octets.ptr[i])));
    text->column += len;
}
