#ifndef SPF_SPF_OPTIONS_H
#define SPF_SPF_OPTIONS_H

#include "common/base/config.h"
#include "common/base/option.h"
#include "common/milter/override.h"
#include "spf-milter/spf_finding.h"

/* Section "spf" and the repeated section "override" of the configuration file. */

enum spf_reject_at { SPF_REJECT_AT_MAIL, SPF_REJECT_AT_RCPT };
enum spf_engine_choice { SPF_ENGINE_BUILTIN, SPF_ENGINE_LIBSPF2 };

/* The place of an identity's result in the policy; `pass` has no option and is always accepted. */
#define SPF_POLICY(IDENTITY, RESULT) ((IDENTITY)*SPF_RESULT_COUNT + (RESULT))

struct spf_conf {
    int engine; /* enum spf_engine_choice */
    bool check_helo, check_mailfrom;
    struct am_policy policy; /* at SPF_POLICY() */
    int reject_at;           /* enum spf_reject_at */
    const char *reply_text;
    bool explanation;
    bool received_spf;
    int64_t max_terms, max_voids;
    int64_t time_limit_ms;
    bool prefetch;
    struct am_netlist exempt_networks;
    bool exempt_authenticated, exempt_local;
    struct am_strlist exempt_helo, exempt_ptr, exempt_senders, exempt_recipients;
    struct am_netlist trusted_relays;
    int64_t relay_max_received;
    struct am_netlist own_networks;
    bool evaluate_private;
    const char *override_map;
};

/* Rows of section "spf"; end with a zero row. */
extern const struct am_option spf_options[];

/* The repeated section "override", NULL-terminated. */
extern const struct am_section *const spf_extra_sections[];

/* Returns where the policy and its overrides come from. Ownership: points into `conf`. */
struct am_override_source spf_options_source(const struct spf_conf *conf);

/* Judges values against each other: conf_check of the module. Returns false with a sentence. */
bool spf_options_check(const void *conf, const struct am_config *config,
                       struct am_problem *problem);

#endif
