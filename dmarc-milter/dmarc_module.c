#include "dmarc-milter/dmarc_module.h"

#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_list.h"
#include "dmarc-milter/dmarc_module_state.h"

/*
 * The glue. From, List-Id and results of others are read while the header passes by; everything is
 * decided at the end, when SPF and DKIM have said what they found.
 */

/* --- configuration --- */

/* Everything is decided at the end of the message: the MTA never waits before it. */
static unsigned stages_answered(const void *values, const void *object)
{
    (void)values;
    (void)object;
    return 0;
}

static unsigned stages_wanted(const void *values, const void *object)
{
    const struct dmarc_derived *derived = object;
    unsigned stages = AM_STAGE_ENVFROM | AM_STAGE_HEADER | AM_STAGE_EOM;

    (void)values;
    if ((am_overrides_possible(derived->overrides, UINT32_MAX) & AM_POLICY_DEEDS) != 0)
        stages |= AM_STAGE_ENVRCPT;
    return stages;
}

/* --- the envelope --- */

/* Returns why the message is not evaluated, or NULL. */
static const char *exemption(struct am_ctx *ctx)
{
    const struct dmarc_conf *conf = am_ctx_conf(ctx);
    const struct dmarc_derived *derived = am_ctx_derived(ctx);
    const struct am_conn_info *info = am_ctx_conn(ctx);

    if (info->role == AM_ROLE_SUBMISSION)
        return "submission";
    if (conf->exempt_authenticated && info->auth_user[0] != '\0')
        return "authenticated";
    /* A client whose address the MTA does not know may be anybody. */
    if (conf->exempt_local && info->is_local &&
        (info->client.family != 0 || strcmp(info->client_name, "unknown") != 0))
        return "local";
    if (am_netset_find(derived->exempt_networks, &info->client) != AM_TABLE_NONE)
        return "network";
    return NULL;
}

static enum am_verdict leave_out(struct am_ctx *ctx, const char *why)
{
    am_ctx_note(ctx, "exempt", "%s", why);
    am_ctx_count(ctx, "exempt", why, 1);
    return AM_DONE;
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const char *why = exemption(ctx);

    if (am_ctx_msg_state(ctx) == NULL)
        return AM_FAIL;
    return why == NULL ? AM_CONTINUE : leave_out(ctx, why);
}

static enum am_verdict on_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    struct dmarc_msg_state *state = am_ctx_msg_state(ctx);

    (void)params;
    if (rejected)
        return AM_CONTINUE;
    return am_recipients_add(&state->recipients, am_ctx_arena(ctx), recipient, false) ? AM_CONTINUE
                                                                                      : AM_FAIL;
}

/* --- the header --- */

static bool is(const struct am_header *field, const char *name)
{
    return am_span_equal_nocase(am_span_trim(field->name), am_span_str(name));
}

static void read_results(struct am_ctx *ctx, struct dmarc_msg_state *state, struct am_span value)
{
    const struct dmarc_conf *conf = am_ctx_conf(ctx);

    if (conf->trusted_authserv_ids.count > 0 && (int64_t)state->received <= conf->trusted_hops)
        dmarc_claims_add_field(&state->others, am_ctx_arena(ctx), value,
                               conf->trusted_authserv_ids.items, conf->trusted_authserv_ids.count,
                               am_ctx_msg(ctx)->sender.is_null);
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct dmarc_msg_state *state = am_ctx_msg_state(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);

    if (is(field, "from")) {
        if (!dmarc_from_add(&state->from, arena, field->value))
            return AM_FAIL;
    } else if (is(field, "received")) {
        state->received++;
    } else if (is(field, "authentication-results")) {
        read_results(ctx, state, field->value);
    } else if (is(field, "list-id") && !state->is_list_read) {
        state->is_list_read = true;
        state->list_id = dmarc_list_id(arena, field->value);
    }
    return AM_CONTINUE;
}

/* --- the end --- */

/* What the checks beside us found counts; where one does not run, what others found. */
static void choose_claims(struct am_ctx *ctx, struct dmarc_msg_state *state)
{
    const struct dmarc_claims *others = &state->others;
    struct dmarc_claims *claims = &state->claims;

    dmarc_claims_add_results(claims, am_ctx_arena(ctx), am_ctx_results(ctx),
                             am_ctx_msg(ctx)->sender.is_null);
    if (!claims->spf_known) {
        claims->spf_known = others->spf_known;
        claims->spf = others->spf;
        claims->spf_is_helo = others->spf_is_helo;
    }
    if (!claims->dkim_known) {
        claims->dkim_known = others->dkim_known;
        memcpy(claims->dkim, others->dkim, sizeof(claims->dkim));
        claims->dkim_count = others->dkim_count;
        claims->dkim_left_out = others->dkim_left_out;
    }
    claims->no_memory = claims->no_memory || others->no_memory;
    if (!claims->spf_known || !claims->dkim_known)
        state->unchecked = claims->spf_known ? "dkim" : claims->dkim_known ? "spf" : "spf and dkim";
}

