#include "authres/ar_chars.h"

#include <string.h>

/* Sums of the AR_C_ classes; octets above 127 are in none. */
/* clang-format off */
const unsigned char ar_char_table[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    32, 198, 0, 198, 198, 198, 198, 198, 0, 0, 198, 198, 64, 199, 66, 68,
    223, 223, 223, 223, 223, 223, 223, 223, 223, 223, 64, 0, 64, 68, 64, 68,
    64, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215,
    215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 64, 64, 64, 198, 198,
    198, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215,
    215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 215, 198, 198, 198, 198, 0,
};
/* clang-format on */

size_t ar_utf8_read(const char *ptr, size_t len, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)ptr;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    size_t need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || need > len)
        return 0;
    uint32_t value = p[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return need;
}

bool ar_is_keyword(const char *ptr, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!ar_is((unsigned char)ptr[i], AR_C_KEYWORD))
            return false;
    return len > 0 && ptr[len - 1] != '-';
}

bool ar_keyword_is(const char *ptr, size_t len, const char *word)
{
    size_t i = 0;

    while (i < len && word[i] != '\0' &&
           ar_lower((unsigned char)ptr[i]) == ar_lower((unsigned char)word[i]))
        i++;
    return i == len && word[i] == '\0';
}

bool ar_is_token(const char *ptr, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!ar_is((unsigned char)ptr[i], AR_C_TOKEN))
            return false;
    return len > 0;
}

bool ar_is_text(const char *ptr, size_t len, bool utf8)
{
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)ptr[i];
        if (c < 0x80) {
            if ((c < 0x20 && c != '\t') || c == 0x7f)
                return false;
            i++;
            continue;
        }
        uint32_t code;
        size_t step = utf8 ? ar_utf8_read(ptr + i, len - i, &code) : 0;
        if (step == 0 || code < 0xa0)
            return false;
        i += step;
    }
    return true;
}

bool ar_is_domain(const char *ptr, size_t len)
{
    size_t start = 0, count = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && ptr[i] != '.') {
            unsigned char c = (unsigned char)ptr[i];
            if (c < 0x80 && !ar_is(c, AR_C_KEYWORD))
                return false;
            continue;
        }
        /* sub-domain = Let-dig [Ldh-str] / U-label (RFC 5321 section 4.1.2, RFC 6531 section 3.3)
         */
        if (i == start || ptr[start] == '-' || ptr[i - 1] == '-')
            return false;
        start = i + 1;
        count++;
    }
    return count >= 2;
}

/* Tells whether the text is one whole quoted string. */
static bool is_quoted_string(const char *ptr, size_t len)
{
    if (len < 2 || ptr[0] != '"' || ptr[len - 1] != '"')
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        if (ptr[i] == '"')
            return false;
        /* Escaped may be neither the closing quote nor a part of UTF-8, nor a blank: a fold
           would come between it and its backslash. */
        if (ptr[i] == '\\' && (++i == len - 1 || (unsigned char)ptr[i] >= 0x80 ||
                               ar_is((unsigned char)ptr[i], AR_C_BLANK)))
            return false;
    }
    return true;
}

bool ar_is_local_part(const char *ptr, size_t len)
{
    if (len == 0 || ptr[0] == '"')
        return is_quoted_string(ptr, len);
    bool dot = true; /* a dot may not come next */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)ptr[i];
        if (c == '.' ? dot : c < 0x80 && !ar_is(c, AR_C_ATEXT))
            return false;
        dot = c == '.';
    }
    return !dot;
}

bool ar_is_plain_pvalue(const char *ptr, size_t len)
{
    if (ar_is_token(ptr, len))
        return true;
    size_t at = len;
    while (at > 0 && ptr[at - 1] != '@')
        at--;
    if (at == 0)
        return ar_is_domain(ptr, len);
    return ar_is_domain(ptr + at, len - at) && (at == 1 || ar_is_local_part(ptr, at - 1));
}

bool ar_is_best_plain(const char *ptr, size_t len)
{
    uint32_t code;

    for (size_t i = 0, step; i < len; i += step) {
        step = ar_utf8_read(ptr + i, len - i, &code);
        if (step > 1 && ar_is_space(code))
            return false;
        if (step == 0)
            step = 1;
    }
    return ar_is_plain_pvalue(ptr, len);
}
