#include "dkim-milter/dkim_base64.h"

#include "dkim-milter/dkim_tag.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define IS_DIGIT 64

/*
 * The value of each digit with IS_DIGIT, 0 for anything else, in the order of ASCII. Not secret:
 * only what was published is read here or kept.
 */
/* clang-format off */
static const uint8_t values[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 126,   0,   0,   0, 127,
    116, 117, 118, 119, 120, 121, 122, 123, 124, 125,   0,   0,   0,   0,   0,   0,
      0,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,
     79,  80,  81,  82,  83,  84,  85,  86,  87,  88,  89,   0,   0,   0,   0,   0,
      0,  90,  91,  92,  93,  94,  95,  96,  97,  98,  99, 100, 101, 102, 103, 104,
    105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,   0,   0,   0,   0,   0,
};
/* clang-format on */

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

/*
 * Decodes groups of four digits with nothing between them, which is nearly all there is.
 *
 * Returns: how many octets of `text` these are; what follows is for the careful reader.
 */
static size_t decode_groups(struct am_span text, uint8_t *out, size_t capacity, size_t *len)
{
    const unsigned char *in = (const unsigned char *)text.ptr;
    size_t most = (capacity - *len) / 3 < text.len / 4 ? (capacity - *len) / 3 : text.len / 4;
    size_t i;
    out += *len;
    for (i = 0; i < most; i++, in += 4, out += 3) {
        unsigned a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        if ((a & b & c & d & IS_DIGIT) == 0)
            break;
        out[0] = (uint8_t)(a << 2 | (b & 63) >> 4);
        out[1] = (uint8_t)(b << 4 | (c & 63) >> 2);
        out[2] = (uint8_t)(c << 6 | (d & 63));
    }
    *len += 3 * i;
    return 4 * i;
}

bool dkim_base64_decode_into(struct am_span text, uint8_t *out, size_t capacity, size_t *len)
{
    uint32_t group = 0;
    size_t count = 0, at = 0;
    *len = 0;
    while (at < text.len) {
        if (count % 4 == 0) {
            size_t done =
                decode_groups(am_span_of(text.ptr + at, text.len - at), out, capacity, len);
            at += done;
            count += done;
            if (at == text.len)
                break;
        }
        unsigned value = values[(unsigned char)text.ptr[at]];
        if (value == 0) {
            size_t blank = dkim_fws_len(am_span_of(text.ptr + at, text.len - at));
            if (blank == 0)
                break;
            at += blank;
            continue;
        }
        at++;
        group = group << 6 | (value & 63);
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
