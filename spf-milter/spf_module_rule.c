#include "spf-milter/spf_module_state.h"
#include "spf-milter/spf_reply.h"

/* A ruling for one recipient, with the override it comes from. */
struct decision {
    struct spf_ruling ruling;
    const struct spf_override_rule *rule; /* NULL: section "spf" */
};

bool spf_module_may_act(const struct spf_derived *derived, const struct spf_msg_state *state)
{
    for (size_t i = 0; i < state->finding_count; i++) {
        const struct spf_finding *finding = &state->findings[i];

        if (finding->outcome->result != SPF_PASS &&
            (derived->possible[finding->identity][finding->outcome->result] &
             ~(1U << SPF_ACTION_ACCEPT)) != 0)
            return true;
    }
    return false;
}

static struct decision decide(struct am_ctx *ctx, const struct spf_msg_state *state,
                              const struct am_address *recipient)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    const struct spf_policy *base = &derived->conf->policy;
    struct decision decision = {.rule = NULL};
    struct spf_effective effective;

    if (spf_overrides_is_empty(derived->overrides)) {
        decision.ruling = spf_policy_rule(base, state->findings, state->finding_count);
        return decision;
    }
    struct spf_facts facts = {
        .arena = am_ctx_arena(ctx),
        .client = state->client,
        .sender = &am_ctx_msg(ctx)->sender,
        .recipient = recipient,
    };
    spf_overrides_apply(derived->overrides, base, &facts, &effective);
    decision.ruling = spf_policy_rule(&effective.policy, state->findings, state->finding_count);
    const struct spf_finding *finding = decision.ruling.finding;
    if (finding != NULL)
        decision.rule = effective.rule[finding->identity][finding->outcome->result];
    return decision;
}

/* Says which option decided: "mailfrom_fail = reject" or "... (override partners)". */
static const char *describe(struct am_ctx *ctx, const struct decision *decision)
{
    const struct spf_finding *finding = decision->ruling.finding;
    struct am_arena *arena = am_ctx_arena(ctx);
    const char *option = am_arena_printf(arena, "%s_%s = %s", spf_identity_word(finding->identity),
                                         spf_result_word(finding->outcome->result),
                                         spf_action_word(decision->ruling.action));
    const char *name =
        decision->rule == NULL ? NULL : spf_override_rule_name(arena, decision->rule);

    if (option != NULL && name != NULL)
        option = am_arena_printf(arena, "%s (override %s)", option, name);
    return option == NULL ? "policy" : option;
}

static void set_reply(struct am_ctx *ctx, const struct spf_msg_state *state,
                      const struct spf_ruling *ruling)
{
    const struct spf_conf *conf = am_ctx_conf(ctx);
    bool null_sender = am_ctx_msg(ctx)->sender.is_null;
    bool mailfrom = ruling->finding->identity == SPF_MAILFROM;
    struct spf_reply reply;
    struct spf_reply_facts facts = {
        .action = ruling->action,
        .finding = ruling->finding,
        .identity = mailfrom && !null_sender ? am_ctx_msg(ctx)->sender.full
                    : mailfrom               ? am_span_str("")
                                             : am_span_str(state->helo),
        .client = &state->client,
        .text = conf->reply_text,
        .explanation = conf->explanation,
    };

    /* Short of memory: the framework's default reply of that class serves. */
    if (spf_reply_make(&reply, am_ctx_arena(ctx), &facts))
        am_ctx_set_reply(ctx, reply.code, reply.xcode, reply.text);
}

/* The reason stands alone in the MTA's log and queue listing: it says who held the message. */
static void set_quarantine(struct am_ctx *ctx, const char *why)
{
    const char *reason = am_arena_printf(am_ctx_arena(ctx), "spf: %s", why);

    am_ctx_set_quarantine(ctx, reason == NULL ? "spf" : reason);
}

/* Carries a decision out. */
static enum am_verdict carry_out(struct am_ctx *ctx, struct spf_msg_state *state,
                                 const struct decision *decision)
{
    enum spf_action action = decision->ruling.action;

    if (action == SPF_ACTION_ACCEPT)
        return AM_CONTINUE;
    const char *why = describe(ctx, decision);
    if (!state->rule_noted)
        am_ctx_note(ctx, "rule", "%s", why);
    state->rule_noted = true;
    if (action == SPF_ACTION_OBSERVE) {
        enum spf_action held = spf_action_observed(decision->ruling.finding->outcome->result);

        am_ctx_observe(ctx, held == SPF_ACTION_TEMPFAIL ? AM_TEMPFAIL : AM_REJECT, why);
        return AM_CONTINUE;
    }
    if (action == SPF_ACTION_QUARANTINE) {
        if (!state->quarantine_set)
            set_quarantine(ctx, why);
        state->quarantine_set = true;
        return AM_QUARANTINE;
    }
    set_reply(ctx, state, &decision->ruling);
    return action == SPF_ACTION_TEMPFAIL ? AM_TEMPFAIL : AM_REJECT;
}

enum am_verdict spf_module_rule(struct am_ctx *ctx, struct spf_msg_state *state,
                                const struct am_address *recipient)
{
    struct decision decision = decide(ctx, state, recipient);

    return carry_out(ctx, state, &decision);
}

enum am_verdict spf_module_rule_all(struct am_ctx *ctx, struct spf_msg_state *state)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct decision severest = {.rule = NULL};
    bool none_known = state->recipients == NULL || state->any_recipient_unknown;

    if (none_known)
        severest = decide(ctx, state, NULL);
    for (const struct spf_recipient *one = state->recipients; one != NULL; one = one->next) {
        if (spf_exempt_recipient(derived->exempt, am_ctx_arena(ctx), &one->address))
            continue;
        struct decision decision = decide(ctx, state, &one->address);
        if (spf_action_is_severer(decision.ruling.action, severest.ruling.action))
            severest = decision;
    }
    return carry_out(ctx, state, &severest);
}
