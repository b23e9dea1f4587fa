#include "common/milter/ctx.h"

#include <stdarg.h>
#include <string.h>

#include "common/milter/transport.h"
#include "common/milter/witness.h"

const struct am_conn_info *am_ctx_conn(const struct am_ctx *ctx)
{
    return &ctx->session->info;
}

const struct am_msg_info *am_ctx_msg(const struct am_ctx *ctx)
{
    return ctx->session->message == NULL ? NULL : &ctx->session->message->info;
}

const void *am_ctx_conf(const struct am_ctx *ctx)
{
    return ctx->entry->conf;
}

void *am_ctx_derived(const struct am_ctx *ctx)
{
    return ctx->entry->derived;
}

void *am_ctx_conn_state(struct am_ctx *ctx)
{
    return ctx->session->state == NULL ? NULL : ctx->session->state[ctx->number];
}

void *am_ctx_msg_state(struct am_ctx *ctx)
{
    const struct am_message *message = ctx->session->message;

    return message == NULL || message->state == NULL ? NULL : message->state[ctx->number];
}

struct am_arena *am_ctx_arena(struct am_ctx *ctx)
{
    struct am_message *message = ctx->session->message;

    return message == NULL ? ctx->session->arena : message->arena;
}

struct am_arena *am_ctx_conn_arena(struct am_ctx *ctx)
{
    return ctx->session->arena;
}

const char *am_ctx_macro(struct am_ctx *ctx, const char *name)
{
    return ctx->session->ops->macro(ctx->session->peer, name);
}

unsigned am_ctx_actions(const struct am_ctx *ctx)
{
    return ctx->session->agreement.actions & ctx->entry->module->actions;
}

struct am_resolver *am_ctx_resolver(struct am_ctx *ctx)
{
    return ctx->session->resolver != NULL ? ctx->session->resolver
                                          : ctx->session->runtime->resolver;
}

struct am_resolver *am_ctx_conn_resolver(struct am_ctx *ctx)
{
    return ctx->session->conn_resolver != NULL ? ctx->session->conn_resolver : am_ctx_resolver(ctx);
}

const struct am_clock *am_ctx_clock(const struct am_ctx *ctx)
{
    return ctx->session->runtime->clock;
}

void am_ctx_before_wait(struct am_ctx *ctx)
{
    (void)ctx; /* threads wait, not connections */
    am_transport_before_wait();
}

int64_t am_ctx_deadline_us(const struct am_ctx *ctx)
{
    return ctx->deadline_us;
}

const char *am_ctx_authserv_id(const struct am_ctx *ctx)
{
    return ctx->session->authserv_id;
}

bool am_ctx_is_shadow(const struct am_ctx *ctx)
{
    return am_shadow_is_on(ctx->session);
}

const struct am_results *am_ctx_results(const struct am_ctx *ctx)
{
    const struct am_message *message = ctx->session->message;

    return message == NULL ? &ctx->session->results : &message->results;
}

void am_ctx_publish(struct am_ctx *ctx, const struct am_result *result)
{
    struct am_message *message = ctx->session->message;
    struct am_results *results = message == NULL ? &ctx->session->results : &message->results;
    struct am_counters *counters = ctx->session->runtime->counters;

    if (message != NULL)
        message->flags[ctx->number] |= AM_MODULE_PUBLISHED;
    if (!am_results_add(results, am_ctx_arena(ctx), ctx->entry->module->name, result)) {
        am_counters_add(counters, AM_COUNT_RESULTS_DROPPED, 1);
        am_ctx_log(ctx, AM_LOG_WARNING, "no room for the result %s=%s", result->method,
                   result->result);
        return;
    }
    am_counters_result(counters, result->method, result->result);
    am_top_count(ctx->session->runtime->top, result);
    am_witness_result(ctx->session, ctx->stage, ctx->entry->module->name, result);
}

bool am_ctx_set_reply(struct am_ctx *ctx, int code, const char *xcode, const char *text)
{
    ctx->reply = am_reply_new(am_ctx_arena(ctx), code, xcode, text);
    if (ctx->reply == NULL)
        am_ctx_log(ctx, AM_LOG_WARNING, "reply %d %s does not fit together; the default is used",
                   code, xcode == NULL ? "" : xcode);
    return ctx->reply != NULL;
}

