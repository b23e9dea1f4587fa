#include "dkim-milter/dkim_der.h"

#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30

/* 1.2.840.113549.1.1.1 */
static const char rsa_encryption[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

static unsigned char first_of(struct am_span text)
{
    return text.len > 0 ? (unsigned char)text.ptr[0] : 0;
}

static void advance(struct am_span *text, size_t count)
{
    text->ptr += count;
    text->len -= count;
}

/* Takes a length off the front of `*rest`: one octet, or up to four behind one that counts them. */
static bool take_length(struct am_span *rest, size_t *len)
{
    if (rest->len == 0)
        return false;
    unsigned char first = first_of(*rest);
    advance(rest, 1);
    *len = first;
    if (first < 0x80)
        return true;
    size_t count = first & 0x7f;
    if (count == 0 || count > 4 || count > rest->len)
        return false;
    *len = 0;
    for (; count > 0; count--) {
        *len = *len << 8 | first_of(*rest);
        advance(rest, 1);
    }
    return true;
}

/* Takes one element of a type off the front of `*rest`. */
static bool take(struct am_span *rest, unsigned char tag, struct am_span *content)
{
    size_t len;
    if (first_of(*rest) != tag)
        return false;
    advance(rest, 1);
    if (!take_length(rest, &len) || len > rest->len)
        return false;
    *content = am_span_of(rest->ptr, len);
    advance(rest, len);
    return true;
}

static bool take_number(struct am_span *rest, struct am_span *number)
{
    if (!take(rest, TAG_INTEGER, number) || number->len == 0 || first_of(*number) >= 0x80)
        return false;
    while (number->len > 0 && first_of(*number) == 0)
        advance(number, 1);
    return true;
}

static bool read_numbers(struct am_span octets, struct am_span *modulus, struct am_span *exponent)
{
    struct am_span inside;
    return take(&octets, TAG_SEQUENCE, &inside) && octets.len == 0 &&
           take_number(&inside, modulus) && take_number(&inside, exponent) && inside.len == 0;
}

bool dkim_der_rsa_numbers(struct am_span octets, struct am_span *modulus, struct am_span *exponent)
{
    struct am_span all = octets, inside, algorithm, oid, bits;
    if (!take(&all, TAG_SEQUENCE, &inside) || all.len > 0)
        return false;
    if (first_of(inside) == TAG_INTEGER)
        return read_numbers(octets, modulus, exponent);
    /* Behind the name of the algorithm there is NULL, or nothing, of which nothing follows. */
    if (!take(&inside, TAG_SEQUENCE, &algorithm) || !take(&algorithm, TAG_OID, &oid) ||
        !am_span_equal(oid, am_span_of(rsa_encryption, sizeof(rsa_encryption) - 1)) ||
        !take(&inside, TAG_BIT_STRING, &bits) || inside.len > 0)
        return false;
    /* The first octet of a bit string says how many bits of its last are unused. */
    if (bits.len == 0 || first_of(bits) != 0)
        return false;
    advance(&bits, 1);
    return read_numbers(bits, modulus, exponent);
}
