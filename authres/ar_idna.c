#include "authres/ar_idna.h"

#include <string.h>

#include "authres/ar_chars.h"

/* Longest label of the DNS, RFC 1035 section 2.3.4. */
#define LABEL_MAX 63

void ar_name_init(struct ar_name *name)
{
    name->len = name->labels = 0;
    name->overflow = false;
}

static void append(struct ar_name *name, unsigned char octet)
{
    bool fresh = name->len == 0 || name->text[name->len - 1] == '.';

    if (octet == '.' && fresh)
        return;
    if (name->len == sizeof(name->text)) {
        name->overflow = true;
        return;
    }
    name->labels += fresh;
    name->text[name->len++] = (char)octet;
}

void ar_name_put_octet(struct ar_name *name, unsigned char octet)
{
    append(name, ar_lower(octet));
}

/* Characters that IDNA's mapping removes (UTS 46): nobody sees them. */
static bool is_invisible(uint32_t code)
{
    return code == 0xad || code == 0x34f || (code >= 0x200b && code <= 0x200d) || code == 0x2060 ||
           code == 0xfeff || (code >= 0xfe00 && code <= 0xfe0f);
}

/* Capitals of the alphabets that have simple pairs, every `step`-th from `first` to `last`. */
static const struct {
    uint16_t first, last, step, small;
} capitals[] = {
    {0xc0, 0xd6, 1, 0xe0},      {0xd8, 0xde, 1, 0xf8},       {0x100, 0x12e, 2, 0x101},
    {0x132, 0x136, 2, 0x133},   {0x139, 0x147, 2, 0x13a},    {0x14a, 0x176, 2, 0x14b},
    {0x178, 0x178, 1, 0xff},    {0x179, 0x17d, 2, 0x17a},    {0x17f, 0x17f, 1, 's'},
    {0x1a0, 0x1a4, 2, 0x1a1},   {0x1af, 0x1af, 1, 0x1b0},    {0x1b3, 0x1b5, 2, 0x1b4},
    {0x1cd, 0x1db, 2, 0x1ce},   {0x1de, 0x1ee, 2, 0x1df},    {0x1f4, 0x1f4, 1, 0x1f5},
    {0x1f8, 0x21e, 2, 0x1f9},   {0x222, 0x232, 2, 0x223},    {0x386, 0x386, 1, 0x3ac},
    {0x388, 0x38a, 1, 0x3ad},   {0x38c, 0x38c, 1, 0x3cc},    {0x38e, 0x38f, 1, 0x3cd},
    {0x391, 0x3a1, 1, 0x3b1},   {0x3a3, 0x3ab, 1, 0x3c3},    {0x400, 0x40f, 1, 0x450},
    {0x410, 0x42f, 1, 0x430},   {0x460, 0x480, 2, 0x461},    {0x48a, 0x4be, 2, 0x48b},
    {0x4c0, 0x4c0, 1, 0x4cf},   {0x4c1, 0x4cd, 2, 0x4c2},    {0x4d0, 0x52e, 2, 0x4d1},
    {0x531, 0x556, 1, 0x561},   {0x1e00, 0x1e94, 2, 0x1e01}, {0x1ea0, 0x1efe, 2, 0x1ea1},
    {0x2126, 0x2126, 1, 0x3c9}, {0x212a, 0x212a, 1, 'k'},    {0x212b, 0x212b, 1, 0xe5},
};

/* Latin, Greek, Cyrillic and Armenian capitals, and signs that are letters, become small. */
static uint32_t make_small(uint32_t code)
{
    for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++)
        if (code >= capitals[i].first && code <= capitals[i].last)
            return (code - capitals[i].first) % capitals[i].step == 0
                       ? code - capitals[i].first + capitals[i].small
                       : code;
    return code;
}

