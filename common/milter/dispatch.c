#include "common/milter/dispatch.h"

#include "common/milter/ctx.h"
#include "common/milter/witness.h"

/* A module that returns this long after its deadline has missed it; below that it just met it. */
#define LATE_US 500000

/* How long a silent end-of-message may last before the MTA is told that work goes on. */
#define PROGRESS_US 5000000

static enum am_verdict call_module(struct am_eom_ctx *eom, const struct am_event *event)
{
    const struct am_module *module = eom->base.entry->module;
    struct am_ctx *ctx = &eom->base;

    switch (event->stage) {
    case AM_STAGE_CONNECT:
        return module->connect(ctx);
    case AM_STAGE_HELO:
        return module->helo(ctx);
    case AM_STAGE_ENVFROM:
        return module->envfrom(ctx);
    case AM_STAGE_ENVRCPT:
        return module->envrcpt(ctx, event->recipient, event->params, event->rejected);
    case AM_STAGE_DATA:
        return module->data(ctx);
    case AM_STAGE_HEADER:
        return module->header(ctx, event->field);
    case AM_STAGE_EOH:
        return module->eoh(ctx);
    case AM_STAGE_BODY:
        return module->body(ctx, event->chunk);
    case AM_STAGE_EOM:
        return module->eom(eom);
    case AM_STAGE_UNKNOWN:
        return module->unknown(ctx, event->command);
    }
    return AM_CONTINUE;
}

/* The end of a stage's budget. What comes after DATA shares the message's. */
static int64_t deadline_of(const struct am_session *session, enum am_stage stage, int64_t now_us)
{
    const struct am_milter_options *options = session->runtime->milter;

    if (stage & (AM_STAGE_CONNECT | AM_STAGE_HELO))
        return now_us + options->connect_budget_ms * 1000;
    if (stage & (AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT | AM_STAGE_UNKNOWN))
        return now_us + options->envelope_budget_ms * 1000;
    int64_t left_us = options->message_budget_ms * 1000;
    if (session->message != NULL)
        left_us -= session->message->content_spent_us;
    return now_us + (left_us > 0 ? left_us : 0);
}

static bool published(const struct am_ctx *ctx)
{
    const struct am_message *message = ctx->session->message;
    if (message != NULL)
        return message->flags[ctx->number] & AM_MODULE_PUBLISHED;

    const struct am_results *results = &ctx->session->results;
    for (size_t i = 0; i < results->count; i++) {
        if (results->modules[i] == ctx->entry->module->name)
            return true;
    }
    return false;
}

static void note_failure(struct am_ctx *ctx, const char *why)
{
    struct am_message *message = ctx->session->message;

    am_counters_add(ctx->session->runtime->counters, AM_COUNT_FAILURES, 1);
    am_ctx_log(ctx, AM_LOG_WARNING, "failed at %s: %s", am_stage_word(ctx->stage), why);
    if (message == NULL)
        return;
    message->flags[ctx->number] |= AM_MODULE_DONE;
    const char *former = message->failures;
    const char *text = am_arena_printf(message->arena, "%s%s%s at %s: %s",
                                       former == NULL ? "" : former, former == NULL ? "" : "; ",
                                       ctx->entry->module->name, am_stage_word(ctx->stage), why);
    if (text != NULL)
        message->failures = text;
}

/* What becomes of a message that a module fails at: its own word, or that of milter.on_failure. */
static enum am_verdict on_failure(const struct am_ctx *ctx)
{
    const struct am_runtime_module *entry = ctx->entry;
    enum am_verdict own =
        entry->module->failure == NULL ? AM_FAIL : entry->module->failure(entry->conf);

    if (own != AM_FAIL)
        return own;
    switch ((enum am_failure_action)ctx->session->runtime->milter->on_failure) {
    case AM_FAILURE_TEMPFAIL:
        return AM_TEMPFAIL;
    case AM_FAILURE_REJECT:
        return AM_REJECT;
    case AM_FAILURE_QUARANTINE:
        return AM_QUARANTINE;
    case AM_FAILURE_ACCEPT:
        break;
    }
    return AM_CONTINUE;
}

/* Turns a failure into a result for the header and into what becomes of the message. */
static enum am_verdict fail(struct am_ctx *ctx, const char *why)
{
    const struct am_module *module = ctx->entry->module;
    const struct am_result result = {.method = module->method ? module->method : module->name,
                                     .result = "temperror",
                                     .reason = why};

    if (result.method[0] != '\0' && !published(ctx) && !am_ctx_is_outgoing(ctx))
        am_ctx_publish(ctx, &result);
    note_failure(ctx, why);
    switch (on_failure(ctx)) {
    case AM_TEMPFAIL:
        am_ctx_set_reply(ctx, 451, "4.3.0", "A mail check could not be completed, try again later");
        return AM_TEMPFAIL;
    case AM_REJECT:
        am_ctx_set_reply(ctx, 554, "5.3.0", "A mail check could not be completed");
        return AM_REJECT;
    case AM_QUARANTINE:
        am_ctx_set_quarantine(ctx, "a mail check could not be completed");
        return AM_QUARANTINE;
    default:
        return AM_CONTINUE;
    }
}

static struct am_decision decide(struct am_ctx *ctx, enum am_verdict verdict)
{
    const struct am_message *message = ctx->session->message;
    struct am_decision decision = {
        .verdict = verdict, .module = ctx->entry->module->name, .stage = am_stage_word(ctx->stage)};

