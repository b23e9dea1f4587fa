#include "dkim-milter/dkim_module.h"

#include <string.h>

#include "common/mail/pattern.h"
#include "dkim-milter/dkim_module_state.h"

/*
 * Public keys that are kept: a busy site sees some hundreds of signers, and making a key anew costs
 * microseconds. Full of what strangers published they take 2 to 6 MB.
 */
#define KEYS_KEPT 1024

/* --- configuration --- */

static bool open_conf(const void *values, const struct am_conf_env *env, void **result,
                      struct am_problem *problem)
{
    const struct dkim_conf *conf = values;
    struct am_override_source source = dkim_options_source(conf);
    struct dkim_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    if (!dkim_crypto_start(problem))
        return false;
    derived->conf = conf;
    derived->engine = dkim_options_engine(conf);
    derived->limits = dkim_options_limits(conf);
    atomic_flag_clear(&derived->told_no_blanks);
    derived->exempt_networks = am_netset_of(env->arena, &conf->exempt_networks);
    if (derived->exempt_networks == NULL)
        return am_problem_set(problem, "out of memory");
    derived->require_aligned = am_patterns_of(env->arena, &conf->require_aligned, problem);
    if (derived->require_aligned == NULL)
        return false;
    derived->overrides = am_overrides_open(env, &source, problem);
    if (derived->overrides == NULL)
        return false;
    derived->options = (UINT32_C(1) << DKIM_RESULT_COUNT) - 1;
    if (!am_patterns_is_empty(derived->require_aligned))
        derived->options |= UINT32_C(1) << DKIM_POLICY_UNALIGNED;
    derived->keys = dkim_key_cache_new(KEYS_KEPT);
    if (derived->keys == NULL)
        return am_problem_set(problem, "out of memory");
    /* Last: it starts what close_conf() has to end. */
    const struct dkim_derived *former = env->former;
    derived->signing =
        dkim_signing_open(conf, env, former == NULL ? NULL : former->signing, problem);
    if (derived->signing == NULL) {
        dkim_key_cache_free(derived->keys);
        return false;
    }
    *result = derived;
    return true;
}

static void close_conf(void *object)
{
    struct dkim_derived *derived = object;

    dkim_signing_close(derived->signing);
    dkim_key_cache_free(derived->keys);
}

static unsigned stages_wanted(const void *values, const void *object)
{
    unsigned stages =
        AM_STAGE_ENVFROM | AM_STAGE_HEADER | AM_STAGE_EOH | AM_STAGE_BODY | AM_STAGE_EOM;

    (void)values;
    if (dkim_module_may(object, AM_POLICY_DEEDS))
        stages |= AM_STAGE_ENVRCPT;
    return stages;
}

/* Everything is decided at the end of the message: the MTA never waits before it. */
static unsigned stages_answered(const void *values, const void *object)
{
    (void)values;
    (void)object;
    return 0;
}

/* --- a message --- */

/* Says once what an MTA that takes the blank behind the colon away does to signatures. */
static void warn_no_blanks(struct am_ctx *ctx)
{
    struct dkim_derived *derived = am_ctx_derived(ctx);

    if (am_ctx_conn(ctx)->raw_headers || atomic_flag_test_and_set(&derived->told_no_blanks))
        return;
    am_ctx_log(
        ctx, AM_LOG_WARNING,
        "the MTA does not hand header fields on as they are (it refused SMFIP_HDR_LEADSPC), "
        "so signatures with \"simple\" header canonicalization are made and verified by a "
        "guess of one blank behind each colon: Postfix 2.5 and Sendmail 8.14 or later, with milter "
        "protocol 6, can do better");
}

static struct dkim_role_choice choose_role(struct am_ctx *ctx)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    const struct am_conn_info *conn = am_ctx_conn(ctx);
    struct dkim_role_facts facts = {
        .client = conn->client,
        .is_local = dkim_module_is_local(conn),
        .login = conn->auth_user,
        .daemon_name = conn->daemon_name,
        .is_inbound = conn->role == AM_ROLE_INBOUND,
        .is_submission = conn->role == AM_ROLE_SUBMISSION,
    };

    return dkim_role_choose(&derived->signing->rules, &facts);
}

