#include "spf-milter/spf_module_state.h"
#include "spf-milter/spf_reply.h"

_Static_assert(SPF_POLICY(SPF_IDENTITY_COUNT, 0) <= AM_POLICY_MAX, "the policy is too small");

/* The options that the findings call for, as a set. */
static uint32_t asked(const struct spf_msg_state *state)
{
    uint32_t set = 0;

    for (size_t i = 0; i < state->finding_count; i++) {
        const struct spf_finding *finding = &state->findings[i];

        set |= UINT32_C(1) << SPF_POLICY(finding->identity, finding->outcome->result);
    }
    return set;
}

bool spf_module_may_act(const struct spf_derived *derived, const struct spf_msg_state *state)
{
    return (am_overrides_possible(derived->overrides, asked(state)) & AM_POLICY_DEEDS) != 0;
}

static struct am_override_facts facts_of(struct am_ctx *ctx, const struct spf_msg_state *state,
                                         const struct am_address *recipient)
{
    return (struct am_override_facts){
        .arena = am_ctx_arena(ctx),
        .client = state->client,
        .sender = &am_ctx_msg(ctx)->sender,
        .recipient = recipient,
    };
}

/* Returns the finding that a decision is about, or NULL. */
static const struct spf_finding *finding_of(const struct spf_msg_state *state,
                                            const struct am_policy_decision *decision)
{
    for (size_t i = 0; i < state->finding_count; i++) {
        const struct spf_finding *finding = &state->findings[i];

        if (SPF_POLICY(finding->identity, finding->outcome->result) == decision->index)
            return finding;
    }
    return NULL;
}

/* Words the reply; left out when memory is short. */
static void add_reply(struct am_ctx *ctx, const struct spf_msg_state *state,
                      const struct spf_finding *finding, struct am_ruling *ruling)
{
    const struct spf_conf *conf = am_ctx_conf(ctx);
    bool null_sender = am_ctx_msg(ctx)->sender.is_null;
    bool mailfrom = finding->identity == SPF_MAILFROM;
    struct spf_reply reply;
    struct spf_reply_facts facts = {
        .finding = finding,
        .identity = mailfrom && !null_sender ? am_ctx_msg(ctx)->sender.full
                    : mailfrom               ? am_span_str("")
                                             : am_span_str(state->helo),
        .client = &state->client,
        .text = conf->reply_text,
        .explanation = conf->explanation,
    };

    if (spf_reply_make(&reply, am_ctx_arena(ctx), &facts)) {
        ruling->status = reply.status;
        ruling->text = reply.text;
    }
}

static enum am_verdict carry_out(struct am_ctx *ctx, struct spf_msg_state *state,
                                 const struct am_policy_decision *decision)
{
    const struct spf_finding *finding = finding_of(state, decision);
    struct am_ruling ruling = {.decision = *decision};

    if (finding == NULL)
        return AM_CONTINUE;
    ruling.transient = finding->outcome->result == SPF_TEMPERROR;
    if ((AM_POLICY_BIT(decision->action) & AM_POLICY_REFUSALS) != 0)
        add_reply(ctx, state, finding, &ruling);
    return am_ruling_carry_out(ctx, &state->ruled, &ruling);
}

enum am_verdict spf_module_rule(struct am_ctx *ctx, struct spf_msg_state *state,
                                const struct am_address *recipient)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct am_override_facts facts = facts_of(ctx, state, recipient);
    struct am_policy_decision decision =
        am_overrides_decide(derived->overrides, &facts, asked(state));

    return carry_out(ctx, state, &decision);
}

enum am_verdict spf_module_rule_all(struct am_ctx *ctx, struct spf_msg_state *state)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct am_override_facts facts = facts_of(ctx, state, NULL);
    struct am_policy_decision decision =
        am_overrides_decide_all(derived->overrides, &facts, &state->recipients, asked(state));

    return carry_out(ctx, state, &decision);
}
