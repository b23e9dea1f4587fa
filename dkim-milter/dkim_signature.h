#ifndef DKIM_DKIM_SIGNATURE_H
#define DKIM_DKIM_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_reason.h"

/*
 * A DKIM-Signature field's value, read as RFC 6376 section 3.5 with RFC 8301, 8463, 8553 and 8616
 * says. Spans "as written" point into the value and hold hostile text; the rest lives in the arena.
 */
struct dkim_signature {
    struct am_span value; /* the field's value as it was given */

    struct am_span algorithm;     /* a= as written; empty when there is none */
    enum dkim_key_type key_type;  /* what a= asks of the key; the hash is SHA-256 always */
    enum dkim_canon header_canon; /* c=, else simple */
    enum dkim_canon body_canon;

    struct am_span domain;      /* d= as written; empty unless it is a domain name */
    struct am_span selector;    /* s= as written; likewise */
    const char *ascii_domain;   /* in lower-case A-labels; NULL unless it is a domain name */
    const char *ascii_selector; /* likewise */

    bool has_identity;       /* i= was given and is well-formed */
    struct am_span identity; /* i= decoded, white space gone: "user@example.com", "@example.com" */
    struct am_span identity_local;  /* what stands before the last "@" of it, quotes included */
    struct am_span identity_domain; /* what stands behind it */
    bool identity_is_below; /* i= names a proper subdomain of d=: forbidden by t=s of the key */

    const struct am_span *names; /* h=: field names in order, as written */
    size_t name_count;

    bool has_length, has_timestamp, has_expiry;
    uint64_t length;   /* l= in canonical octets */
    int64_t timestamp; /* t= in seconds since 1970; what no 64 bits hold is INT64_MAX */
    int64_t expiry;    /* x= likewise */

    uint8_t body_hash[DKIM_HASH_LEN];
    struct am_span signature;      /* b= decoded */
    struct am_span signature_text; /* b= in base 64 without white space, for header.b (RFC 6008) */
    /* What is left out of `value` when the header is hashed: all between the "=" of b= and the next
     * ";" or the end (RFC 6376 section 3.7). ptr points into `value`. */
    struct am_span signature_raw;

    struct am_span copied_fields; /* z= as written, not judged */
};

/* Most names of an h= that are kept; more give DKIM_REASON_TOO_MANY_NAMES. */
#define DKIM_SIGNATURE_NAMES_MAX 8192

/*
 * Reads a signature.
 *
 * value: all behind the colon of the field, folds as LF or CRLF, without a line end at its end.
 * Returns: DKIM_REASON_NONE, or what is wrong with it. On failure, too, every member is set whose
 *   own tag is good, so that a report can name d=, s=, i= and a=; with a malformed list these are
 *   the tags before the fault. What is not known is empty, NULL or zero.
 * Cost: linear in the length of `value`. The time of day is not looked at.
 * Ownership: lives as long as `arena` and `value`. Threads: any, one at a time per arena.
 */
enum dkim_reason dkim_signature_parse(struct dkim_signature *signature, struct am_arena *arena,
                                      struct am_span value);

#endif
