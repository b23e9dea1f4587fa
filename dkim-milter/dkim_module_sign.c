#include "dkim-milter/dkim_module_state.h"

/* Signing, from the end of the header to the end of the message. */

/* Does the client say that octets above 127 may come? */
static bool announces_8bit(const struct am_msg_info *msg)
{
    for (size_t i = 0; i < msg->sender_params.count; i++)
        if (am_span_equal_nocase(am_span_str(msg->sender_params.items[i]),
                                 am_span_str("BODY=8BITMIME")))
            return true;
    return msg->smtputf8;
}

static bool begin(struct am_ctx *ctx, struct dkim_msg_state *message)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct dkim_signing_state *state = &message->signing;
    struct dkim_sign_request requests[DKIM_KEYS_PER_MESSAGE_MAX];
    struct am_arena *arena = am_ctx_arena(ctx);

    for (size_t i = 0; i < state->choice.count; i++)
        requests[i] = dkim_signing_request(derived->signing, state->choice.keys[i]);
    if (!derived->conf->sign_again && !am_ctx_is_shadow(ctx) &&
        !dkim_module_again_start(ctx, message, state))
        return false;
    state->signer =
        dkim_signer_new(arena, am_ctx_clock(ctx), &message->fields, requests, state->choice.count);
    dkim_body_look_init(&state->look, !announces_8bit(am_ctx_msg(ctx)));
    return state->signer != NULL;
}

enum am_verdict dkim_module_sign_start(struct am_ctx *ctx, struct dkim_msg_state *message)
{
    struct dkim_signing_state *state = &message->signing;

    state->started = true;
    if (!dkim_module_apply_changes(ctx, &message->fields) || !dkim_fields_prepare(&message->fields))
        return AM_FAIL;
    if (dkim_module_decide(ctx, &message->fields, state))
        return begin(ctx, message) ? AM_CONTINUE : AM_FAIL;
    if (state->failed)
        return AM_FAIL;
    dkim_module_report_unsigned(ctx, state);
    return state->refuse ? AM_CONTINUE : AM_DONE;
}

bool dkim_module_sign_body(struct am_ctx *ctx, struct dkim_msg_state *message, struct am_span chunk)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct dkim_signing_state *state = &message->signing;

    if (state->signer == NULL)
        return false;
    dkim_body_look_update(&state->look, chunk);
    if (state->again != NULL && derived->engine->wants_body(state->again))
        derived->engine->body(state->again, chunk);
    dkim_signer_body(state->signer, chunk);
    return true;
}

/*
 * Puts the fields on top of all others, the MTA's own Received included, so that they read in the
 * order of the keys: each goes above the one before (RFC 6376 section 5.6). Received is never
 * signed, hence nothing breaks where the MTA writes its own above or below.
 */
static bool insert(struct am_eom_ctx *eom, const char *const *values, size_t count)
{
    bool good = true;

    for (size_t i = count; i-- > 0;)
        if (values[i] != NULL)
            good = am_eom_insert_header(eom, 0, "DKIM-Signature", values[i]) && good;
    return good;
}

static enum am_verdict refuse(struct am_ctx *ctx, const struct dkim_signing_state *state)
{
    if (state->kind == DKIM_UNSIGNED_UNPUBLISHED) {
        am_ctx_set_reply(ctx, 451, "4.7.5",
                         "The message cannot be signed at the moment: try again later");
        return AM_TEMPFAIL;
    }
    am_ctx_set_reply(ctx, 550, "5.7.1",
                     state->kind == DKIM_UNSIGNED_LOGIN
                         ? am_arena_printf(am_ctx_arena(ctx),
                                           "You are logged in as a user who may not send mail "
                                           "from %.*s@%s: use an address of your own in From",
                                           (int)state->address.local.len, state->address.local.ptr,
                                           state->domain)
                         : "The message needs exactly one From field with one address");
    return AM_REJECT;
}

enum am_verdict dkim_module_sign_finish(struct am_eom_ctx *eom, struct dkim_msg_state *message)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct dkim_signing_state *state = &message->signing;
    const char *values[DKIM_KEYS_PER_MESSAGE_MAX];
    struct am_problem problem = {{0}};

    if (state->refuse)
        return refuse(ctx, state);
    size_t wanted = state->choice.count - dkim_module_again_finish(ctx, state);
    size_t made = dkim_signer_finish(state->signer, values, &problem);
    bool inserted = insert(eom, values, state->choice.count);
    dkim_body_look_finish(&state->look);
    dkim_module_report_signed(ctx, state, values);
    if (made < wanted)
        am_ctx_log(ctx, AM_LOG_ERROR, "not signed as it should be: %s", problem.text);
    return made == wanted && inserted ? AM_CONTINUE : AM_FAIL;
}
