#include "dkim-milter/dkim_scan.h"

#include <stdint.h>

/* Vectors of the compiler, not of one processor: where there are none it makes plain code. */
#define WIDE 16
typedef unsigned char wide __attribute__((vector_size(WIDE)));

static inline wide load(const char *ptr)
{
    wide octets;

    memcpy(&octets, ptr, sizeof(octets));
    return octets;
}

static inline bool is_reason(unsigned char this, unsigned char next, unsigned char stop)
{
    return this == '\t' || this == stop || (this == ' ' && next <= ' ');
}

/* The same for the sixteen octets at `ptr`, of which seventeen can be read; 0xff where it is so. */
static inline wide reasons(const char *ptr, unsigned char stop)
{
    wide here = load(ptr);
    wide next = load(ptr + 1);

    return (wide)((here == '\t') | (here == stop) | ((here == ' ') & (next <= ' ')));
}

static inline bool is_any(wide mask)
{
    uint64_t halves[2];

    memcpy(halves, &mask, sizeof(halves));
    return (halves[0] | halves[1]) != 0;
}

/* The number of the first octet that is not zero; there is one. */
static inline size_t first_of(wide mask)
{
    uint64_t halves[2];

    memcpy(halves, &mask, sizeof(halves));
    size_t half = halves[0] != 0 ? 0 : 1;
    int bits = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_ctzll(halves[half])
                                                         : __builtin_clzll(halves[half]);
    return half * sizeof(halves[0]) + (size_t)bits / 8;
}

/* The length of what is in order, as far as it can be seen four vectors at a time. */
static inline size_t clean_stretch(struct am_span text, unsigned char stop)
{
    const char *ptr = text.ptr;
    size_t i = 0;

    while (text.len - i > 4 * WIDE &&
           !is_any(reasons(ptr + i, stop) | reasons(ptr + i + WIDE, stop) |
                   reasons(ptr + i + 2 * WIDE, stop) | reasons(ptr + i + 3 * WIDE, stop)))
        i += 4 * WIDE;
    return i;
}

static inline size_t scan(struct am_span text, unsigned char stop)
{
    const char *ptr = text.ptr;
    size_t i = 0;

    /* Reasons often lie close to each other; only a long clean stretch is worth four at a time. */
    for (; text.len - i > WIDE; i += WIDE) {
        wide mask = reasons(ptr + i, stop);
        if (is_any(mask))
            return i + first_of(mask);
        if (i == 3 * WIDE)
            i += clean_stretch(am_span_of(ptr + i + WIDE, text.len - i - WIDE), stop);
    }
    for (; i < text.len; i++) {
        unsigned char next = i + 1 < text.len ? (unsigned char)ptr[i + 1] : ' ';
        if (is_reason((unsigned char)ptr[i], next, stop))
            break;
    }
    return i;
}

size_t dkim_scan_body(struct am_span text)
{
    return scan(text, '\t');
}

size_t dkim_scan_field(struct am_span text)
{
    return scan(text, '\n');
}

/* Neither control nor blank, DEL, ";" or beyond ASCII. */
static inline bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != ';';
}

static inline wide specials(const char *ptr)
{
    wide here = load(ptr);

    return (wide)((here <= ' ') | (here >= 0x7f) | (here == ';'));
}

size_t dkim_scan_value(struct am_span text)
{
    size_t i = 0;

    for (; text.len - i >= WIDE; i += WIDE) {
        wide mask = specials(text.ptr + i);
        if (is_any(mask))
            return i + first_of(mask);
    }
    while (i < text.len && is_plain((unsigned char)text.ptr[i]))
        i++;
    return i;
}
