#ifndef SPF_SPF_POLICY_H
#define SPF_SPF_POLICY_H

#include <stdbool.h>

#include "spf-milter/spf.h"

/* What to do with a message, by identity and result. */

enum spf_action {
    SPF_ACTION_ACCEPT,
    SPF_ACTION_REJECT,
    SPF_ACTION_TEMPFAIL,
    SPF_ACTION_QUARANTINE,
    SPF_ACTION_OBSERVE, /* log and count what would have been refused, do nothing */
    SPF_ACTION_INHERIT, /* in overrides: whatever comes next decides */
};

#define SPF_IDENTITY_COUNT 2

/* An action (enum spf_action) for each identity and result; `pass` is always accepted. */
struct spf_policy {
    int action[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT];
};

/* What SPF found about one identity of a message. */
struct spf_finding {
    enum spf_identity identity; /* whose options apply */
    const struct spf_outcome *outcome;
};

/* What follows from the findings. */
struct spf_ruling {
    enum spf_action action;            /* ACCEPT when nothing is to be done */
    const struct spf_finding *finding; /* that asked for it; NULL with ACCEPT */
};

/*
 * Applies a policy to findings: the severest action wins (reject, tempfail,
 * quarantine, observe, accept), among equals the first finding.
 *
 * Ownership: the ruling points into `findings`.
 */
struct spf_ruling spf_policy_rule(const struct spf_policy *policy,
                                  const struct spf_finding *findings, size_t count);

/* Tells whether action `a` is severer than `b`. */
bool spf_action_is_severer(enum spf_action a, enum spf_action b);

/*
 * Returns what an observed action would have been: reject, or tempfail for a
 * temperror, which must not be answered for good.
 */
enum spf_action spf_action_observed(enum spf_result result);

/* Adds to `set` (1 << action) every action a policy holds, `inherit` apart. */
unsigned spf_policy_actions(const struct spf_policy *policy);

/* Returns an action's word in the configuration: "accept", ... */
const char *spf_action_word(enum spf_action action);

/* Returns an identity's word in logs: "mailfrom", "helo". */
const char *spf_identity_word(enum spf_identity identity);

#endif
