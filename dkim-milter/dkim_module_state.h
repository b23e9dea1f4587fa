#ifndef DKIM_DKIM_MODULE_STATE_H
#define DKIM_DKIM_MODULE_STATE_H

#include <stdatomic.h>

#include "common/base/netset.h"
#include "common/milter/module.h"
#include "common/milter/ruling.h"
#include "dkim-milter/dkim_key_cache.h"
#include "dkim-milter/dkim_options.h"

/* What the files of the glue (dkim_module*.c) share; nobody else includes it. */

/* Made from the options once; read only, but for the cache and the flag. */
struct dkim_derived {
    const struct dkim_conf *conf;
    const struct dkim_engine *engine;
    struct dkim_limits limits;
    /* Of this configuration alone: after a reload keys are made anew, which costs microseconds. */
    struct dkim_key_cache *keys;
    struct am_netset *exempt_networks;
    struct am_patterns *require_aligned;
    struct am_overrides *overrides;
    uint32_t options; /* places of the policy that may be asked at all */
    atomic_flag told_no_blanks;
};

/* What is done with a message. Decided once; a message is never both verified and signed. */
enum dkim_role {
    DKIM_ROLE_NONE,
    DKIM_ROLE_VERIFY,
};

/* Of a message that is verified. */
struct dkim_verifying {
    bool started;
    const struct dkim_engine *engine;
    struct dkim_verify_env env;
    struct dkim_verifier *verifier; /* NULL: there is nothing to verify */
    const struct dkim_report *report;
    enum dkim_result result;             /* of the message, as the policy sees it */
    const struct dkim_outcome *decisive; /* of the signature that gave it; NULL: none did */
    int64_t finish_us; /* what waiting for keys and verifying took at the end of the message */
    struct am_recipients recipients;
    struct am_ruling_state ruled;
};

/* Of a message. */
struct dkim_msg_state {
    enum dkim_role role;
    struct dkim_fields fields; /* the whole header, raw, kept once */
    size_t signature_fields;   /* how many of them are signatures */
    struct dkim_verifying verifying;
};

/* --- dkim_module_verify.c --- */

/* Returns why a client's mail is not verified ("authenticated", "local", "network"), or NULL. */
const char *dkim_module_exempt(const struct dkim_derived *derived, const struct am_conn_info *conn);

/*
 * Begins to verify, at the end of the header: starts all key look-ups. Mail without a signature
 * costs nothing from here on. Returns: false when memory is short. Blocking: never.
 */
bool dkim_module_verify_start(struct am_ctx *ctx, struct dkim_msg_state *state) AM_MUST_USE;

/* Takes a chunk of the body. Returns: false when no further one can change anything. */
bool dkim_module_verify_body(struct dkim_msg_state *state, struct am_span chunk);

/* Ends it and fills report, result and decisive. Blocking: until the look-ups' deadline. */
void dkim_module_verify_finish(struct am_ctx *ctx, struct dkim_msg_state *state);

/* --- dkim_module_report.c --- */

/* Publishes the results and adds them to the decision line and the counters. */
void dkim_module_report(struct am_ctx *ctx, const struct dkim_msg_state *state);

/* Records that a client is exempt. */
void dkim_module_report_exempt(struct am_ctx *ctx, const char *why);

/* --- dkim_module_rule.c --- */

/* Tells whether any of a set of actions can come of the policy. */
bool dkim_module_may(const struct dkim_derived *derived, unsigned actions);

/*
 * Rules on a verified message for all its recipients at once and returns the verdict, its reply
 * set and its rule noted: the severest ruling counts.
 */
enum am_verdict dkim_module_rule(struct am_ctx *ctx, struct dkim_msg_state *state);

#endif
