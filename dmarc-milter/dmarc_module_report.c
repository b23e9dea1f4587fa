#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_module_state.h"

/* --- Authentication-Results --- */

static const char *reason_of(const struct dmarc_msg_state *state,
                             const struct dmarc_outcome *outcome)
{
    static const char *const excuses[] = {
        [DMARC_EXCUSE_FORWARDER] = "policy not applied: known forwarder",
        [DMARC_EXCUSE_LIST_CLIENT] = "policy not applied: known mailing list",
        [DMARC_EXCUSE_LIST] = "policy not applied: known mailing list",
    };

    if (outcome->result == DMARC_FAIL && outcome->policy > DMARC_POLICY_NONE &&
        state->excuse != DMARC_EXCUSE_NONE)
        return excuses[state->excuse];
    return outcome->reason;
}

/* RFC 9989 section 9.1: header.from, and the policy after all its options. */
static void publish(struct am_ctx *ctx, const struct dmarc_msg_state *state, size_t author)
{
    const struct dmarc_outcome *outcome = &state->outcomes[author];
    struct am_result result = {.method = "dmarc",
                               .result = dmarc_result_word(outcome->result),
                               .reason = reason_of(state, outcome)};

    am_result_add_property(&result, "header", "from", am_span_str(state->from.domains[author]));
    if (outcome->policy != DMARC_POLICY_ABSENT)
        am_result_add_property(&result, "policy", "dmarc",
                               am_span_str(dmarc_policy_word(outcome->policy)));
    am_ctx_publish(ctx, &result);
    am_ctx_count(ctx, "results", result.result, 1);
}

/* --- the line in the log --- */

static void note_policy(struct am_ctx *ctx, const struct dmarc_outcome *outcome)
{
    static const char *const tags[] = {"p", "sp", "np"};

    if (outcome->found == NULL)
        return;
    am_ctx_note(ctx, "policy_domain", "%s", outcome->found->domain);
    if (outcome->policy != DMARC_POLICY_ABSENT) {
        am_ctx_note(ctx, "policy", "%s", dmarc_policy_word(outcome->policy));
        am_ctx_note(ctx, "tag", "%s", tags[outcome->rule]);
    }
    if (outcome->policy != outcome->published)
        am_ctx_note(ctx, "testing", "yes");
    if (outcome->standing != DMARC_STANDING_GOOD)
        am_ctx_note(ctx, "record", "no usable policy");
    else if ((outcome->found->record.present & DMARC_TAGS_HISTORIC) != 0)
        am_ctx_note(ctx, "record", "pct, rf and ri are passed over");
}

static void note(struct am_ctx *ctx, const struct dmarc_msg_state *state)
{
    static const char *const excuses[] = {
        [DMARC_EXCUSE_FORWARDER] = "forwarder",
        [DMARC_EXCUSE_LIST_CLIENT] = "list client",
        [DMARC_EXCUSE_LIST] = "list",
    };
    const struct dmarc_outcome *worst = &state->outcomes[state->worst];

    if (state->fault != NULL)
        am_ctx_note(ctx, "malformed", "%s", state->fault);
    if (state->from.count > 0) {
        am_ctx_note(ctx, "from", "%s", state->from.domains[state->worst]);
        note_policy(ctx, worst);
        if (worst->spf_aligned != NULL)
            am_ctx_note(ctx, "spf", "%s", worst->spf_aligned);
        if (worst->dkim_aligned != NULL)
            am_ctx_note(ctx, "dkim", "%s", worst->dkim_aligned);
        if (worst->reason != NULL)
            am_ctx_note(ctx, "reason", "%s", worst->reason);
    }
    if (state->unchecked != NULL)
        am_ctx_note(ctx, "unchecked", "%s", state->unchecked);
    if (state->excuse != DMARC_EXCUSE_NONE)
        am_ctx_note(ctx, "excuse", "%s", excuses[state->excuse]);
    if (state->claims.dkim_left_out > 0)
        am_ctx_note(ctx, "left_out", "%zu signatures", state->claims.dkim_left_out);
    am_ctx_note(ctx, "queries", "%u", state->queries);
}

