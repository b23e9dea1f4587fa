#ifndef AR_IDNA_H
#define AR_IDNA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The part of IDNA that comparing authserv-ids needs: U-labels become A-labels
 * (RFC 3492, RFC 5890). No tables of Unicode: letter case is that of Latin, Greek, Cyrillic
 * and Armenian, nothing is normalised, and nothing is validated.
 */

/* Room for any id in either form; a longer one is no id. */
#define AR_NAME_MAX 4096

/* An id being collected character by character, in comparable form. */
struct ar_name {
    char text[AR_NAME_MAX];
    size_t len;
    size_t labels;
    bool overflow;
};

/* Empties a name. */
void ar_name_init(struct ar_name *name);

/*
 * Appends a character as IDNA maps it: capitals small, fullwidth forms
 * plain, ideographic full stops as dots, invisible ones not at all. Leading and
 * doubled dots are left out.
 */
void ar_name_put(struct ar_name *name, uint32_t code);

/* Appends an octet that is no part of well-formed UTF-8. */
void ar_name_put_octet(struct ar_name *name, unsigned char octet);

/* Appends a text in UTF-8, or whatever octets it has. */
void ar_name_put_text(struct ar_name *name, const char *text, size_t len);

/*
 * Turns a name into A-labels without trailing dots and blanks.
 *
 * Returns: the number of octets in `out`, which has room for AR_NAME_MAX; 0 when
 * the name is empty or too long.
 */
size_t ar_name_to_ascii(const struct ar_name *name, char *out);

/*
 * Punycode (RFC 3492 section 6.3), without the "xn--".
 *
 * Returns: the number of octets in `out`; 0 when they would be more than `room`.
 */
size_t ar_punycode(const uint32_t *codes, size_t count, char *out, size_t room);

#endif
