#include "spf-milter/spf_module.h"

#include "spf-milter/spf_module_state.h"

/* --- configuration --- */

static bool open_conf(const void *values, const struct am_conf_env *env, void **result,
                      struct am_problem *problem)
{
    const struct spf_conf *conf = values;
    struct am_override_source source = spf_options_source(conf);
    struct spf_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    derived->conf = conf;
    derived->engine =
        conf->engine == SPF_ENGINE_BUILTIN ? &spf_engine_builtin : spf_engine_find("libspf2");
    if (derived->engine == NULL)
        return am_problem_set(problem, "spf.engine: this engine was not built in");
    derived->exempt = spf_exempt_open(env->arena, conf, problem);
    if (derived->exempt == NULL)
        return false;
    derived->overrides = am_overrides_open(env, &source, problem);
    if (derived->overrides == NULL)
        return false;
    derived->has_relays = conf->trusted_relays.count > 0;
    derived->wants_sparing = conf->exempt_helo.count > 0 || conf->exempt_senders.count > 0;
    *result = derived;
    return true;
}

/* Tells whether anything of a set of actions can come of the policy. */
static bool may(const struct spf_derived *derived, unsigned actions)
{
    return (am_overrides_possible(derived->overrides, UINT32_MAX) & actions) != 0;
}

/* With the default policy nothing but MAIL is asked for: every further event costs each message. */
static unsigned stages_wanted(const void *values, const void *object)
{
    const struct spf_conf *conf = values;
    const struct spf_derived *derived = object;
    unsigned stages = AM_STAGE_ENVFROM;

    if (conf->reject_at == SPF_REJECT_AT_RCPT && may(derived, AM_POLICY_DEEDS))
        stages |= AM_STAGE_ENVRCPT;
    if (derived->has_relays)
        stages |= AM_STAGE_HEADER | AM_STAGE_EOM;
    if (conf->received_spf)
        stages |= AM_STAGE_EOM;
    return stages;
}

static unsigned stages_answered(const void *values, const void *object)
{
    const struct spf_conf *conf = values;

    if (!may(object, AM_POLICY_REFUSALS))
        return 0;
    return conf->reject_at == SPF_REJECT_AT_MAIL ? AM_STAGE_ENVFROM : AM_STAGE_ENVRCPT;
}

/* --- a message --- */

/* Says once per connection what is wrong when everybody seems to come from inside. */
static void warn_private(struct am_ctx *ctx, struct spf_conn_state *conn,
                         enum spf_address_kind kind, const char *address)
{
    if (conn == NULL || conn->warned)
        return;
    conn->warned = true;
    am_ctx_log(ctx, AM_LOG_WARNING,
               "client address %s is %s, so SPF cannot tell who sends: if mail from outside "
               "arrives like this, NAT or a container proxy hides its clients; hand the true "
               "address on with the PROXY protocol (Postfix: smtpd_upstream_proxy_protocol), with "
               "XCLIENT, or with Docker's userland-proxy off; if the client is one of your own "
               "machines, name it in spf.exempt_networks or spf.trusted_relays",
               address, kind == SPF_ADDRESS_OWN ? "one of our own" : "a private one");
}

/* Handles a client whose address says nothing about the sender; false: evaluate it. */
static bool handled_as_private(struct am_ctx *ctx, struct spf_msg_state *state,
                               struct spf_conn_state *conn)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    enum spf_address_kind kind = spf_exempt_address(derived->exempt, &state->client);
    char address[AM_IP_TEXT_MAX];
    const char *reason;

    if (kind == SPF_ADDRESS_PUBLIC)
        return false;
    am_ip_format(&state->client, address);
    state->spared = "private address";
    if (derived->conf->evaluate_private && kind != SPF_ADDRESS_UNKNOWN)
        return false;
    if (kind == SPF_ADDRESS_UNKNOWN) {
        reason = "client address is not known";
    } else {
        warn_private(ctx, state->relayed ? NULL : conn, kind, address);
        reason = am_arena_printf(am_ctx_arena(ctx), "client address %s is %s", address,
                                 kind == SPF_ADDRESS_OWN ? "our own" : "private");
    }
    spf_module_report_none(ctx, state->helo, reason == NULL ? "client address is private" : reason);
    am_ctx_count(ctx, "not_evaluated", "private", 1);
    return true;
}

