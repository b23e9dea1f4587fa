#include "common/milter/policy.h"

const struct am_choice am_policy_choices[] = {
    {"accept", AM_POLICY_ACCEPT},     {"reject", AM_POLICY_REJECT},
    {"tempfail", AM_POLICY_TEMPFAIL}, {"quarantine", AM_POLICY_QUARANTINE},
    {"observe", AM_POLICY_OBSERVE},   {NULL, 0}};

const struct am_choice am_policy_override_choices[] = {{"inherit", AM_POLICY_INHERIT},
                                                       {"accept", AM_POLICY_ACCEPT},
                                                       {"reject", AM_POLICY_REJECT},
                                                       {"tempfail", AM_POLICY_TEMPFAIL},
                                                       {"quarantine", AM_POLICY_QUARANTINE},
                                                       {"observe", AM_POLICY_OBSERVE},
                                                       {NULL, 0}};

bool am_policy_is_severer(enum am_policy_action a, enum am_policy_action b)
{
    static const unsigned char severity[] = {
        [AM_POLICY_ACCEPT] = 0,   [AM_POLICY_OBSERVE] = 1, [AM_POLICY_QUARANTINE] = 2,
        [AM_POLICY_TEMPFAIL] = 3, [AM_POLICY_REJECT] = 4,  [AM_POLICY_INHERIT] = 0,
    };

    return severity[a] > severity[b];
}

enum am_policy_action am_policy_observed(bool transient)
{
    return transient ? AM_POLICY_TEMPFAIL : AM_POLICY_REJECT;
}

const char *am_policy_word(enum am_policy_action action)
{
    static const char *const words[] = {"accept",     "reject",  "tempfail",
                                        "quarantine", "observe", "inherit"};

    return words[action];
}
