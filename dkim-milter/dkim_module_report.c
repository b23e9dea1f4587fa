#include "dkim-milter/dkim_module_result.h"
#include "dkim-milter/dkim_module_state.h"

/* Signatures that are named in the decision line; all of them stand in Authentication-Results. */
#define NOTED_MAX 10

static void publish(struct am_ctx *ctx, const struct dkim_outcome *outcome, size_t prefix)
{
    struct am_result result;

    dkim_module_result(&result, am_ctx_arena(ctx), outcome, prefix, am_ctx_msg(ctx)->smtputf8);
    am_ctx_publish(ctx, &result);
}

static void publish_bare(struct am_ctx *ctx, enum dkim_result word, const char *reason)
{
    struct am_result result = {
        .method = "dkim", .result = dkim_result_word(word), .reason = reason};

    am_ctx_publish(ctx, &result);
}

/* Adds "example.org/selector:fail:body-hash-mismatch" to the list for the decision line. */
static void describe(struct am_buf *out, const struct dkim_outcome *outcome)
{
    const struct dkim_signature *parts = outcome->parts;

    if (out->len > 0)
        am_buf_add_char(out, ' ');
    am_buf_printf(out, "%s/%s:%s", parts->ascii_domain == NULL ? "?" : parts->ascii_domain,
                  parts->ascii_selector == NULL ? "?" : parts->ascii_selector,
                  dkim_result_word(outcome->result));
    if (outcome->reason != DKIM_REASON_NONE)
        am_buf_printf(out, ":%s", dkim_reason_word(outcome->reason));
}

static void note_signatures(struct am_ctx *ctx, const struct dkim_report *report)
{
    size_t total = report->count + report->more;
    bool testing = false;
    struct am_buf list;

    am_buf_init(&list, 0);
    for (size_t i = 0; i < report->count; i++) {
        if (i < NOTED_MAX)
            describe(&list, &report->outcomes[i]);
        testing = testing || report->outcomes[i].testing;
    }
    if (!list.failed)
        am_ctx_note(ctx, "signatures", "%s", am_buf_str(&list));
    am_buf_fini(&list);
    if (total > NOTED_MAX)
        am_ctx_note(ctx, "more_signatures", "%zu", total - NOTED_MAX);
    if (testing)
        am_ctx_note(ctx, "testing", "yes");
    if (report->more > 0) {
        am_ctx_log(ctx, AM_LOG_NOTICE,
                   "%zu signatures in one message: %d of them are listed in the results", total,
                   DKIM_OUTCOMES_MAX);
        am_ctx_count(ctx, "signatures", "not-listed", report->more);
    }
}

void dkim_module_report(struct am_ctx *ctx, const struct dkim_msg_state *state)
{
    const struct dkim_report *report = state->verifying.report;
    size_t prefix = dkim_module_signature_prefix(report);
    enum dkim_result best = report->best;

    for (size_t i = 0; i < report->count; i++) {
        const struct dkim_outcome *outcome = &report->outcomes[i];

        publish(ctx, outcome, prefix);
        am_ctx_count(ctx, "signatures", dkim_result_word(outcome->result), 1);
        if (outcome->reason != DKIM_REASON_NONE)
            am_ctx_count(ctx, "reasons", dkim_reason_word(outcome->reason), 1);
    }
    if (report->count == 0 && am_ctx_msg(ctx)->headers_cut) {
        best = DKIM_POLICY;
        publish_bare(ctx, best, dkim_reason_text(DKIM_REASON_HEADER_TOO_LARGE));
    } else if (report->count == 0) {
        publish_bare(ctx, DKIM_NONE, NULL);
    }
    am_ctx_count(ctx, "messages", dkim_result_word(best), 1);
    am_ctx_note(ctx, "result", "%s", dkim_result_word(best));
    if (report->count > 0)
        note_signatures(ctx, report);
    if (report->author.len > 0)
        am_ctx_note(ctx, "author", "%.*s", (int)report->author.len, report->author.ptr);
    if (state->verifying.finish_us > 0)
        am_ctx_note(ctx, "finish_us", "%lld", (long long)state->verifying.finish_us);
}

void dkim_module_report_exempt(struct am_ctx *ctx, const char *why)
{
    am_ctx_note(ctx, "exempt", "%s", why);
    am_ctx_count(ctx, "exempt", why, 1);
}
