#ifndef AM_DNS_DNS_NAME_H
#define AM_DNS_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A domain name in wire form (RFC 1035 section 3.1), always in lower case, so
 * that equal names are equal bytes: the key of cache, zone and look-ups.
 */

#define AM_DNS_NAME_WIRE_MAX 255
/* Longest presentation form with its NUL: every byte as \DDD. */
#define AM_DNS_NAME_TEXT_MAX 1024

struct am_dns_name {
    uint8_t len; /* octets in use, the final zero included */
    uint8_t wire[AM_DNS_NAME_WIRE_MAX];
};

/*
 * Reads the presentation form, with or without the final dot; \DDD and \X are
 * escapes, any other byte stands for itself.
 *
 * Returns: false for a name that cannot be asked: "", an empty label, a label
 * over 63 octets, over 255 in all, an escape that is cut or over 255.
 */
bool am_dns_name_parse(struct am_dns_name *name, const char *text);

/*
 * Takes an uncompressed name in wire form from the start of `data`, in lower case.
 *
 * Returns: false when it does not end within `size` octets, is too long or compressed.
 */
bool am_dns_name_from_wire(struct am_dns_name *name, const uint8_t *data, size_t size);

/* Tells whether two names are the same. */
bool am_dns_name_equal(const struct am_dns_name *a, const struct am_dns_name *b);

/*
 * Writes the presentation form without the final dot, odd bytes as \DDD; the
 * root is "".
 *
 * Returns: the length without the NUL.
 */
size_t am_dns_name_print(const struct am_dns_name *name, char out[AM_DNS_NAME_TEXT_MAX]);

/* Makes the name of the parent; false for the root, which has none. */
bool am_dns_name_parent(const struct am_dns_name *name, struct am_dns_name *parent);

#endif
