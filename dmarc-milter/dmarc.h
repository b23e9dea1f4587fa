#ifndef DMARC_DMARC_H
#define DMARC_DMARC_H

#include "dmarc-milter/dmarc_walk.h"

/*
 * The engine (RFC 9989): does what SPF and DKIM proved agree with the author domain, and what does
 * the domain's owner want done with mail where it does not? It knows names and the DNS, but no
 * header, no options and no MTA.
 */

/* Section 9.2. */
enum dmarc_result {
    DMARC_NONE,      /* no policy record */
    DMARC_PASS,      /* an aligned identifier */
    DMARC_FAIL,      /* none */
    DMARC_TEMPERROR, /* the DNS did not tell */
    DMARC_PERMERROR, /* a record that is good for nothing */
    DMARC_RESULT_COUNT
};

/* What SPF or DKIM says of an identifier. */
enum dmarc_proof {
    DMARC_PROOF_NONE, /* not proved */
    DMARC_PROOF_PASS,
    DMARC_PROOF_UNKNOWN, /* temperror: it may be proved another time */
};

struct dmarc_identifier {
    const char *domain; /* lower-case A-labels, no final dot; NULL or "": there is none */
    enum dmarc_proof proof;
};

/* Most DKIM identifiers of one request: each may take a walk. */
#define DMARC_IDENTIFIERS_MAX 16

struct dmarc_request {
    const char *author;                  /* author domain */
    struct dmarc_identifier spf;         /* of MAIL FROM */
    const struct dmarc_identifier *dkim; /* d= of each signature */
    size_t dkim_count;                   /* at most DMARC_IDENTIFIERS_MAX */
};

/* The tag that the policy is taken from. */
enum dmarc_rule { DMARC_RULE_P, DMARC_RULE_SP, DMARC_RULE_NP };

/* Everything beyond `result` and `reason` is known with pass and fail only. */
struct dmarc_outcome {
    enum dmarc_result result;
    const char *reason;             /* of none, temperror and permerror; else NULL */
    const struct dmarc_name *found; /* where the policy record is */
    enum dmarc_standing standing;   /* of that record */
    enum dmarc_rule rule;           /* which tag says what the owner wants */
    enum dmarc_policy published;    /* that; ABSENT: the DNS did not tell whether a passing author
                                       domain exists, so that sp or np is open */
    enum dmarc_policy policy;       /* the same after t=y: what is asked of us for failing mail */
    const char *spf_aligned;        /* the aligned identifier; NULL: none */
    const char *dkim_aligned;
};

/*
 * Evaluates one author domain.
 *
 * names: what was asked for this message before is not asked again.
 * Returns: false when memory is short. Ownership: names->arena and the request's texts.
 * Blocking: until names->deadline_us at most. Threads: any.
 */
bool dmarc_evaluate(struct dmarc_outcome *outcome, struct dmarc_names *names,
                    const struct dmarc_request *request);

/* Returns the word of a result: "none", "pass", "fail", "temperror", "permerror". */
const char *dmarc_result_word(enum dmarc_result result);

#endif
