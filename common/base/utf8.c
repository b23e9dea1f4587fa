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

bool am_utf8_is_control(const char *text, size_t len)
{
    unsigned char lead = (unsigned char)text[0];

    if (len == 1)
        return lead < 0x20 || lead == 0x7F;
    return len == 2 && lead == 0xC2 && (unsigned char)text[1] < 0xA0;
}
