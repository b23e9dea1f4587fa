#ifndef DKIM_DKIM_SIGN_H
#define DKIM_DKIM_SIGN_H

#include "common/base/clock.h"
#include "common/base/option.h"
#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_fields.h"

/*
 * Signing of one message (RFC 6376 section 5) as it flows: begin with the
 * complete header, feed the body, finish with one DKIM-Signature value for each key.
 * The body is hashed once however many keys sign.
 */

/* Which fields are signed, made once per configuration. */
struct dkim_sign_names;

/*
 * Makes the list from the default one (RFC 6376 section 5.4.1 and what users expect)
 * and deltas "+Name" and "-Name".
 *
 * signed_deltas: fields signed as often as they are there.
 * over_deltas: fields signed once more than they are there, so that none can be added.
 * Returns: NULL with a sentence: not a field name, From taken away, memory short.
 * Ownership: `arena`. Threads: making one; reading any.
 */
struct dkim_sign_names *dkim_sign_names_new(struct am_arena *arena,
                                            const struct am_strlist *signed_deltas,
                                            const struct am_strlist *over_deltas,
                                            struct am_problem *problem) AM_MUST_USE;

/* Judges one delta; the check of option rows. Returns false with a sentence. */
bool dkim_sign_delta_check(const char *delta, struct am_problem *problem);

/* One signature to be made. */
struct dkim_sign_request {
    const char *domain;   /* d=: A-labels */
    const char *selector; /* s= */
    const char *identity; /* i=, not encoded: "@example.org"; NULL: none */
    const struct dkim_private_key *key;
    const struct dkim_sign_names *names;
    enum dkim_canon header_canon, body_canon;
    int64_t expire_s;   /* x= so many seconds after t=; 0: none */
    bool timestamp;     /* t= */
    bool copied_fields; /* z=: a copy of what is signed; left out above DKIM_COPIED_MAX octets */
};

/* Longest z=; a field that is too long for other MTAs would lose the whole signature. */
#define DKIM_COPIED_MAX 16384

struct dkim_signer;

/*
 * Begins to sign. `requests` are copied; keys and names must outlive the signer.
 *
 * Returns: NULL when memory is short.
 * Ownership: lives in `arena`. Blocking: never.
 */
struct dkim_signer *dkim_signer_new(struct am_arena *arena, const struct am_clock *clock,
                                    const struct dkim_fields *fields,
                                    const struct dkim_sign_request *requests,
                                    size_t count) AM_MUST_USE;

/* Takes the next octets of the body, CRLF at line ends. Blocking: never. */
void dkim_signer_body(struct dkim_signer *signer, struct am_span chunk);

/* Takes request number `index` back: no signature is made for it. */
void dkim_signer_leave_out(struct dkim_signer *signer, size_t index);

/*
 * Makes the signatures; once.
 *
 * values: `count` of them, in the order of the requests: what stands after the name, the colon and
 *   one blank, folded with LF + blank below 78 columns; NULL where the request was taken back, and
 *   where signing failed, with the sentence in `problem`.
 * Returns: how many were made.
 * Ownership: `arena`. Blocking: never; costs a private key operation each.
 */
size_t dkim_signer_finish(struct dkim_signer *signer, const char **values,
                          struct am_problem *problem);

#endif
