#ifndef CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_OPTIONS_H
#define CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_OPTIONS_H

#include "common/base/netset.h"
#include "common/milter/module.h"
#include "common/milter/policy.h"
#include "contrib/attachment-milter/attachment.h"

/* Places of the policy. */
enum attachment_policy { ATTACHMENT_HIDDEN, ATTACHMENT_MALFORMED, ATTACHMENT_UNSEEN };

/* An action beside those of policies: the part goes, and the message goes on. */
#define ATTACHMENT_REPLACE 100

/* Section "attachment". */
struct attachment_conf {
    int action;              /* ATTACHMENT_REPLACE or enum am_policy_action */
    struct am_policy policy; /* at enum attachment_policy */
    struct am_strlist extensions, allowed_extensions;
    bool contents, archives;
    int nested, unreadable, encrypted; /* enum attachment_archives */
    int64_t max_size, max_header, max_parts, max_depth, max_entries, max_unpacked, max_ratio;
    const char *notice;
    struct am_netlist exempt_networks;
};

extern const struct am_option attachment_options[];

/* Made from the options once, then read by all connections. */
struct attachment_derived {
    struct attachment_rules rules;
    struct am_netset *exempt;
};

/* conf_open of the module. */
bool attachment_open(const void *values, const struct am_conf_env *env, void **result,
                     struct am_problem *problem);

/* conf_check of the module. */
bool attachment_check(const void *values, const struct am_config *config,
                      struct am_problem *problem);

#endif
