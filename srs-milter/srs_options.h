#ifndef SRS_SRS_OPTIONS_H
#define SRS_SRS_OPTIONS_H

#include "common/base/netset.h"
#include "common/mail/pattern.h"
#include "common/milter/module.h"
#include "common/milter/policy.h"
#include "srs-milter/srs.h"

/* The section "srs": what the file says, and what is made of it. */

/* What may be refused. */
enum srs_policy { SRS_POLICY_FORGED, SRS_POLICY_EXPIRED, SRS_POLICY_MALFORMED, SRS_POLICY_UNSENT };

/* What becomes of a message with recipients of both kinds: it has one envelope sender. */
enum srs_mixed {
    SRS_MIXED_REWRITE, /* all get the rewritten sender */
    SRS_MIXED_KEEP,    /* all get the sender as it came */
    SRS_MIXED_SPLIT,   /* recipients of the other kind are told to come in a message of their own */
};

struct srs_conf {
    struct am_policy policy; /* at enum srs_policy */
    const char *domain, *secrets;
    int separator; /* a character */
    int digest;    /* enum srs_digest */
    int64_t hash_length, hash_minimum;
    int64_t max_age_ms;
    struct am_strlist forward_recipients, own_senders;
    struct am_netlist forward_clients, exempt_clients;
    int mixed; /* enum srs_mixed */
    bool reverse;
    struct am_strlist sign_senders;
    struct am_netlist sign_clients;
    struct am_strlist unsent_exempt;
};

/* Made once, read by all connections. */
struct srs_derived {
    struct srs_scheme scheme;
    struct am_patterns *forward_recipients, *own_senders, *sign_senders, *unsent_exempt;
    struct am_patterns *sign_domains; /* those of sign_senders */
    struct am_netset *forward_clients, *exempt_clients, *sign_clients;
};

/* The rows, ended with zeros. */
extern const struct am_option srs_options[];

/* Judges the options together. Returns false with a sentence. */
bool srs_conf_check(const void *conf, const struct am_config *config, struct am_problem *problem);

/*
 * Reads the secrets and compiles the lists; without srs.domain there is nothing to do and nothing
 * is read. The file of secrets is watched. Returns false with a sentence.
 */
bool srs_conf_open(const void *conf, const struct am_conf_env *env, void **derived,
                   struct am_problem *problem);

/*
 * Makes the scheme of a configuration. Returns false with a sentence. Blocking: reads the secrets.
 * Ownership: `arena`.
 */
bool srs_conf_scheme(const struct srs_conf *conf, struct am_arena *arena, struct srs_scheme *scheme,
                     struct am_problem *problem) AM_MUST_USE;

/* Tells whether bounces to a domain come back to us: the SRS domain, or one whose senders sign. */
bool srs_conf_domain_is_ours(const struct srs_derived *derived, struct am_arena *arena,
                             const struct am_address *recipient);

#endif
