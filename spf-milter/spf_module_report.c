#include "spf-milter/spf_module_state.h"
#include "spf-milter/spf_received.h"

/* RFC 8601 section 2.7.2: "smtp.mailfrom" or "smtp.helo" names what was checked. */
static void publish(struct am_ctx *ctx, bool as_helo, const char *helo, const char *word,
                    const char *reason)
{
    struct am_result result = {.method = "spf", .result = word, .reason = reason};

    am_result_add_property(&result, "smtp", as_helo ? "helo" : "mailfrom",
                           as_helo ? am_span_str(helo) : am_ctx_msg(ctx)->sender.full);
    am_ctx_publish(ctx, &result);
}

/* Adds one finding to the decision line and the counters. */
static void record(struct am_ctx *ctx, const struct spf_finding *finding)
{
    const struct spf_outcome *outcome = finding->outcome;
    const char *word = spf_result_word(outcome->result);
    bool helo = finding->identity == SPF_HELO;

    am_ctx_count(ctx, helo ? "helo" : "mailfrom", word, 1);
    am_ctx_note(ctx, helo ? "helo" : "mailfrom", "%s", word);
    if (outcome->term != NULL)
        am_ctx_note(ctx, helo ? "helo_term" : "mailfrom_term", "%s", outcome->term);
    if (outcome->reason != NULL)
        am_ctx_note(ctx, helo ? "helo_reason" : "mailfrom_reason", "%s", outcome->reason);
    if (outcome->limit != SPF_LIMIT_NONE) {
        am_ctx_count(ctx, "limits", spf_limit_word(outcome->limit), 1);
        am_ctx_note(ctx, "limit", "%s", spf_limit_word(outcome->limit));
    }
}

void spf_module_report(struct am_ctx *ctx, const struct spf_msg_state *state)
{
    bool null_sender = am_ctx_msg(ctx)->sender.is_null;
    const struct spf_outcome *published = NULL;
    unsigned queries = 0;

    for (size_t i = 0; i < state->finding_count; i++) {
        const struct spf_finding *finding = &state->findings[i];
        const struct spf_outcome *outcome = finding->outcome;

        record(ctx, finding);
        /* With a null sender both findings are one and the same evaluation. */
        if (outcome == published)
            continue;
        publish(ctx, null_sender || finding->identity == SPF_HELO, state->helo,
                spf_result_word(outcome->result), outcome->reason);
        published = outcome;
        queries += outcome->queries;
    }
    am_ctx_note(ctx, "queries", "%u", queries);
}

void spf_module_report_none(struct am_ctx *ctx, const char *helo, const char *reason)
{
    publish(ctx, am_ctx_msg(ctx)->sender.is_null, helo, "none", reason);
    am_ctx_note(ctx, "not_evaluated", "%s", reason);
}

void spf_module_report_exempt(struct am_ctx *ctx, const char *why)
{
    am_ctx_note(ctx, "exempt", "%s", why);
    am_ctx_count(ctx, "exempt", why, 1);
}

bool spf_module_add_received(struct am_eom_ctx *eom, const struct spf_msg_state *state)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct am_msg_info *msg = am_ctx_msg(ctx);

    /* The last one inserted stands on top: MAIL FROM above HELO. */
    for (size_t i = state->finding_count; i > 0; i--) {
        struct spf_received_facts facts = {
            .finding = &state->findings[i - 1],
            .client = &state->client,
            .sender = msg->sender.full,
            .helo = am_span_str(state->helo),
            .receiver = am_ctx_authserv_id(ctx),
            .smtputf8 = msg->smtputf8,
        };
        const char *value = spf_received_value(am_ctx_arena(ctx), &facts);

        if (value == NULL || !am_eom_insert_header(eom, 0, "Received-SPF", value))
            return false;
    }
    return true;
}
