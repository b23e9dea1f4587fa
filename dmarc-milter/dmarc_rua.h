#ifndef DMARC_RUA_H
#define DMARC_RUA_H

#include "common/base/arena.h"

/*
 * Where a domain wants its aggregate reports: the value of the tag rua (RFC 9989 section 4.8),
 * taken apart. Only mailto: is known, and only plain addresses: what could be misread on its way
 * through a mail server is no address here. An obsolete size behind "!" is passed over.
 */

/* Most URIs of a value that are used, and that an overriding one may have. */
#define DMARC_RUA_MAX 10

/* Longest address. */
#define DMARC_RUA_ADDRESS_MAX 254

struct dmarc_uri {
    const char *address; /* local@domain, the domain in lower-case A-labels */
    const char *domain;  /* points into the address */
};

struct dmarc_rua {
    struct dmarc_uri uris[DMARC_RUA_MAX];
    size_t count;
    size_t malformed; /* URIs that were passed over, those of other schemes too */
    size_t left_over; /* URIs behind the last that is used */
};

/*
 * Takes a value apart. An address that comes twice counts once.
 *
 * most: URIs that are used, DMARC_RUA_MAX at most.
 * Ownership: `arena`; what it has no memory for counts as malformed.
 */
void dmarc_rua_parse(struct dmarc_rua *rua, struct am_arena *arena, struct am_span value,
                     size_t most);

/*
 * Judges an address: a dot-atom of at most 64 octets that does not begin with "-", "@" and a domain
 * of at least two labels. U-labels of the domain are turned into A-labels.
 *
 * Returns: the address; NULL when it is none, or memory is short. Ownership: `arena`.
 */
const char *dmarc_rua_address(struct am_arena *arena, struct am_span text) AM_MUST_USE;

#endif
