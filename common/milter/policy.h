#ifndef AM_MILTER_POLICY_H
#define AM_MILTER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/option.h"

/*
 * What to do with a message. A policy holds an action for each option of a milter such as
 * "mailfrom_fail"; which place of it belongs to which option is what the milter's rows say:
 *
 *     static const struct am_option x_options[] = {
 *         AM_POLICY_OPTION(struct x_conf, policy, X_FAIL, "fail", "accept", "what to do with
 * fail"), {0}};
 *
 * override.h adds other policies for some clients, senders and recipients, ruling.h carries out
 * what is decided.
 */

enum am_policy_action {
    AM_POLICY_ACCEPT,
    AM_POLICY_REJECT,
    AM_POLICY_TEMPFAIL,
    AM_POLICY_QUARANTINE,
    AM_POLICY_OBSERVE, /* log and count what would have been refused, do nothing */
    AM_POLICY_INHERIT, /* in overrides: whatever comes next decides */
};

/* Sets of actions hold these bits. */
#define AM_POLICY_BIT(ACTION) (1U << (ACTION))

/* The actions that refuse a message, and all that do anything. */
#define AM_POLICY_REFUSALS (AM_POLICY_BIT(AM_POLICY_REJECT) | AM_POLICY_BIT(AM_POLICY_TEMPFAIL))
#define AM_POLICY_DEEDS                                                                            \
    (AM_POLICY_REFUSALS | AM_POLICY_BIT(AM_POLICY_QUARANTINE) | AM_POLICY_BIT(AM_POLICY_OBSERVE))

/* Most options a milter's policy has; sets of options (1 << index) are of uint32_t. */
#define AM_POLICY_MAX 24

/* An action (enum am_policy_action) for each option. */
struct am_policy {
    int action[AM_POLICY_MAX];
};

/* The words of policy options: in a milter's own section, and in overrides ("inherit" too). */
extern const struct am_choice am_policy_choices[];
extern const struct am_choice am_policy_override_choices[];

/* The row of one policy option; MEMBER is the struct am_policy in STRUCT. */
#define AM_POLICY_ROW(STRUCT, MEMBER, INDEX, NAME, CHOICES, FALLBACK, HELP)                        \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_CHOICE,                                                  \
        .offset = offsetof(STRUCT, MEMBER.action[INDEX]), .choices = (CHOICES),                    \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

/* The same in the milter's own section. */
#define AM_POLICY_OPTION(STRUCT, MEMBER, INDEX, NAME, FALLBACK, HELP)                              \
    AM_POLICY_ROW(STRUCT, MEMBER, INDEX, NAME, am_policy_choices, FALLBACK, HELP)

/* Tells whether action `a` is severer than `b`: reject > tempfail > quarantine > observe > accept.
 */
bool am_policy_is_severer(enum am_policy_action a, enum am_policy_action b);

/*
 * Returns what an observed action would have been: reject, or tempfail for a transient result
 * (temperror), which must not be answered for good.
 */
enum am_policy_action am_policy_observed(bool transient);

/* Returns an action's word in the configuration: "accept", ... */
const char *am_policy_word(enum am_policy_action action);

#endif