void dmarc_module_report(struct am_ctx *ctx, const struct dmarc_msg_state *state)
{
    for (size_t i = 0; i < state->from.count; i++)
        publish(ctx, state, i);
    if (state->from.count == 0) {
        const struct am_result result = {
            .method = "dmarc", .result = "permerror", .reason = state->fault};

        am_ctx_publish(ctx, &result);
        am_ctx_count(ctx, "results", "permerror", 1);
    }
    note(ctx, state);
}

/* --- the row --- */

static void add_reason(struct dmarc_row *row, const char *type, const char *comment)
{
    if (row->reason_count < DMARC_ROW_REASONS_MAX)
        row->reasons[row->reason_count++] = (struct dmarc_row_reason){type, comment};
}

/* What was done, and why that is not what the policy asks for (RFC 9989 section 5.4). */
static void set_disposition(struct am_ctx *ctx, const struct dmarc_msg_state *state,
                            const struct dmarc_outcome *outcome, struct dmarc_row *row)
{
    bool carried_out = !am_ctx_is_observed(ctx);

    row->disposition = "none";
    if (outcome->result == DMARC_PASS) {
        row->disposition = "pass";
        return;
    }
    if (carried_out && state->action == AM_POLICY_REJECT)
        row->disposition = "reject";
    else if (carried_out && state->action == AM_POLICY_QUARANTINE)
        row->disposition = "quarantine";
    if (outcome->published != outcome->policy)
        add_reason(row, "policy_test_mode", "");
    if (state->excuse == DMARC_EXCUSE_FORWARDER)
        add_reason(row, "trusted_forwarder", "");
    else if (state->excuse != DMARC_EXCUSE_NONE)
        add_reason(row, "mailing_list", state->excuse == DMARC_EXCUSE_LIST ? state->list_id : "");
    else if (strcmp(row->disposition, dmarc_policy_word(outcome->policy)) != 0)
        add_reason(row, "local_policy",
                   state->ruled_by_override ? ""
                                            : "policies are not applied as they are published");
}

static bool set_record(struct dmarc_row *row, struct am_arena *arena,
                       const struct dmarc_outcome *outcome)
{
    const struct dmarc_record *record = &outcome->found->record;
    bool good = outcome->standing == DMARC_STANDING_GOOD;

    row->policy_domain = outcome->found->domain;
    row->p = good ? dmarc_policy_word(record->p) : "none";
    row->sp = good ? dmarc_policy_word(record->sp) : "";
    row->np = good ? dmarc_policy_word(record->np) : "";
    row->adkim = record->strict_dkim ? "s" : "r";
    row->aspf = record->strict_spf ? "s" : "r";
    row->testing = record->testing ? "y" : "n";
    row->fo = record->fo.len > 0 ? am_arena_copy(arena, record->fo) : "0";
    row->rua = am_arena_copy(arena, record->rua);
    return row->fo != NULL && row->rua != NULL;
}

static void set_claims(struct dmarc_row *row, const struct dmarc_claims *claims)
{
    for (size_t i = 0; i < claims->dkim_count && i < DMARC_ROW_DKIM_MAX; i++)
        row->signatures[row->signature_count++] = (struct dmarc_row_dkim){
            claims->dkim[i].domain, claims->dkim[i].selector, claims->dkim[i].word};
    row->spf_domain = claims->spf.word == NULL ? "" : claims->spf.domain;
    row->spf_scope = claims->spf_is_helo ? "helo" : "mfrom";
    row->spf_result = claims->spf.word == NULL ? "none" : claims->spf.word;
}

bool dmarc_module_row(struct am_ctx *ctx, const struct dmarc_msg_state *state, size_t author,
                      struct dmarc_row *row)
{
    const struct dmarc_outcome *outcome = &state->outcomes[author];
    struct am_arena *arena = am_ctx_arena(ctx);
    const char *sender = am_domain_to_ascii(arena, am_ctx_msg(ctx)->sender.domain);

    *row = (struct dmarc_row){
        .time_s = am_ctx_clock(ctx)->wall_s(am_ctx_clock(ctx)),
        .source_ip = am_ctx_conn(ctx)->client_text,
        .dkim = outcome->dkim_aligned != NULL ? "pass" : "fail",
        .spf = outcome->spf_aligned != NULL ? "pass" : "fail",
        .header_from = state->from.domains[author],
        .envelope_from = sender == NULL ? "" : sender,
    };
    set_disposition(ctx, state, outcome, row);
    set_claims(row, &state->claims);
    return set_record(row, arena, outcome);
}
