#ifndef DMARC_DMARC_MODULE_CLAIMS_H
#define DMARC_DMARC_MODULE_CLAIMS_H

#include "common/mail/address.h"
#include "common/milter/results.h"
#include "dmarc-milter/dmarc.h"

/*
 * What SPF and DKIM say of a message: from the checks beside us, or from Authentication-Results
 * fields (RFC 8601) of others whom we trust.
 */

struct dmarc_claim {
    const char *domain;   /* lower-case A-labels; "" where none is named that can be used */
    const char *selector; /* header.s; "" where there is none */
    const char *word;     /* "pass", "fail", ... */
    enum dmarc_proof proof;
};

/* All zero is empty; everything lives in an arena. */
struct dmarc_claims {
    bool spf_known, dkim_known; /* somebody has checked; not: their check could not do its work */
    struct dmarc_claim spf; /* of MAIL FROM, or of HELO when the sender is null; word NULL: none */
    bool spf_is_helo;
    struct dmarc_claim dkim[DMARC_IDENTIFIERS_MAX]; /* passes first, then what may pass later */
    size_t dkim_count;
    size_t dkim_left_out; /* that found no room */
    bool no_memory;
};

/*
 * Adds the results of the checks beside us.
 *
 * null_sender: the envelope sender is <>, so that SPF speaks of HELO (RFC 7208 section 2.4).
 * Ownership: `arena`, and the results.
 */
void dmarc_claims_add_results(struct dmarc_claims *claims, struct am_arena *arena,
                              const struct am_results *results, bool null_sender);

/*
 * Adds what an Authentication-Results field says, when it comes from one of `ids`. Called for
 * the fields from the top: for SPF and for DKIM the uppermost field counts that speaks of it. A
 * field that cannot be read says nothing.
 *
 * Ownership: `arena`.
 */
void dmarc_claims_add_field(struct dmarc_claims *claims, struct am_arena *arena,
                            struct am_span value, const char *const *ids, size_t id_count,
                            bool null_sender);

#endif