/* How much an outcome weighs among those of several authors. */
static int weight(const struct dmarc_outcome *outcome)
{
    if (outcome->result == DMARC_FAIL)
        return outcome->policy == DMARC_POLICY_REJECT       ? 6
               : outcome->policy == DMARC_POLICY_QUARANTINE ? 5
                                                            : 3;
    return outcome->result == DMARC_TEMPERROR   ? 4
           : outcome->result == DMARC_PERMERROR ? 2
           : outcome->result == DMARC_NONE      ? 1
                                                : 0;
}

static bool evaluate(struct am_ctx *ctx, struct dmarc_msg_state *state)
{
    const struct dmarc_conf *conf = am_ctx_conf(ctx);
    const struct dmarc_claims *claims = &state->claims;
    struct dmarc_identifier dkim[DMARC_IDENTIFIERS_MAX];
    size_t count = claims->dkim_count;
    struct dmarc_names names = {
        .resolver = am_ctx_resolver(ctx),
        .arena = am_ctx_arena(ctx),
        .deadline_us = am_deadline_earlier(
            am_ctx_deadline_us(ctx), am_deadline_in_ms(am_ctx_clock(ctx), conf->time_limit_ms)),
    };
    struct dmarc_request request = {.spf = {claims->spf.domain, claims->spf.proof}, .dkim = dkim};

    for (size_t i = 0; i < count; i++)
        dkim[i] = (struct dmarc_identifier){claims->dkim[i].domain, claims->dkim[i].proof};
    for (size_t i = 0; i < state->from.count; i++) {
        const struct dmarc_identifier open = {state->from.domains[i], DMARC_PROOF_UNKNOWN};

        request.author = state->from.domains[i];
        /* RFC 9989 section 5.3.3: what was not checked might have passed, so it is no fail. */
        if (!claims->spf_known)
            request.spf = open;
        if (!claims->dkim_known)
            dkim[0] = open;
        request.dkim_count = claims->dkim_known ? count : 1;
        if (!dmarc_evaluate(&state->outcomes[i], &names, &request))
            return false;
        if (weight(&state->outcomes[i]) > weight(&state->outcomes[state->worst]))
            state->worst = i;
    }
    state->queries = names.queries;
    return true;
}

/*
 * RFC 9989 section 4.4: nothing aligns with a message that is not valid by RFC 5322, so that a pass
 * of one of its authors is none. A fail stays one: nobody escapes a policy by being malformed.
 */
static void judge_form(struct am_ctx *ctx, struct dmarc_msg_state *state)
{
    state->fault = dmarc_from_fault(&state->from);
    if (state->fault == NULL && am_ctx_msg(ctx)->headers_cut)
        state->fault = "header too long to be read whole";
    for (size_t i = 0; state->fault != NULL && i < state->from.count; i++)
        if (state->outcomes[i].result == DMARC_PASS) {
            state->outcomes[i].result = DMARC_PERMERROR;
            state->outcomes[i].reason = state->fault;
        }
}

/* What can be reported is kept; for want of memory a report is the poorer, and mail goes on. */
static void keep_rows(struct am_ctx *ctx, const struct dmarc_msg_state *state)
{
    const struct dmarc_derived *derived = am_ctx_derived(ctx);
    struct dmarc_row row;

    for (size_t i = 0; derived->store != NULL && i < state->from.count; i++) {
        enum dmarc_result result = state->outcomes[i].result;

        if ((result == DMARC_PASS || result == DMARC_FAIL) &&
            (!dmarc_module_row(ctx, state, i, &row) || !dmarc_store_add(derived->store, &row)))
            am_ctx_note(ctx, "row", "lost");
    }
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct dmarc_msg_state *state = am_ctx_msg_state(ctx);

    /* Mail that is signed here leaves here: the policy is our own, for others to apply. */
    if (am_ctx_is_outgoing(ctx))
        return leave_out(ctx, "outgoing");
    choose_claims(ctx, state);
    if (state->claims.no_memory || !evaluate(ctx, state))
        return AM_FAIL;
    judge_form(ctx, state);
    enum am_verdict verdict = dmarc_module_rule(ctx, state);
    dmarc_module_report(ctx, state);
    keep_rows(ctx, state);
    return verdict;
}

static const char *const after[] = {"spf", "dkim", NULL};

const struct am_module dmarc_module = {
    .abi = AM_MODULE_ABI,
    .name = "dmarc",
    .summary = "checks that SPF or DKIM agree with the author's domain (DMARC, RFC 9989)",
    .options = dmarc_options,
    .conf_size = sizeof(struct dmarc_conf),
    .extra_sections = dmarc_extra_sections,
    .conf_check = dmarc_conf_check,
    .conf_open = dmarc_conf_open,
    .conf_close = dmarc_conf_close,
    .msg_size = sizeof(struct dmarc_msg_state),
    .actions = AM_ACTION_QUARANTINE,
    .after = after,
    .answers = stages_answered,
    .wants = stages_wanted,
    .envfrom = on_envfrom,
    .envrcpt = on_envrcpt,
    .header = on_header,
    .eom = on_eom,
};
