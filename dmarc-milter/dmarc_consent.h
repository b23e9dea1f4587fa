#ifndef DMARC_CONSENT_H
#define DMARC_CONSENT_H

#include "dmarc-milter/dmarc_rua.h"
#include "dmarc-milter/dmarc_walk.h"

/*
 * Whether who is named in a rua wants the reports of another domain (RFC 9990 section 4): nobody
 * is to be flooded because a stranger's record names them. A destination of the same organisational
 * domain needs to say nothing.
 */

enum dmarc_consent_status {
    DMARC_CONSENT_OWN,     /* of the same organisation */
    DMARC_CONSENT_GIVEN,   /* the destination says so in the DNS */
    DMARC_CONSENT_REFUSED, /* it does not */
    DMARC_CONSENT_UNKNOWN, /* the DNS gave no answer: another time */
};

struct dmarc_consent {
    enum dmarc_consent_status status;
    /* OWN and GIVEN: who gets the report; the destination may have named others of its domain. */
    const char *addresses[DMARC_RUA_MAX];
    size_t count;
    const char *why; /* one sentence about REFUSED and UNKNOWN, without full stop; else NULL */
};

/*
 * Asks.
 *
 * names: of the policy domain; what was asked before is not asked again.
 * policy_domain, uri: in A-labels; live as long as the arena.
 * Returns: false when memory is short. Ownership: `names->arena`. Blocking: until the deadline of
 * `names` at most.
 */
bool dmarc_consent_ask(struct dmarc_consent *consent, struct dmarc_names *names,
                       const char *policy_domain, const struct dmarc_uri *uri) AM_MUST_USE;

#endif
