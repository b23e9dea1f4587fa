#include "spf-milter/spf_policy.h"

/* How severe each action is, by enum spf_action. */
static const unsigned char severity[] = {
    [SPF_ACTION_ACCEPT] = 0,   [SPF_ACTION_OBSERVE] = 1, [SPF_ACTION_QUARANTINE] = 2,
    [SPF_ACTION_TEMPFAIL] = 3, [SPF_ACTION_REJECT] = 4,  [SPF_ACTION_INHERIT] = 0,
};

bool spf_action_is_severer(enum spf_action a, enum spf_action b)
{
    return severity[a] > severity[b];
}

struct spf_ruling spf_policy_rule(const struct spf_policy *policy,
                                  const struct spf_finding *findings, size_t count)
{
    struct spf_ruling ruling = {SPF_ACTION_ACCEPT, NULL};

    for (size_t i = 0; i < count; i++) {
        enum spf_result result = findings[i].outcome->result;
        enum spf_action action = (enum spf_action)policy->action[findings[i].identity][result];

        if (result != SPF_PASS && spf_action_is_severer(action, ruling.action))
            ruling = (struct spf_ruling){action, &findings[i]};
    }
    return ruling;
}

enum spf_action spf_action_observed(enum spf_result result)
{
    return result == SPF_TEMPERROR ? SPF_ACTION_TEMPFAIL : SPF_ACTION_REJECT;
}

unsigned spf_policy_actions(const struct spf_policy *policy)
{
    unsigned set = 0;

    for (int identity = 0; identity < SPF_IDENTITY_COUNT; identity++)
        for (int result = 0; result < SPF_RESULT_COUNT; result++)
            if (result != SPF_PASS)
                set |= 1U << policy->action[identity][result];
    return set & ~(1U << SPF_ACTION_INHERIT);
}

const char *spf_action_word(enum spf_action action)
{
    static const char *const words[] = {"accept",     "reject",  "tempfail",
                                        "quarantine", "observe", "inherit"};

    return words[action];
}

const char *spf_identity_word(enum spf_identity identity)
{
    return identity == SPF_HELO ? "helo" : "mailfrom";
}