/* Tells whether the message needs nothing from us, and records why. */
static bool is_left_alone(struct am_ctx *ctx, const struct dkim_role_choice *choice)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    const char *exempt =
        choice->role == DKIM_ROLE_VERIFY ? dkim_module_exempt(derived, am_ctx_conn(ctx)) : NULL;

    if (choice->role == DKIM_ROLE_SIGN || (choice->role == DKIM_ROLE_VERIFY && exempt == NULL))
        return false;
    if (exempt != NULL)
        dkim_module_report_exempt(ctx, exempt);
    /* Where there are keys, whoever misses a signature finds the reason in the log. */
    if (derived->signing->rules.has_keys)
        am_ctx_note(ctx, "unsigned", "%s", choice->why_not);
    return true;
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);
    struct dkim_role_choice choice = choose_role(ctx);

    if (state == NULL)
        return AM_FAIL;
    if (is_left_alone(ctx, &choice))
        return AM_DONE;
    state->role = choice.role;
    state->not_ours = choice.why_not;
    if (choice.role == DKIM_ROLE_SIGN) {
        am_ctx_set_outgoing(ctx);
        am_ctx_note(ctx, "signs_for", "%s", choice.word);
    }
    warn_no_blanks(ctx);
    dkim_fields_init(&state->fields, am_ctx_arena(ctx), !am_ctx_conn(ctx)->raw_headers);
    return AM_CONTINUE;
}

static enum am_verdict on_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);

    (void)params;
    if (state == NULL || rejected || state->role != DKIM_ROLE_VERIFY)
        return AM_CONTINUE;
    return am_recipients_add(&state->verifying.recipients, am_ctx_arena(ctx), recipient, false)
               ? AM_CONTINUE
               : AM_FAIL;
}

/*
 * For the engine CR LF is a line end, while here a CR in front of an LF is an octet of its own
 * (am_header): such a value gets its line ends written out. Nearly none has one.
 */
static struct am_span with_line_ends(struct am_arena *arena, struct am_span value)
{
    if (value.len == 0 || memmem(value.ptr, value.len, "\r\n", 2) == NULL)
        return value;
    char *copy = am_arena_alloc(arena, 2 * value.len);
    size_t len = 0;

    for (size_t i = 0; copy != NULL && i < value.len; i++) {
        if (value.ptr[i] == '\n')
            copy[len++] = '\r';
        copy[len++] = value.ptr[i];
    }
    return am_span_of(copy, len);
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_CONTINUE; /* reported at MAIL already */
    struct am_span value = with_line_ends(am_ctx_arena(ctx), field->value);
    if (value.ptr == NULL && field->value.len > 0)
        return AM_FAIL;
    const struct dkim_field *kept = dkim_fields_add(&state->fields, field->name, value);
    if (kept == NULL)
        return AM_FAIL;
    state->signature_fields += dkim_field_is(kept, "dkim-signature");
    return AM_CONTINUE;
}

static enum am_verdict on_eoh(struct am_ctx *ctx)
{
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_CONTINUE;
    if (state->role == DKIM_ROLE_SIGN)
        return dkim_module_sign_start(ctx, state);
    return dkim_module_verify_start(ctx, state) ? AM_CONTINUE : AM_FAIL;
}

static enum am_verdict on_body(struct am_ctx *ctx, struct am_span chunk)
{
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_SKIP_BODY;
    bool wants_more = state->role == DKIM_ROLE_SIGN ? dkim_module_sign_body(ctx, state, chunk)
                                                    : dkim_module_verify_body(state, chunk);
    return wants_more ? AM_CONTINUE : AM_SKIP_BODY;
}

/* A message without a body may come without an end of its header. */
static enum am_verdict sign(struct am_eom_ctx *eom, struct dkim_msg_state *state)
{
    enum am_verdict verdict =
        state->signing.started ? AM_CONTINUE : dkim_module_sign_start(am_eom_ctx_base(eom), state);

    return verdict == AM_CONTINUE ? dkim_module_sign_finish(eom, state) : verdict;
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct dkim_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_CONTINUE;
    if (state->role == DKIM_ROLE_SIGN)
        return sign(eom, state);
    if (!state->verifying.started && !dkim_module_verify_start(ctx, state))
        return AM_FAIL;
    dkim_module_verify_finish(ctx, state);
    dkim_module_report(ctx, state);
    dkim_module_report_not_ours(ctx, state);
    return dkim_module_rule(ctx, state);
}

/* What changes the header is heard of before it is signed. */
static const char *const after[] = {"author", NULL};

const struct am_module dkim_module = {
    .abi = AM_MODULE_ABI,
    .name = "dkim",
    .summary = "verifies signatures of messages, and signs them (DKIM, RFC 6376)",
    .options = dkim_options,
    .conf_size = sizeof(struct dkim_conf),
    .extra_sections = dkim_extra_sections,
    .conf_check = dkim_options_check,
    .conf_open = open_conf,
    .conf_close = close_conf,
    .conn_size = sizeof(struct dkim_conn_state),
    .msg_size = sizeof(struct dkim_msg_state),
    .needs = AM_NEEDS_RAW_HEADERS,
    .actions = AM_ACTION_QUARANTINE | AM_ACTION_ADD_HEADER,
    .after = after,
    .answers = stages_answered,
    .wants = stages_wanted,
    .envfrom = on_envfrom,
    .envrcpt = on_envrcpt,
    .header = on_header,
    .eoh = on_eoh,
    .body = on_body,
    .eom = on_eom,
};
