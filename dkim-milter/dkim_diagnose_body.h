#ifndef DKIM_DKIM_DIAGNOSE_BODY_H
#define DKIM_DKIM_DIAGNOSE_BODY_H

#include "common/base/arena.h"
#include "dkim-milter/dkim_signature.h"

/* Which part of a body is what was signed. */
enum dkim_body_change {
    DKIM_BODY_UNKNOWN,
    DKIM_BODY_FOOTER,      /* something was added behind `octets` */
    DKIM_BODY_BANNER,      /* something was added in front: the first `octets` */
    DKIM_BODY_BOTH,        /* both: the first `octets`, and from `line` on */
    DKIM_BODY_OTHER_CANON, /* the other canonicalisation fits: white space was changed on its way
                              in, or the signer says c= wrong */
    DKIM_BODY_CUT,         /* the body ends before l=: `octets` are missing */
    DKIM_BODY_EMPTY,       /* what was signed is an empty body */
};

struct dkim_body_diagnosis {
    enum dkim_body_change change;
    uint64_t octets,
        line;            /* of the canonical body; `line` counts from 1: where the change begins */
    bool is_restored;    /* without the change the hash is right; with FOOTER, BANNER and BOTH */
    struct am_span text; /* the first line that was not signed, canonical; in the arena */
};

/*
 * Compares a body with the hash in a signature. Returns false when memory is short.
 * Cost: one pass over the body, and at most 64 more over its end, those of a body of up to 1 MiB
 * with a hash for each line.
 */
bool dkim_diagnose_body(struct am_arena *arena, const struct dkim_signature *parts,
                        struct am_span body, struct dkim_body_diagnosis *out) AM_MUST_USE;

#endif
