#ifndef SPF_SPF_OVERRIDE_H
#define SPF_SPF_OVERRIDE_H

#include "common/base/netset.h"
#include "common/mail/pattern.h"
#include "spf-milter/spf_options.h"

/*
 * Overrides: another policy for some clients, senders or recipients, from the
 * configuration's `override` sections and from a map file. For each option, the first rule
 * that matches and says something other than `inherit` decides: sections in file order,
 * then the rows of the map. Of the map's rows only the most specific one for the client,
 * for the sender and for the recipient count, taken in the order they stand in.
 *
 * Threads: opening one; reading any.
 */
struct spf_overrides;

/* One rule: a section or a row of the map. */
struct spf_override_rule {
    const char *source; /* title of the section, or path of the map */
    unsigned line;      /* of the map; 0 for a section */
    unsigned char action[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT]; /* enum spf_action */
};

/* What a rule is matched against. */
struct spf_facts {
    struct am_arena *arena; /* for short-lived conversions of names */
    struct am_ip client;
    const struct am_address *sender;
    const struct am_address *recipient; /* NULL: not known; rules with recipients do not match */
};

/* The policy that applies, and the rule each part comes from (NULL: section "spf"). */
struct spf_effective {
    struct spf_policy policy;
    const struct spf_override_rule *rule[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT];
};

/*
 * Compiles the sections and reads the map file (an empty path: none).
 *
 * Returns: NULL with a sentence; for the map it begins with "path:line:".
 * Ownership: lives as long as `arena`. Blocking: reads the file.
 */
struct spf_overrides *spf_overrides_open(struct am_arena *arena, const struct am_config *config,
                                         const struct spf_conf *conf,
                                         struct am_problem *problem) AM_MUST_USE;

/* Tells whether there is no rule at all. */
bool spf_overrides_is_empty(const struct spf_overrides *overrides);

/* Fills `effective` with the base policy changed by every rule that matches. */
void spf_overrides_apply(const struct spf_overrides *overrides, const struct spf_policy *base,
                         const struct spf_facts *facts, struct spf_effective *effective);

/* Returns the set (1 << action) of what rules may ask for with an identity and result. */
unsigned spf_overrides_actions(const struct spf_overrides *overrides, enum spf_identity identity,
                               enum spf_result result);

/* Writes the name of a rule for logs ("partners", "/etc/map:12"); NULL when memory is short. */
const char *spf_override_rule_name(struct am_arena *arena, const struct spf_override_rule *rule);

#endif
