#ifndef AM_MILTER_SHADOW_CLAIMS_H
#define AM_MILTER_SHADOW_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/milter/results.h"

/*
 * What one side says about a message: its results, and the signatures it has put on it. Two such
 * lists, ours and those of the milter before us, are compared in shadow mode.
 */

/* Most claims of one side; more are left out, and `cut` says so. */
#define AM_SHADOW_CLAIMS_MAX 128

/* The method that stands for a signature on the message; its word is "signed". */
#define AM_SHADOW_SIGNATURE "dkim-signature"

struct am_shadow_claim {
    const char *method;   /* "spf" */
    const char *word;     /* "pass" */
    const char *identity; /* of spf: "mailfrom" or "helo", "" where neither is named; else "" */
    /* Of dkim: header.d, header.s and header.b; d= and s= of a signature. Empty: not known. */
    struct am_span domain, selector, signature;
};

/* All zero is empty; everything lives in an arena. */
struct am_shadow_claims {
    struct am_shadow_claim *items;
    size_t count;
    bool cut;       /* there were more, or memory was short */
    bool dkim_read; /* a field with results of dkim has been read */
};

/* Whose methods count: those that this program writes itself. */
struct am_shadow_methods {
    const char *const *names;
    size_t count;
};

/* Adds what we have published. Copies nothing: the results must outlive the claims. */
void am_shadow_claims_add_results(struct am_shadow_claims *claims, struct am_arena *arena,
                                  const struct am_results *results);

/*
 * Adds what the value of an Authentication-Results field says, when it comes from one of `ids`.
 * Called for the fields from the top: of two claims about the same the upper one counts, and
 * results of dkim are taken from the uppermost field only that has such.
 *
 * The field is read leniently; one that cannot be read says nothing.
 */
void am_shadow_claims_add_field(struct am_shadow_claims *claims, struct am_arena *arena,
                                struct am_span value, const char *const *ids, size_t id_count,
                                const struct am_shadow_methods *methods);

/* Adds the value of a DKIM-Signature field: its d= and s=. */
void am_shadow_claims_add_signature(struct am_shadow_claims *claims, struct am_arena *arena,
                                    struct am_span value);

/*
 * Told about each claim: `theirs` is its counterpart. One of the two may be NULL: that side says
 * nothing about it.
 */
typedef void am_shadow_tell(void *user, const struct am_shadow_claim *ours,
                            const struct am_shadow_claim *theirs);

/*
 * Pairs the claims of both sides and tells about every pair, then about what only they say. Results
 * of spf belong together by their identity, those of dkim by header.b, header.d and header.s as far
 * as both sides know them.
 */
void am_shadow_claims_compare(const struct am_shadow_claims *ours,
                              const struct am_shadow_claims *theirs, am_shadow_tell *tell,
                              void *user);

/*
 * Returns what a claim says, "none" or "unsigned" for a side that says nothing: unsigned mail gets
 * no result from some programs and "dkim=none" from others.
 */
const char *am_shadow_claim_word(const struct am_shadow_claim *claim,
                                 const struct am_shadow_claim *other);

#endif
