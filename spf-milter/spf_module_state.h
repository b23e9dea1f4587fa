#ifndef SPF_SPF_MODULE_STATE_H
#define SPF_SPF_MODULE_STATE_H

#include "common/milter/module.h"
#include "common/milter/ruling.h"
#include "spf-milter/spf_exempt.h"
#include "spf-milter/spf_options.h"
#include "spf-milter/spf_relay.h"

/* What the files of the glue (spf_module*.c) share; nobody else includes it. */

/* Made from the options once; read only. */
struct spf_derived {
    const struct spf_conf *conf;
    const struct spf_engine *engine;
    struct spf_exempt *exempt;
    struct am_overrides *overrides;
    bool has_relays;
    bool wants_sparing; /* exempt_helo or exempt_senders has entries */
};

/* Of a connection. */
struct spf_conn_state {
    const char *helo; /* the cached HELO check is for this name; NULL = none */
    const struct spf_outcome *helo_outcome;
    unsigned helo_fills; /* how often the cache was filled: bounded, it lives in the connection's
                            arena */
    bool ptr_done;
    const char *ptr_name; /* forward-confirmed and exempt */
    bool warned;          /* about a private address */
};

/* Of a message. */
struct spf_msg_state {
    struct am_ip client; /* whose permission is checked: the client, or who spoke to the relay */
    const char *helo;
    struct spf_finding findings[SPF_IDENTITY_COUNT];
    size_t finding_count;
    const char *spared; /* why the policy does not apply; NULL = it does */
    bool evaluated;
    bool relayed;
    bool recipient_noted;
    struct am_ruling_state ruled;
    struct spf_relay_walk walk;
    struct am_recipients recipients; /* of a relayed message */
};

/* --- spf_module_check.c --- */

/*
 * Evaluates the identities of the message for state->client and state->helo and fills
 * state->findings.
 *
 * cached: the connection's cache for the HELO check, or NULL.
 * Returns: false when memory is short.
 * Blocking: until the stage's deadline or spf.time_limit.
 */
bool spf_module_check(struct am_ctx *ctx, struct spf_msg_state *state,
                      struct spf_conn_state *cached) AM_MUST_USE;

/* --- spf_module_report.c --- */

/* Publishes the findings and adds them to the decision line and the counters. */
void spf_module_report(struct am_ctx *ctx, const struct spf_msg_state *state);

/* Publishes `spf=none` with a reason for a message that could not be evaluated. */
void spf_module_report_none(struct am_ctx *ctx, const char *helo, const char *reason);

/* Records that a client or message is exempt. */
void spf_module_report_exempt(struct am_ctx *ctx, const char *why);

/* Adds the Received-SPF fields of the findings. Returns false when memory is short. */
bool spf_module_add_received(struct am_eom_ctx *eom, const struct spf_msg_state *state) AM_MUST_USE;

/* --- spf_module_rule.c --- */

/* Tells whether anything but acceptance can come of the findings. */
bool spf_module_may_act(const struct spf_derived *derived, const struct spf_msg_state *state);

/*
 * Rules on the message for one recipient (NULL: none known) and returns the verdict, its
 * reply set and its rule noted.
 */
enum am_verdict spf_module_rule(struct am_ctx *ctx, struct spf_msg_state *state,
                                const struct am_address *recipient);

/* Rules on a relayed message for all its recipients at once: the severest ruling counts. */
enum am_verdict spf_module_rule_all(struct am_ctx *ctx, struct spf_msg_state *state);

#endif
