#ifndef DKIM_DKIM_BODY_HASH_H
#define DKIM_DKIM_BODY_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_crypto.h"

/*
 * The hashes of one body for any number of signatures. Each canonicalisation that
 * somebody asks for runs once; the l= of all signatures are checkpoints on its one running
 * hash, which is copied and ended when the count of canonical octets reaches them.
 *
 * Life: new, want for each signature, start, update for each chunk, finish; then the
 * requests hold their answers. Memory: some 100 octets for each request, whatever the body.
 * Threads: one at a time.
 */
struct dkim_body_hash;

/* What a signature wants to know, and from dkim_body_hash_finish() on the answer. */
struct dkim_body_request {
    enum dkim_canon canon;
    bool has_limit;
    uint64_t limit; /* l=, canonical octets; without meaning when has_limit is false */

    bool done;     /* the digest is there; if not, the limit lies past the end, or hashing failed */
    bool past_end; /* the limit lies past the end of the body: such a signature never passes */
    uint64_t unsigned_octets; /* canonical octets after the limit */
    uint8_t digest[DKIM_HASH_LEN];

    struct dkim_body_request *next; /* of the implementation */
};

/*
 * Makes one without requests.
 *
 * Returns: NULL when memory is short.
 * Ownership: `arena`, whose reset also releases the hash contexts.
 */
struct dkim_body_hash *dkim_body_hash_new(struct am_arena *arena) AM_MUST_USE;

/*
 * Asks for a hash; before start only. Equal requests get equal answers and cost one.
 *
 * has_limit, limit: l= of the signature; 0 is a limit like any other.
 * Returns: the request, or NULL when memory is short.
 * Ownership: the arena; valid until that is reset.
 */
const struct dkim_body_request *dkim_body_hash_want(struct dkim_body_hash *hash,
                                                    enum dkim_canon canon, bool has_limit,
                                                    uint64_t limit) AM_MUST_USE;

/*
 * Begins the body, after the last request.
 *
 * Returns: false when memory is short or there is no SHA-256; nothing may follow then.
 */
bool dkim_body_hash_start(struct dkim_body_hash *hash) AM_MUST_USE;

/* Takes the next chunk of the body. Without requests this costs nothing. */
void dkim_body_hash_update(struct dkim_body_hash *hash, struct am_span chunk);

/* Ends the body; all requests have their answers then. */
void dkim_body_hash_finish(struct dkim_body_hash *hash);

/*
 * Returns the number of canonical octets of the body, after finish; 0 for a canonicalisation
 * that nobody asked for.
 */
uint64_t dkim_body_hash_total(const struct dkim_body_hash *hash, enum dkim_canon canon);

#endif
