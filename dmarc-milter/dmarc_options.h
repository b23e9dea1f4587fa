#ifndef DMARC_DMARC_OPTIONS_H
#define DMARC_DMARC_OPTIONS_H

#include "common/base/netset.h"
#include "common/mail/pattern.h"
#include "common/milter/override.h"
#include "dmarc-milter/dmarc_store.h"

/* Sections "dmarc" and "dmarc_override": what the file says, and what is made of it. */

/* What may be done something about. */
enum dmarc_case {
    DMARC_CASE_REJECT,     /* fail, and the policy is reject */
    DMARC_CASE_QUARANTINE, /* fail, and the policy is quarantine */
    DMARC_CASE_TEMPERROR,
    DMARC_CASE_MALFORMED, /* From is not as RFC 5322 has it */
    DMARC_CASE_COUNT
};

struct dmarc_conf {
    struct am_policy policy; /* at enum dmarc_case */
    const char *override_map, *reply_text;
    struct am_strlist trusted_authserv_ids;
    int64_t trusted_hops;
    struct am_netlist forwarders, list_clients;
    struct am_strlist lists;
    struct am_netlist exempt_networks;
    bool exempt_authenticated, exempt_local;
    int64_t time_limit_ms;
    const char *report_store, *report_group;
    int64_t report_keep_ms;
};

/* Made once, read by all connections. */
struct dmarc_derived {
    struct am_overrides *overrides;
    struct am_netset *forwarders, *list_clients, *exempt_networks;
    struct am_patterns *lists;
    struct dmarc_store *store; /* rows for aggregate reports; NULL: none are kept */
};

/* The rows of section "dmarc", ended with zeros. */
extern const struct am_option dmarc_options[];

/* The repeated section "dmarc_override", NULL-terminated. */
extern const struct am_section *const dmarc_extra_sections[];

/* Judges the options together. Returns false with a sentence. */
bool dmarc_conf_check(const void *conf, const struct am_config *config, struct am_problem *problem);

/*
 * Compiles the lists, reads the map, and opens the store of rows, unless the former configuration
 * had the same. Returns false with a sentence. Blocking: reads the file.
 */
bool dmarc_conf_open(const void *conf, const struct am_conf_env *env, void **derived,
                     struct am_problem *problem);

/* Releases what dmarc_conf_open() made beside the arena. Blocking: as dmarc_store_drop(). */
void dmarc_conf_close(void *derived);

/* Returns the name of the option of a case: "fail_reject". */
const char *dmarc_case_word(enum dmarc_case index);

#endif
