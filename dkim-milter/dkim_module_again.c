#include "dkim-milter/dkim_module_state.h"

/*
 * Mail that carries a valid signature of our own key already: it came by before, on its way to a
 * content filter and back, say. Only such signatures are verified, against a copy of the header
 * without those of others, so that strangers' keys are not looked up for mail we sign.
 */

/* Tells whether a signature was made with a key that is about to sign. */
static bool is_ours(const struct dkim_keys_choice *choice, const struct dkim_signature *signature,
                    size_t *index)
{
    if (signature->ascii_domain == NULL || signature->ascii_selector == NULL)
        return false;
    for (*index = 0; *index < choice->count; (*index)++) {
        const struct dkim_signing_key *key = choice->keys[*index];

        if (am_span_equal_nocase(am_span_str(key->domain), am_span_str(signature->ascii_domain)) &&
            am_span_equal_nocase(am_span_str(key->selector),
                                 am_span_str(signature->ascii_selector)))
            return true;
    }
    return false;
}

/* Copies the header without signatures that are not ours. Returns false when memory is short. */
static bool copy_fields(struct am_arena *arena, const struct dkim_fields *fields,
                        const struct dkim_keys_choice *choice, struct dkim_fields *copy,
                        size_t *ours)
{
    size_t signatures = 0;

    *ours = 0;
    dkim_fields_init(copy, arena, false); /* blanks were supplied when the original was made */
    for (const struct dkim_field *field = fields->first; field != NULL; field = field->below) {
        struct am_span name =
            am_span_of(field->raw.ptr, (size_t)(field->value.ptr - field->raw.ptr) - 1);

        if (dkim_field_is(field, "dkim-signature")) {
            struct dkim_signature signature;
            size_t index;

            if (++signatures > DKIM_OUTCOMES_MAX ||
                (dkim_signature_parse(&signature, arena, field->value) != DKIM_REASON_NONE) ||
                !is_ours(choice, &signature, &index))
                continue;
            ++*ours;
        }
        if (dkim_fields_add(copy, name, field->value) == NULL)
            return false;
    }
    return dkim_fields_prepare(copy);
}

bool dkim_module_again_start(struct am_ctx *ctx, const struct dkim_msg_state *message,
                             struct dkim_signing_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    size_t ours;

    if (message->signature_fields == 0)
        return true;
    struct dkim_fields *copy = am_arena_alloc(arena, sizeof(*copy));
    if (copy == NULL || !copy_fields(arena, &message->fields, &state->choice, copy, &ours))
        return false;
    if (ours == 0)
        return true;
    int64_t end_us = am_deadline_in_ms(am_ctx_clock(ctx), derived->conf->time_limit_ms);
    state->again_env = (struct dkim_verify_env){
        .arena = arena,
        .resolver = am_ctx_resolver(ctx),
        .clock = am_ctx_clock(ctx),
        .keys = derived->keys,
        .limits = &derived->limits,
        .lookup_deadline_us = am_deadline_earlier(am_ctx_deadline_us(ctx), end_us),
    };
    state->again = derived->engine->start(&state->again_env, copy);
    return state->again != NULL;
}

size_t dkim_module_again_finish(struct am_ctx *ctx, struct dkim_signing_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    size_t left_out = 0;

    if (state->again == NULL)
        return 0;
    const struct dkim_report *report = derived->engine->finish(state->again);
    for (size_t i = 0; i < report->count; i++) {
        size_t index;

        if (report->outcomes[i].result == DKIM_PASS &&
            is_ours(&state->choice, report->outcomes[i].parts, &index) && !state->left_out[index]) {
            state->left_out[index] = true;
            dkim_signer_leave_out(state->signer, index);
            left_out++;
        }
    }
    return left_out;
}