/* Looks the PTR name up, once per connection unless a relay's client is asked about. */
static const char *exempt_ptr_name(struct am_ctx *ctx, const struct spf_msg_state *state,
                                   struct spf_conn_state *conn)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    bool cached = !state->relayed && conn != NULL;

    if (!spf_exempt_wants_ptr(derived->exempt))
        return NULL;
    if (cached && conn->ptr_done)
        return conn->ptr_name;
    int64_t deadline_us =
        am_deadline_earlier(am_ctx_deadline_us(ctx),
                            am_deadline_in_ms(am_ctx_clock(ctx), derived->conf->time_limit_ms / 2));
    const char *name = spf_exempt_ptr(
        derived->exempt, cached ? am_ctx_conn_arena(ctx) : am_ctx_arena(ctx),
        cached ? am_ctx_conn_resolver(ctx) : am_ctx_resolver(ctx), &state->client, deadline_us);
    if (cached) {
        conn->ptr_done = true;
        conn->ptr_name = name;
    }
    return name;
}

/* Evaluates and reports for state->client. Returns false when memory is short. */
static bool judge(struct am_ctx *ctx, struct spf_msg_state *state)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct spf_conn_state *conn = am_ctx_conn_state(ctx);
    const struct am_clock *clock = am_ctx_clock(ctx);

    if (exempt_ptr_name(ctx, state, conn) != NULL) {
        spf_module_report_exempt(ctx, "ptr");
        return true;
    }
    if (handled_as_private(ctx, state, conn))
        return true;

    int64_t start_us = am_clock_now_us(clock);
    if (!spf_module_check(ctx, state, state->relayed ? NULL : conn))
        return false;
    spf_module_report(ctx, state);
    am_ctx_note(ctx, "time_us", "%lld", (long long)(am_clock_now_us(clock) - start_us));

    if (state->spared == NULL && derived->wants_sparing)
        state->spared = spf_exempt_message(derived->exempt, am_ctx_arena(ctx),
                                           am_span_str(state->helo), &am_ctx_msg(ctx)->sender);
    if (state->spared != NULL)
        spf_module_report_exempt(ctx, state->spared);
    return true;
}

/* Tells whether a client needs no evaluation at all, and records why. */
static bool is_exempt(struct am_ctx *ctx, const struct spf_client *client)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    const char *why = spf_exempt_client(derived->exempt, client);

    if (why != NULL)
        spf_module_report_exempt(ctx, why);
    return why != NULL;
}

/* Tells whether the policy may still do something to this message. */
static bool is_open(struct am_ctx *ctx, const struct spf_msg_state *state)
{
    return state->evaluated && state->spared == NULL &&
           spf_module_may_act(am_ctx_derived(ctx), state);
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    const struct am_conn_info *info = am_ctx_conn(ctx);
    struct spf_msg_state *state = am_ctx_msg_state(ctx);
    struct spf_client client = {
        .ip = info->client,
        .is_local = info->is_local,
        .is_authenticated = info->auth_user[0] != '\0',
        .is_submitting = info->role == AM_ROLE_SUBMISSION,
    };

    if (state == NULL)
        return AM_FAIL;
    if (is_exempt(ctx, &client))
        return AM_DONE;
    state->client = info->client;
    state->helo = info->helo;
    if (derived->has_relays && spf_exempt_is_relay(derived->exempt, &info->client)) {
        state->relayed = true;
        return AM_CONTINUE;
    }
    if (!judge(ctx, state))
        return AM_FAIL;
    if (is_open(ctx, state)) {
        if (derived->conf->reject_at == SPF_REJECT_AT_RCPT)
            return AM_CONTINUE;
        enum am_verdict verdict = spf_module_rule(ctx, state, NULL);
        if (verdict != AM_CONTINUE)
            return verdict;
    }
    return state->evaluated && derived->conf->received_spf ? AM_CONTINUE : AM_DONE;
}

