#ifndef DKIM_DKIM_OPTIONS_H
#define DKIM_DKIM_OPTIONS_H

#include "common/base/config.h"
#include "common/base/option.h"
#include "common/milter/override.h"
#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_verify.h"

/* Section "dkim" and the repeated section "dkim_override" of the configuration file. */

/*
 * Places in the policy: each result of a message has its own number (enum dkim_result; `pass` has
 * no option and is always accepted), and behind them stands require_aligned_action.
 */
#define DKIM_POLICY_UNALIGNED DKIM_RESULT_COUNT

enum dkim_engine_choice { DKIM_ENGINE_BUILTIN, DKIM_ENGINE_LIBOPENDKIM };

struct dkim_conf {
    int engine; /* enum dkim_engine_choice */
    struct am_policy policy;
    struct am_strlist require_aligned;
    const char *reply_text;
    int partial_body_passes; /* 1: an l= that leaves content unsigned may pass */
    int64_t max_signatures, max_keys, max_signed_names, min_key_bits;
    int64_t clock_skew_ms;
    int64_t time_limit_ms;
    bool exempt_authenticated, exempt_local;
    struct am_netlist exempt_networks;
    const char *override_map;

    int mode; /* enum dkim_mode */
    bool sign_authenticated, sign_local;
    struct am_netlist sign_networks;
    struct am_strlist sign_daemons;
    const char *key_directory, *key_table, *signing_table;
    const char *managed_keys;
    int64_t managed_check_ms, managed_keep_ms, unpublished_grace_ms;
    int unpublished_key; /* enum dkim_unpublished_action */
    struct am_strlist managed_nameservers;
    int sign_by; /* enum dkim_sign_by */
    struct am_strlist sign_headers, oversign_headers;
    int sign_canonicalization; /* DKIM_CANON_PAIR() */
    int64_t sign_expire_ms;    /* 0: no x= */
    bool sign_timestamp, sign_copied_headers;
    int login_binding; /* enum dkim_login_binding */
    const char *login_map;
    int login_mismatch, unusable_from; /* enum dkim_unsigned_action */
    bool sign_again;
};

/* Whose keys sign: those of the From field or of MAIL FROM. */
enum dkim_sign_by { DKIM_SIGN_BY_FROM, DKIM_SIGN_BY_ENVELOPE };

/* What is done with mail that is ours and must not be signed. */
enum dkim_unsigned_action { DKIM_UNSIGNED_PASS_ON, DKIM_UNSIGNED_REJECT };

/* What is done with mail whose managed keys are all no longer published. */
enum dkim_unpublished_action { DKIM_UNPUBLISHED_DEFER, DKIM_UNPUBLISHED_SIGN };

/* Two canonicalisations in one number. */
#define DKIM_CANON_PAIR(HEADER, BODY) ((HEADER)*DKIM_CANON_COUNT + (BODY))

/* Rows of section "dkim"; end with a zero row. */
extern const struct am_option dkim_options[];

/* The repeated section "dkim_override", NULL-terminated. */
extern const struct am_section *const dkim_extra_sections[];

/* Returns where the policy and its overrides come from. Ownership: points into `conf`. */
struct am_override_source dkim_options_source(const struct dkim_conf *conf);

/* Returns the engine that verifies; NULL when it was not built in. */
const struct dkim_engine *dkim_options_engine(const struct dkim_conf *conf);

/* Judges values against each other: conf_check of the module. Returns false with a sentence. */
bool dkim_options_check(const void *conf, const struct am_config *config,
                        struct am_problem *problem);

/* Returns what a message may cost by a configuration. */
struct dkim_limits dkim_options_limits(const struct dkim_conf *conf);

#endif
