#include "dkim-milter/dkim_base64.h"

#include "dkim-milter/dkim_tag.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_DIGIT 64

/* The value of a digit, or NO_DIGIT. Not secret: only what was published is read here or kept. */
static unsigned digit_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26U;
    if (c >= '0' && c <= '9')
        return c - '0' + 52U;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : NO_DIGIT;
}

size_t dkim_base64_decoded_max(struct am_span text)
{
    return text.len / 4 * 3 + 3;
}

/* Tells whether `text` is white space and at most `lacking` "=". */
static bool is_padding(struct am_span text, size_t lacking)
{
    for (size_t at = 0; at < text.len;) {
        struct am_span rest = am_span_of(text.ptr + at, text.len - at);
        size_t step = dkim_fws_len(rest);
        if (step == 0) {
            if (text.ptr[at] != '=' || lacking-- == 0)
                return false;
            step = 1;
        }
        at += step;
    }
    return true;
}

bool dkim_base64_decode_into(struct am_span text, uint8_t *out, size_t capacity, size_t *len)
{
    uint32_t group = 0;
    size_t count = 0, at = 0;
    *len = 0;
    while (at < text.len) {
        unsigned value = digit_value((unsigned char)text.ptr[at]);
        if (value == NO_DIGIT) {
            size_t blank = dkim_fws_len(am_span_of(text.ptr + at, text.len - at));
            if (blank == 0)
                break;
            at += blank;
            continue;
        }
        at++;
        group = group << 6 | value;
        if (count++ % 4 == 0) /* the first digit of a group completes no octet */
            continue;
        if (*len == capacity)
            return false;
        out[(*len)++] = (uint8_t)(group >> (6 - 2 * ((count - 1) % 4)));
    }
    if (count == 0 || count % 4 == 1)
        return false;
    return is_padding(am_span_of(text.ptr + at, text.len - at), (4 - count % 4) % 4);
}

bool dkim_base64_decode(struct am_arena *arena, struct am_span text, struct am_span *out)
{
    size_t capacity = dkim_base64_decoded_max(text), len;
    uint8_t *octets = am_arena_alloc(arena, capacity);
    *out = am_span_of(NULL, 0);
    if (octets == NULL) {
        out->len = 1;
        return false;
    }
    if (!dkim_base64_decode_into(text, octets, capacity, &len))
        return false;
    *out = am_span_of((const char *)octets, len);
    return true;
}

void dkim_base64_encode(struct am_buf *out, struct am_span octets)
{
    for (size_t at = 0; at < octets.len; at += 3) {
        size_t left = octets.len - at;
        const unsigned char *in = (const unsigned char *)octets.ptr + at;
        uint32_t group = (uint32_t)in[0] << 16;
        group |= left > 1 ? (uint32_t)in[1] << 8 : 0;
        group |= left > 2 ? in[2] : 0;
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
        if (left > 1)
            four[2] = digits[group >> 6 & 63];
        if (left > 2)
            four[3] = digits[group & 63];
        am_buf_add(out, am_span_of(four, sizeof(four)));
    }
}
