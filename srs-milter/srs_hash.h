#ifndef SRS_SRS_HASH_H
#define SRS_SRS_HASH_H

#include "srs-milter/srs.h"

/* The keyed hash of an SRS address: HMAC (RFC 2104), the first characters of its base64 form. */

/*
 * Hashes texts in lower case, one after the other without anything between them.
 *
 * out: SRS_HASH_LENGTH_MAX characters and a NUL. Returns: false when the library fails.
 */
bool srs_hash_make(enum srs_digest digest, struct am_span secret, const struct am_span *texts,
                   size_t count, char out[SRS_HASH_LENGTH_MAX + 1]) AM_MUST_USE;

/*
 * Tells how a hash that came back agrees with the one it should be, in a time that depends on the
 * length of the former only.
 *
 * made: SRS_HASH_LENGTH_MAX characters. Returns: 0 not, 1 but for letter case, 2 to the letter.
 */
int srs_hash_agrees(struct am_span came, const char *made);

/* Overwrites memory that held a secret. */
void srs_hash_wipe(void *memory, size_t len);

#endif