static enum am_verdict on_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct spf_msg_state *state = am_ctx_msg_state(ctx);

    (void)params;
    if (state == NULL || rejected)
        return AM_CONTINUE;
    if (!state->relayed && !is_open(ctx, state))
        return AM_CONTINUE;
    bool exempt = spf_exempt_recipient(derived->exempt, am_ctx_arena(ctx), recipient);
    if (state->relayed) /* kept until the client behind the relay is known */
        return am_recipients_add(&state->recipients, am_ctx_arena(ctx), recipient, exempt)
                   ? AM_CONTINUE
                   : AM_FAIL;
    if (exempt) {
        if (!state->recipient_noted)
            spf_module_report_exempt(ctx, "recipient");
        state->recipient_noted = true;
        return AM_CONTINUE;
    }
    return spf_module_rule(ctx, state, recipient);
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct spf_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL || !state->relayed ||
        !am_span_equal_nocase(field->name, am_span_str("Received")))
        return AM_CONTINUE;
    if (!spf_relay_feed(&state->walk, derived->exempt, am_ctx_arena(ctx),
                        (unsigned)derived->conf->relay_max_received, field->value))
        return AM_FAIL;
    return AM_CONTINUE;
}

/* Evaluates a message of a trusted relay for the client behind it. */
static enum am_verdict judge_relayed(struct am_ctx *ctx, struct spf_msg_state *state)
{
    struct spf_client client = {.is_local = false};
    char address[AM_IP_TEXT_MAX];

    spf_relay_end(&state->walk);
    if (state->walk.state == SPF_RELAY_SUBMITTED) {
        spf_module_report_exempt(ctx, "submitted at relay");
        return AM_CONTINUE;
    }
    if (state->walk.state == SPF_RELAY_LOST) {
        spf_module_report_none(ctx, state->helo, state->walk.why);
        am_ctx_count(ctx, "not_evaluated", "relay", 1);
        return AM_CONTINUE;
    }
    state->client = client.ip = state->walk.ip;
    state->helo = state->walk.helo;
    am_ctx_note(ctx, "client", "%s", am_ip_format(&state->client, address));
    am_ctx_note(ctx, "client_helo", "%s", state->helo);
    if (is_exempt(ctx, &client))
        return AM_CONTINUE;
    if (!judge(ctx, state))
        return AM_FAIL;
    return is_open(ctx, state) ? spf_module_rule_all(ctx, state) : AM_CONTINUE;
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct spf_msg_state *state = am_ctx_msg_state(ctx);
    enum am_verdict verdict = AM_CONTINUE;

    if (state == NULL)
        return AM_CONTINUE; /* reported at MAIL already */
    if (state->relayed)
        verdict = judge_relayed(ctx, state);
    if (derived->conf->received_spf && verdict != AM_FAIL && !spf_module_add_received(eom, state))
        return AM_FAIL;
    return verdict;
}

const struct am_module spf_module = {
    .abi = AM_MODULE_ABI,
    .name = "spf",
    .summary = "checks that the client may use the sender's domain (SPF, RFC 7208)",
    .options = spf_options,
    .conf_size = sizeof(struct spf_conf),
    .extra_sections = spf_extra_sections,
    .conf_check = spf_options_check,
    .conf_open = open_conf,
    .conn_size = sizeof(struct spf_conn_state),
    .msg_size = sizeof(struct spf_msg_state),
    .actions = AM_ACTION_ADD_HEADER | AM_ACTION_QUARANTINE,
    .answers = stages_answered,
    .wants = stages_wanted,
    .envfrom = on_envfrom,
    .envrcpt = on_envrcpt,
    .header = on_header,
    .eom = on_eom,
};
