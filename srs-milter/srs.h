#ifndef SRS_SRS_H
#define SRS_SRS_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/mail/address.h"
#include "srs-milter/srs_secrets.h"

/*
 * The Sender Rewriting Scheme. Who forwards a message for somebody else cannot send it with the
 * sender's own address: SPF of that domain does not list the forwarder. So the envelope sender
 * becomes an address of the forwarder that holds the former one, a day and a keyed hash:
 *
 *     user@example.com             ->  SRS0=HHHH=DD=example.com=user@forwarder.example
 *     SRS0=..=..@first.example     ->  SRS1=HHHH=first.example==..=..=..@second.example
 *     SRS1=..=first.example==..    ->  SRS1=HHHH=first.example==..   of the third forwarder
 *
 * A bounce comes to that address, and the forwarder turns it back, after it has seen by the hash
 * that it made the address itself and by the day that it did so lately. There is no RFC; the text
 * is the one of libsrs2, Mail::SRS and PostSRSd, which read what is written here and the
 * other way round.
 *
 * The engine does no I/O. Threads: any.
 */

enum srs_digest { SRS_SHA1, SRS_SHA256 };

/* Bounds of the characters of a hash that are written; each holds six bits. */
#define SRS_HASH_LENGTH_MIN 4
#define SRS_HASH_LENGTH_MAX 24

/* Longest address that is made: RFC 5321 section 4.5.3.1.3, without the brackets. */
#define SRS_ADDRESS_MAX 254

/* Most days an address can be valid: the day is counted modulo 1,024. */
#define SRS_DAYS_MAX 1000

struct srs_scheme {
    const struct srs_secrets *secrets; /* the first signs, all verify */
    const char *domain;                /* of rewritten addresses; A-labels */
    char separator;                    /* behind SRS0 and SRS1: '=', '+' or '-'; all are read */
    enum srs_digest digest;            /* SRS_SHA1 is what others have */
    unsigned hash_length;              /* characters written */
    unsigned hash_minimum;             /* characters needed in what comes back */
    unsigned max_age_days;
};

enum srs_status {
    SRS_OK,
    SRS_NO_SRS,    /* nothing to do: no SRS address (reverse), or no address at all (forward) */
    SRS_MALFORMED, /* begins like an SRS address and is none; or holds what cannot be carried */
    SRS_FORGED,    /* the hash is none of ours, or too short */
    SRS_EXPIRED,   /* ours, from a day too long ago, or one that has not come */
    SRS_TOO_LONG,  /* the address would be longer than SRS_ADDRESS_MAX */
    SRS_FAILED,    /* memory or the cryptographic library */
    SRS_STATUS_COUNT,
};

/* What became of an address. */
struct srs_outcome {
    enum srs_status status;
    const char *address; /* without brackets, quoted where it must be; NULL unless SRS_OK */
    bool smashed;        /* reverse: the hash came back in other letter case */
    size_t secret;       /* reverse: which secret it was made with, 0 for the first */
    unsigned age_days;   /* reverse of SRS0: how old it is */
};

/*
 * Rewrites the envelope sender of a message that is forwarded. Whose addresses are left alone is
 * for the caller to say.
 *
 * sender: one that was parsed without complaint. now_s: seconds since 1970.
 * Ownership: the address lives in `arena`.
 */
struct srs_outcome srs_forward(const struct srs_scheme *scheme, struct am_arena *arena,
                               const struct am_address *sender, int64_t now_s) AM_MUST_USE;

/*
 * Adds day and hash to an address and keeps its domain: a later bounce shows that it belongs to
 * mail that was sent.
 */
struct srs_outcome srs_sign(const struct srs_scheme *scheme, struct am_arena *arena,
                            const struct am_address *sender, int64_t now_s) AM_MUST_USE;

/*
 * Turns a recipient back. One that was rewritten here twice (a loop over others) is turned back
 * twice. Its domain is not looked at: whether it is ours is for the caller to say.
 *
 * Blocking: never. Secrets are compared in constant time.
 */
struct srs_outcome srs_reverse(const struct srs_scheme *scheme, struct am_arena *arena,
                               const struct am_address *recipient, int64_t now_s) AM_MUST_USE;

/* Tells whether a local part begins like an SRS address: SRS0 or SRS1 and a separator. */
bool srs_looks_rewritten(const struct am_address *address);

/* Returns the word of a status: "ok", "no-srs", "malformed", "forged", "expired", ... */
const char *srs_status_word(enum srs_status status);

/* Returns a status as the end of a sentence about an address. */
const char *srs_status_text(enum srs_status status);

#endif
