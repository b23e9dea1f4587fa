#ifndef DKIM_DKIM_HASHED_H
#define DKIM_DKIM_HASHED_H

#include "common/base/buf.h"
#include "dkim-milter/dkim_sink.h"
#include "dkim-milter/dkim_verify.h"

/*
 * The very octets that a signature covers (RFC 6376 section 3.7), as they are found: who compares
 * them with what the signer hashed sees where they differ. For tools.
 */

#define DKIM_HASHED_SHOWN 60

struct dkim_hashed {
    bool is_known;        /* false: the signature could not be read so far; all else is empty */
    struct am_buf header; /* the fields of h= in its order, canonical, and the signature itself */
    size_t field_count;   /* of them: names of h= that stand for nothing are left out */
    uint64_t body_octets; /* canonical, up to l= */
    uint64_t canonical_octets;                             /* of the body in all */
    char head[DKIM_HASHED_SHOWN], tail[DKIM_HASHED_SHOWN]; /* the first of body_octets, and the last
                                                              that stand behind them */
    size_t head_len, tail_len;
};

/*
 * Makes them.
 *
 * fields: of the verification. body: all of it, CRLF at line ends. copy: gets the octets of the
 * body; NULL: nobody does. Returns: false when memory is short. Ownership: freed with
 * dkim_hashed_fini(), after false too.
 */
bool dkim_hashed_make(struct dkim_hashed *out, struct am_arena *arena,
                      const struct dkim_fields *fields, const struct dkim_outcome *outcome,
                      struct am_span body, const struct dkim_sink *copy) AM_MUST_USE;

/* Releases the octets of the header. Zeroed memory is allowed. */
void dkim_hashed_fini(struct dkim_hashed *hashed);

#endif
