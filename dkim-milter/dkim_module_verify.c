#include "common/mail/pattern.h"
#include "dkim-milter/dkim_module_state.h"

/*
 * A client of which the MTA knows no address is "unknown" to Postfix (XCLIENT without one, a
 * connection that broke): it came over the network, unlike the local mail that has none.
 */
bool dkim_module_is_local(const struct am_conn_info *conn)
{
    bool has_no_name = am_span_equal(am_span_str(conn->client_name), am_span_str("unknown"));

    return conn->is_local && !(conn->client.family == 0 && has_no_name);
}

const char *dkim_module_exempt(const struct dkim_derived *derived, const struct am_conn_info *conn)
{
    if (derived->conf->exempt_authenticated && conn->auth_user[0] != '\0')
        return "authenticated";
    if (derived->conf->exempt_local && dkim_module_is_local(conn))
        return "local";
    if (am_netset_find(derived->exempt_networks, &conn->client) != AM_TABLE_NONE)
        return "network";
    return NULL;
}

bool dkim_module_verify_start(struct am_ctx *ctx, struct dkim_msg_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    const struct dkim_conf *conf = derived->conf;
    struct dkim_verifying *verifying = &state->verifying;

    verifying->started = true;
    /* Without a signature only require_aligned wants to know who the author is. */
    if (state->signature_fields == 0 && am_patterns_is_empty(derived->require_aligned))
        return true;
    if (!dkim_fields_prepare(&state->fields))
        return false;
    int64_t end_us = am_deadline_in_ms(am_ctx_clock(ctx), conf->time_limit_ms);
    verifying->env = (struct dkim_verify_env){
        .arena = am_ctx_arena(ctx),
        .resolver = am_ctx_resolver(ctx),
        .clock = am_ctx_clock(ctx),
        .keys = derived->keys,
        .limits = &derived->limits,
        .partial_body_passes = conf->partial_body_passes,
        .headers_cut = am_ctx_msg(ctx)->headers_cut,
        .lookup_deadline_us = am_deadline_earlier(am_ctx_deadline_us(ctx), end_us),
    };
    verifying->verifier = derived->engine->start(&verifying->env, &state->fields);
    verifying->engine = derived->engine;
    return verifying->verifier != NULL;
}

bool dkim_module_verify_body(struct dkim_msg_state *state, struct am_span chunk)
{
    struct dkim_verifying *verifying = &state->verifying;

    if (verifying->verifier == NULL || !verifying->engine->wants_body(verifying->verifier))
        return false;
    verifying->engine->body(verifying->verifier, chunk);
    return true;
}

/*
 * A signature that fails under a key in testing counts for the policy as if it were not there
 * (RFC 6376 section 3.6.1).
 */
static bool counts(const struct dkim_outcome *outcome)
{
    return outcome->result == DKIM_PASS || !outcome->testing;
}

/* Finds the message's result for the policy and the first signature that gave it. */
static void judge(struct am_ctx *ctx, struct dkim_verifying *verifying)
{
    const struct dkim_report *report = verifying->report;
    unsigned seen = 0;

    for (size_t i = 0; i < report->count; i++)
        if (counts(&report->outcomes[i]))
            seen |= 1U << report->outcomes[i].result;
    verifying->result = dkim_report_best_of(seen);
    for (size_t i = 0; i < report->count && verifying->decisive == NULL; i++)
        if (counts(&report->outcomes[i]) && report->outcomes[i].result == verifying->result)
            verifying->decisive = &report->outcomes[i];
    /* Beyond the limits of milter.max_headers there may be signatures we were not shown. */
    if (verifying->result == DKIM_NONE && am_ctx_msg(ctx)->headers_cut)
        verifying->result = DKIM_POLICY;
}

void dkim_module_verify_finish(struct am_ctx *ctx, struct dkim_msg_state *state)
{
    static const struct dkim_report unsigned_mail = {.best = DKIM_NONE};
    struct dkim_verifying *verifying = &state->verifying;

    verifying->report = &unsigned_mail;
    if (verifying->verifier != NULL) {
        int64_t start_us = am_clock_now_us(am_ctx_clock(ctx));
        verifying->report = verifying->engine->finish(verifying->verifier);
        verifying->finish_us = am_clock_now_us(am_ctx_clock(ctx)) - start_us;
    }
    judge(ctx, verifying);
}
