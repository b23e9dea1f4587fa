#ifndef AR_SIGNATURE_H
#define AR_SIGNATURE_H

#include "authres/authres.h"

/*
 * Values of DKIM's b= tag. Blanks and line ends may stand anywhere in them and mean nothing
 * (RFC 6376 section 3.2); lengths below do not count them.
 */

/* Most different signatures that are looked at one by one. */
#define AR_SIGNATURES_MAX 1000

/* What has been learned of the signatures of a message. */
struct ar_signature_set {
    struct ar_text sorted[AR_SIGNATURES_MAX]; /* the different ones */
    size_t count;
    size_t longest; /* of all */
    size_t need;    /* octets that tell the ones in the set apart */
    bool overflow;  /* there were more than AR_SIGNATURES_MAX */
};

/* Empties a set. */
void ar_signature_init(struct ar_signature_set *set);

/* Adds a signature, a view that has to outlive the set. One that is in it already changes nothing.
 */
void ar_signature_add(struct ar_signature_set *set, struct ar_text signature);

/* Returns how many octets of each header.b needs; see ar_signature_prefix. */
size_t ar_signature_need(const struct ar_signature_set *set);

/* Returns the number of octets that are no blanks. */
size_t ar_signature_len(struct ar_text signature);

/* Copies at most `room` octets that are no blanks. Returns: how many. */
size_t ar_signature_copy(struct ar_text signature, char *out, size_t room);

/* Compares as strcmp does; `*common` becomes the number of octets both begin with. */
int ar_signature_compare(struct ar_text a, struct ar_text b, size_t *common);

#endif
