#ifndef DKIM_DKIM_MODULE_STATE_H
#define DKIM_DKIM_MODULE_STATE_H

#include <stdatomic.h>

#include "common/base/netset.h"
#include "common/milter/module.h"
#include "common/milter/ruling.h"
#include "dkim-milter/dkim_body_look.h"
#include "dkim-milter/dkim_key_cache.h"
#include "dkim-milter/dkim_options.h"
#include "dkim-milter/dkim_module_signing.h"

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
    struct dkim_signing *signing;
};

/* Of a connection: what was told already. */
struct dkim_conn_state {
    bool told_8bit, told_long;
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

/* Why a message of ours is not signed. */
enum dkim_unsigned {
    DKIM_UNSIGNED_FROM,
    DKIM_UNSIGNED_KEY,
    DKIM_UNSIGNED_LOGIN,
    DKIM_UNSIGNED_HEADER_SIZE,
    DKIM_UNSIGNED_UNPUBLISHED,
};

/* Of a message that is ours to sign. */
struct dkim_signing_state {
    bool started;
    struct am_address address; /* whom it is signed for */
    const char *domain;        /* of it, in lower-case A-labels */
    struct dkim_keys_choice choice;
    struct dkim_signer *signer; /* NULL: it is not signed */
    enum dkim_unsigned kind;    /* and why not, then */
    const char *why_not;
    bool refuse; /* and it is refused; deferred with DKIM_UNSIGNED_UNPUBLISHED */
    bool failed; /* memory was short */
    struct dkim_verify_env again_env;
    struct dkim_verifier *again;              /* of our own earlier signatures; or NULL */
    bool left_out[DKIM_KEYS_PER_MESSAGE_MAX]; /* such a one is valid */
    struct dkim_body_look look;
};

/* Of a message. */
struct dkim_msg_state {
    enum dkim_role role;       /* decided once; a message is never both verified and signed */
    const char *not_ours;      /* why it is not ours to sign; or NULL */
    struct dkim_fields fields; /* the whole header, raw, kept once */
    size_t signature_fields;   /* how many of them are signatures */
    struct dkim_verifying verifying;
    struct dkim_signing_state signing;
};

/* --- dkim_module_verify.c --- */

/* Tells whether mail was submitted on this machine, and not by a client without an address. */
bool dkim_module_is_local(const struct am_conn_info *conn);

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

/* --- dkim_module_decide.c --- */

/*
 * Decides whether a message of ours is signed and fills `state` with the keys, or with why not.
 * fields: prepared. Returns: whether it is signed.
 */
bool dkim_module_decide(struct am_ctx *ctx, const struct dkim_fields *fields,
                        struct dkim_signing_state *state) AM_MUST_USE;

/* Returns the domain that a message would have been signed for had it been ours, or NULL. */
const char *dkim_module_would_sign(struct am_ctx *ctx, struct dkim_msg_state *message);

/* --- dkim_module_sign.c --- */

/*
 * Begins to sign, at the end of the header.
 *
 * Returns: CONTINUE; DONE when the message stays unsigned; FAIL when memory is short.
 * Blocking: never.
 */
enum am_verdict dkim_module_sign_start(struct am_ctx *ctx, struct dkim_msg_state *message);

/* Takes a chunk of the body. Returns: false when no further one can change anything. */
bool dkim_module_sign_body(struct am_ctx *ctx, struct dkim_msg_state *message,
                           struct am_span chunk);

/*
 * Adds the signatures and returns the verdict: REJECT or TEMPFAIL for what is not signed and
 * refused for it, FAIL when a signature could not be made. Blocking: when the message came with a
 * signature of ours, until the look-up's deadline.
 */
enum am_verdict dkim_module_sign_finish(struct am_eom_ctx *eom, struct dkim_msg_state *message);

/* --- dkim_module_changes.c --- */

/*
 * Makes the header that goes out of the one that came in, where a module that was called before has
 * changed it. Before dkim_fields_prepare(). Returns: false when memory is short.
 */
bool dkim_module_apply_changes(struct am_ctx *ctx, struct dkim_fields *fields);

/* --- dkim_module_again.c --- */

/* Begins to verify our own earlier signatures, if there are any. Returns: false when memory is
 * short. */
bool dkim_module_again_start(struct am_ctx *ctx, const struct dkim_msg_state *message,
                             struct dkim_signing_state *state) AM_MUST_USE;

/* Takes those keys back that have a valid signature already. Returns how many. Blocking: until the
 * look-up's deadline. */
size_t dkim_module_again_finish(struct am_ctx *ctx, struct dkim_signing_state *state);

/* --- dkim_module_sign_report.c --- */

/* Says why a message of ours is not signed. */
void dkim_module_report_unsigned(struct am_ctx *ctx, const struct dkim_signing_state *state);

/* Says with what it was signed; `values` as dkim_signer_finish() left them. */
void dkim_module_report_signed(struct am_ctx *ctx, const struct dkim_signing_state *state,
                               const char *const *values);

/* Says of a message that is verified why it was not signed, when there is a key for its author. */
void dkim_module_report_not_ours(struct am_ctx *ctx, struct dkim_msg_state *message);

#endif