    if (am_verdict_takes_reply(verdict, ctx->reply)) {
        decision.reply = ctx->reply;
        decision.why = ctx->reply->log_text;
    } else if (ctx->reply != NULL && (verdict == AM_REJECT || verdict == AM_TEMPFAIL)) {
        am_ctx_log(ctx, AM_LOG_WARNING, "reply %d does not go with %s; the default is used",
                   ctx->reply->code, am_verdict_word(verdict));
    }
    if (verdict == AM_QUARANTINE && message != NULL)
        decision.why = message->quarantine;
    if (am_verdict_severity(verdict) == 0 || !am_ctx_is_observed(ctx))
        return decision;
    am_ctx_hold_back(ctx, verdict, decision.why);
    return (struct am_decision){0};
}

static void call_one(struct am_eom_ctx *eom, const struct am_event *event,
                     struct am_outcome *outcome)
{
    struct am_ctx *ctx = &eom->base;
    struct am_message *message = ctx->session->message;
    enum am_verdict verdict = call_module(eom, event);
    bool late = am_clock_now_us(ctx->session->runtime->clock) > ctx->deadline_us + LATE_US;

    bool failed = verdict == AM_FAIL || (late && am_verdict_severity(verdict) == 0);
    am_witness_verdict(ctx->session, event->stage, ctx->entry->module->name, verdict, ctx->reply);
    if (failed)
        verdict = fail(ctx, verdict == AM_FAIL ? "internal failure" : "time budget exceeded");
    if (message != NULL && verdict == AM_DONE)
        message->flags[ctx->number] |= AM_MODULE_DONE;
    if (message != NULL && verdict == AM_SKIP_BODY && event->stage == AM_STAGE_BODY)
        message->flags[ctx->number] |= AM_MODULE_SKIP_BODY;
    if (am_verdict_severity(verdict) > 0) {
        struct am_decision decision = decide(ctx, verdict);
        am_decision_merge(&outcome->decision, &decision);
        /* The module is not asked about later recipients: none of them goes through unchecked. */
        if (failed && message != NULL && event->stage == AM_STAGE_ENVRCPT)
            am_decision_merge(&message->kept, &decision);
    }
}

/* Tells whether a module is to be called; what belongs to no message asks everyone. */
static bool is_due(const struct am_session *session, size_t number, enum am_stage stage)
{
    const struct am_message *message = session->message;

    if ((session->runtime->modules[number].wants & stage) == 0)
        return false;
    if (message == NULL || stage == AM_STAGE_UNKNOWN)
        return true;
    if (message->flags[number] & AM_MODULE_DONE)
        return false;
    return stage != AM_STAGE_BODY || (message->flags[number] & AM_MODULE_SKIP_BODY) == 0;
}

/* A recipient that the MTA refused is shown to who asked for such. */
static bool is_kept_from(const struct am_module *module, const struct am_event *event)
{
    return event->rejected && (module->needs & AM_NEEDS_REJECTED_RCPT) == 0;
}

static bool nobody_due(const struct am_session *session, enum am_stage stage)
{
    for (size_t i = 0; i < session->runtime->module_count; i++) {
        if (is_due(session, i, stage))
            return false;
    }
    return true;
}

struct am_outcome am_dispatch(struct am_session *session, const struct am_event *event)
{
    const struct am_runtime *runtime = session->runtime;
    const int64_t start_us = am_clock_now_us(runtime->clock);
    const int64_t deadline_us = deadline_of(session, event->stage, start_us);
    struct am_outcome outcome = {0};
    int64_t told_us = start_us;

    for (size_t i = 0; i < runtime->module_count; i++) {
        if (!is_due(session, i, event->stage) || is_kept_from(runtime->modules[i].module, event))
            continue;
        if (event->stage == AM_STAGE_EOM && i > 0) {
            int64_t now_us = am_clock_now_us(runtime->clock);
            if (now_us - told_us > PROGRESS_US) {
                session->ops->progress(session->peer);
                told_us = now_us;
            }
        }
        struct am_eom_ctx eom = {.base = {.session = session,
                                          .entry = &runtime->modules[i],
                                          .number = i,
                                          .stage = event->stage,
                                          .deadline_us = deadline_us}};
        call_one(&eom, event, &outcome);
        /* Nothing is more severe; the others could change only what nobody will see. */
        if (outcome.decision.verdict == AM_REJECT && event->stage != AM_STAGE_ENVRCPT)
            break;
    }
    if (event->stage == AM_STAGE_BODY)
        outcome.skip_body = nobody_due(session, AM_STAGE_BODY);
    return outcome;
}

void am_dispatch_end(struct am_session *session, bool of_message, bool aborted)
{
    const struct am_runtime *runtime = session->runtime;

    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_module *module = runtime->modules[i].module;
        void (*end)(struct am_ctx *) = of_message ? module->msg_end : module->conn_end;
        void (*abort)(struct am_ctx *) = aborted ? module->abort : NULL;
        if (end == NULL && abort == NULL)
            continue;
        struct am_ctx ctx = {.session = session,
                             .entry = &runtime->modules[i],
                             .number = i,
                             .stage = of_message ? AM_STAGE_EOM : AM_STAGE_CONNECT,
                             .deadline_us = am_clock_now_us(runtime->clock)};
        if (abort != NULL)
            abort(&ctx);
        if (end != NULL)
            end(&ctx);
    }
}
