#include "common/base/utf8.h"

/* RFC 3629 section 4: what may follow a lead byte; later bytes are always 80..BF. */
static size_t measure(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

size_t am_utf8_first(struct am_span text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    unsigned char low, high;
    size_t len;

    if (text.len == 0)
        return 0;
    len = measure(bytes[0], &low, &high);
    if (len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (bytes[i] < low || bytes[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return len;
}

bool am_utf8_is_valid(struct am_span text)
{
    while (text.len > 0) {
        size_t len = am_utf8_first(text);
        if (len == 0)
            return false;
        text = am_span_of(text.ptr + len, text.len - len);
    }
    return true;
}

/* U+2028 and U+2029 end lines; U+200E, 200F, 202A to 202E and 2066 to 2069 turn text around. */
static bool is_layout_control(unsigned char second, unsigned char third)
{
    if (second == 0x80)
        return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
    return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

bool am_utf8_is_control(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (len == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7F;
    if (len == 2)
        return bytes[0] == 0xC2 && bytes[1] < 0xA0;
    return len == 3 && bytes[0] == 0xE2 && is_layout_control(bytes[1], bytes[2]);
}
