#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_module_state.h"

#define BIT(INDEX) (UINT32_C(1) << (INDEX))

/* --- known forwarders and mailing lists --- */

static bool proves_list(const char *list_id, const char *domain, enum dmarc_proof proof)
{
    return proof == DMARC_PROOF_PASS && domain != NULL && domain[0] != '\0' &&
           am_domain_is_within(am_span_str(list_id), am_span_str(domain));
}

/* List-Id is a claim of whoever wrote it: SPF or DKIM of its domain has to stand by it. */
static bool is_of_list(struct am_ctx *ctx, const struct dmarc_msg_state *state)
{
    const struct dmarc_derived *derived = am_ctx_derived(ctx);
    const struct dmarc_claims *claims = &state->claims;

    if (state->list_id == NULL ||
        am_patterns_find_domain(derived->lists, am_ctx_arena(ctx), am_span_str(state->list_id)) ==
            AM_TABLE_NONE)
        return false;
    if (proves_list(state->list_id, claims->spf.domain, claims->spf.proof))
        return true;
    for (size_t i = 0; i < claims->dkim_count; i++)
        if (proves_list(state->list_id, claims->dkim[i].domain, claims->dkim[i].proof))
            return true;
    return false;
}

static enum dmarc_excuse find_excuse(struct am_ctx *ctx, const struct dmarc_msg_state *state)
{
    const struct dmarc_derived *derived = am_ctx_derived(ctx);
    const struct am_ip *client = &am_ctx_conn(ctx)->client;

    if (am_netset_find(derived->forwarders, client) != AM_TABLE_NONE)
        return DMARC_EXCUSE_FORWARDER;
    if (am_netset_find(derived->list_clients, client) != AM_TABLE_NONE)
        return DMARC_EXCUSE_LIST_CLIENT;
    return is_of_list(ctx, state) ? DMARC_EXCUSE_LIST : DMARC_EXCUSE_NONE;
}

/* --- what is asked for --- */

static uint32_t asked_by(const struct dmarc_outcome *outcome)
{
    if (outcome->result == DMARC_TEMPERROR)
        return BIT(DMARC_CASE_TEMPERROR);
    if (outcome->result != DMARC_FAIL)
        return 0;
    return outcome->policy == DMARC_POLICY_REJECT       ? BIT(DMARC_CASE_REJECT)
           : outcome->policy == DMARC_POLICY_QUARANTINE ? BIT(DMARC_CASE_QUARANTINE)
                                                        : 0;
}

static uint32_t asked(struct am_ctx *ctx, struct dmarc_msg_state *state)
{
    const uint32_t policies = BIT(DMARC_CASE_REJECT) | BIT(DMARC_CASE_QUARANTINE);
    uint32_t set = state->fault != NULL ? BIT(DMARC_CASE_MALFORMED) : 0;

    for (size_t i = 0; i < state->from.count; i++)
        set |= asked_by(&state->outcomes[i]);
    if ((set & policies) != 0)
        state->excuse = find_excuse(ctx, state);
    return state->excuse == DMARC_EXCUSE_NONE ? set : set & ~policies;
}

/* --- the reply --- */

/* RFC 7372 section 3.2 has 5.7.26 for more than one failed check, RFC 3463 4.4.3 for the DNS. */
static const char *status_of(unsigned index)
{
    static const char *const status[DMARC_CASE_COUNT] = {"7.26", "7.26", "4.3", "7.1"};

    return status[index];
}

/* Returns the author domain that a case is about; there is one unless From is malformed. */
static size_t author_of(const struct dmarc_msg_state *state, unsigned index)
{
    for (size_t i = 0; i < state->from.count; i++)
        if ((asked_by(&state->outcomes[i]) & BIT(index)) != 0)
            return i;
    return 0;
}

static const char *text_of(struct am_ctx *ctx, const struct dmarc_msg_state *state, unsigned index)
{
    const struct dmarc_conf *conf = am_ctx_conf(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    size_t author = author_of(state, index);
    const char *text = NULL;

    if (index == DMARC_CASE_MALFORMED)
        text = am_arena_printf(arena, "DMARC needs one author: %s", state->fault);
    else if (index == DMARC_CASE_TEMPERROR)
        text = am_arena_printf(arena, "DMARC of %s cannot be checked now: %s",
                               state->from.domains[author], state->outcomes[author].reason);
    else
        text = am_arena_printf(arena,
                               "Refused by the DMARC policy of %s: neither SPF nor DKIM proves "
                               "that the mail is from there",
                               state->from.domains[author]);
    if (text != NULL && conf->reply_text[0] != '\0')
        text = am_arena_printf(arena, "%s\n%s", text, conf->reply_text);
    return text;
}

enum am_verdict dmarc_module_rule(struct am_ctx *ctx, struct dmarc_msg_state *state)
{
    const struct dmarc_derived *derived = am_ctx_derived(ctx);
    const struct am_override_facts facts = {
        .arena = am_ctx_arena(ctx),
        .client = am_ctx_conn(ctx)->client,
        .sender = &am_ctx_msg(ctx)->sender,
    };
    struct am_ruling ruling = {
        .decision = am_overrides_decide_all(derived->overrides, &facts, &state->recipients,
                                            asked(ctx, state)),
    };
    unsigned index = ruling.decision.index;

    /* RFC 9989 section 5.3.6: no policy applies to what the DNS did not tell, whatever a map says.
     */
    if (index == DMARC_CASE_TEMPERROR && (ruling.decision.action == AM_POLICY_REJECT ||
                                          ruling.decision.action == AM_POLICY_QUARANTINE))
        ruling.decision.action = AM_POLICY_TEMPFAIL;
    state->action = ruling.decision.action;
    state->ruled_by_override = ruling.decision.rule != NULL;
    ruling.transient = index == DMARC_CASE_TEMPERROR;
    if ((AM_POLICY_BIT(ruling.decision.action) & AM_POLICY_REFUSALS) != 0) {
        ruling.status = status_of(index);
        ruling.text = text_of(ctx, state, index);
    }
    return am_ruling_carry_out(ctx, &state->ruled, &ruling);
}