void ar_name_put(struct ar_name *name, uint32_t code)
{
    if (is_invisible(code))
        return;
    if (code >= 0x80)
        code = make_small(code);
    if (code >= 0xff01 && code <= 0xff5e)
        code -= 0xfee0;
    else if (code == 0x3002 || code == 0xff61)
        code = '.';
    if (code < 0x80) {
        append(name, ar_lower((unsigned char)code));
        return;
    }
    if (code >= 0x10000) {
        append(name, (unsigned char)(0xf0 | code >> 18));
        append(name, (unsigned char)(0x80 | (code >> 12 & 0x3f)));
    } else if (code >= 0x800)
        append(name, (unsigned char)(0xe0 | code >> 12));
    if (code >= 0x800)
        append(name, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
    else
        append(name, (unsigned char)(0xc0 | code >> 6));
    append(name, (unsigned char)(0x80 | (code & 0x3f)));
}

void ar_name_put_text(struct ar_name *name, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        size_t step = ar_utf8_read(text + i, len - i, &code);
        if (step == 0)
            ar_name_put_octet(name, (unsigned char)text[i++]);
        else
            ar_name_put(name, code);
        i += step;
    }
}

/* Bias adaptation of RFC 3492 section 6.1, with Punycode's parameters. */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / 700 : delta / 2;
    delta += delta / points;
    for (; delta > 455; k += 36)
        delta /= 35;
    return k + 36 * delta / (delta + 38);
}

/* Writes one generalised variable-length integer. Returns: false without room. */
static bool put_delta(uint32_t delta, uint32_t bias, char *out, size_t *len, size_t room)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (uint32_t k = 36;; k += 36) {
        uint32_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (*len == room)
            return false;
        if (delta < threshold)
            break;
        out[(*len)++] = digits[threshold + (delta - threshold) % (36 - threshold)];
        delta = (delta - threshold) / (36 - threshold);
    }
    out[(*len)++] = digits[delta];
    return true;
}

size_t ar_punycode(const uint32_t *codes, size_t count, char *out, size_t room)
{
    size_t len = 0;

    /* At most LABEL_MAX characters below 0x110000: no delta can pass 32 bits. */
    if (count > LABEL_MAX)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (codes[i] < 0x80) {
            if (len == room)
                return 0;
            out[len++] = (char)codes[i];
        }
    uint32_t basic = (uint32_t)len, done = basic, n = 0x80, delta = 0, bias = 72;
    if (basic > 0) {
        if (len == room)
            return 0;
        out[len++] = '-';
    }
    for (; done < count; n++, delta++) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < count; i++)
            if (codes[i] >= n && codes[i] < next)
                next = codes[i];
        delta += (next - n) * (done + 1);
        n = next;
        for (size_t i = 0; i < count; i++) {
            delta += codes[i] < n;
            if (codes[i] != n)
                continue;
            if (!put_delta(delta, bias, out, &len, room))
                return 0;
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
    }
    return len;
}

/* Writes a label as A-label, or as it is when it has none. Returns: 0 without room. */
static size_t label_to_ascii(const char *label, size_t len, char *out, size_t room)
{
    uint32_t codes[LABEL_MAX];
    size_t count = 0, written;
    bool ascii = true;

    for (size_t i = 0, step; i < len && count < LABEL_MAX; i += step) {
        step = ar_utf8_read(label + i, len - i, &codes[count]);
        if (step == 0)
            break;
        ascii = ascii && step == 1;
        count++;
        if (i + step < len || ascii || room < LABEL_MAX)
            continue;
        written = ar_punycode(codes, count, out + 4, LABEL_MAX - 4);
        if (written > 0) {
            memcpy(out, "xn--", 4);
            return written + 4;
        }
    }
    if (len > room)
        return 0;
    memcpy(out, label, len);
    return len;
}

size_t ar_name_to_ascii(const struct ar_name *name, char *out)
{
    size_t end = name->len, len = 0;

    while (end > 0 &&
           (name->text[end - 1] == '.' || ar_is((unsigned char)name->text[end - 1], AR_C_BLANK)))
        end--;
    if (end == 0 || name->overflow)
        return 0;
    for (size_t start = 0, i = 0; i <= end; i++) {
        if (i < end && name->text[i] != '.')
            continue;
        size_t step = label_to_ascii(name->text + start, i - start, out + len, AR_NAME_MAX - len);
        if (step == 0)
            return 0;
        len += step;
        if (i < end) {
            if (len == AR_NAME_MAX)
                return 0;
            out[len++] = '.';
        }
        start = i + 1;
    }
    return len;
}