void am_ctx_set_quarantine(struct am_ctx *ctx, const char *reason)
{
    struct am_message *message = ctx->session->message;

    if (message != NULL && message->quarantine == NULL)
        message->quarantine = am_reply_clean(message->arena, reason, false);
}

bool am_ctx_is_outgoing(const struct am_ctx *ctx)
{
    return ctx->session->message != NULL && ctx->session->message->outgoing;
}

void am_ctx_set_outgoing(struct am_ctx *ctx)
{
    if (ctx->session->message != NULL)
        ctx->session->message->outgoing = true;
}

/* Keys of the log are of [a-z0-9_]; a module's name may hold a hyphen. */
static char *note_key(struct am_ctx *ctx, const char *key)
{
    char *text = am_arena_printf(am_ctx_arena(ctx), "%s_%s", ctx->entry->module->name, key);

    for (char *c = text; c != NULL && *c != '\0'; c++)
        *c = am_is_alnum((unsigned char)*c) ? am_lower(*c) : '_';
    return text;
}

void am_ctx_note(struct am_ctx *ctx, const char *key, const char *format, ...)
{
    struct am_message *message = ctx->session->message;
    if (message == NULL ||
        (!am_log_enabled(AM_LOG_INFO) && ctx->session->runtime->recent == NULL &&
         ctx->session->runtime->reporter.report == NULL && ctx->session->capture == NULL))
        return;

    va_list args;
    va_start(args, format);
    struct am_note *note = am_arena_alloc(message->arena, sizeof(*note));
    char *value = am_arena_vprintf(message->arena, format, args);
    va_end(args);
    if (note == NULL || value == NULL)
        return;
    note->key = note_key(ctx, key);
    note->value = value;
    if (note->key == NULL)
        return;
    if (message->last_note == NULL)
        message->notes = note;
    else
        message->last_note->next = note;
    message->last_note = note;
}

void am_ctx_log(struct am_ctx *ctx, enum am_log_level level, const char *format, ...)
{
    if (!am_log_enabled(level))
        return;

    va_list args;
    va_start(args, format);
    const char *text = am_arena_vprintf(am_ctx_arena(ctx), format, args);
    va_end(args);
    am_session_log(ctx->session, level, "%s: %s", ctx->entry->module->name,
                   text == NULL ? "memory is short; the sentence is lost" : text);
}

bool am_ctx_is_observed(const struct am_ctx *ctx)
{
    return ctx->entry->observe || ctx->session->runtime->milter->observe ||
           am_shadow_is_on(ctx->session);
}

/*
 * Longest list of verdicts held back. There is one for each recipient, and each makes a longer copy
 * of the list: without an end a message with many recipients would take all the memory it may have.
 */
#define OBSERVED_MAX 2000

void am_ctx_hold_back(struct am_ctx *ctx, enum am_verdict verdict, const char *why)
{
    struct am_message *message = ctx->session->message;

    am_counters_add(ctx->session->runtime->counters, AM_COUNT_OBSERVED, 1);
    if (message == NULL) {
        am_ctx_log(ctx, AM_LOG_INFO, "observed only: would %s at %s%s%s", am_verdict_word(verdict),
                   am_stage_word(ctx->stage), why == NULL ? "" : ": ", why == NULL ? "" : why);
        return;
    }
    if (message->observed != NULL && strlen(message->observed) > OBSERVED_MAX)
        return;
    const char *text = am_arena_printf(
        message->arena, "%s%s%s:%s%s%s", message->observed == NULL ? "" : message->observed,
        message->observed == NULL ? "" : "; ", ctx->entry->module->name, am_verdict_word(verdict),
        why == NULL ? "" : " ", why == NULL ? "" : why);
    if (text != NULL)
        message->observed = text;
}

void am_ctx_observe(struct am_ctx *ctx, enum am_verdict verdict, const char *why)
{
    am_ctx_hold_back(ctx, verdict, why);
}

void am_ctx_count(struct am_ctx *ctx, const char *name, const char *label, uint64_t amount)
{
    am_counters_module(ctx->session->runtime->counters, ctx->entry->module->name, name, label,
                       amount);
}
