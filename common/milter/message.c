#include "common/milter/message.h"

#include "common/milter/capture.h"
#include "common/milter/decision_line.h"
#include "common/milter/dispatch.h"
#include "common/milter/session.h"
#include "common/milter/witness.h"

#define FIRST_CHUNK 4096

void **am_module_states(struct am_arena *arena, const struct am_runtime *runtime, bool per_message)
{
    void **states = am_arena_alloc(arena, (runtime->module_count + 1) * sizeof(*states));
    if (states == NULL)
        return NULL;
    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_module *module = runtime->modules[i].module;
        size_t size = per_message ? module->msg_size : module->conn_size;
        if (size == 0)
            continue;
        states[i] = am_arena_alloc(arena, size);
        if (states[i] == NULL)
            return NULL;
    }
    return states;
}

static bool copy_params(struct am_message *message, const char *const *params, size_t count)
{
    const char **items = am_arena_alloc(message->arena, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        items[i] = am_arena_copy(message->arena, am_span_str(params[i]));
        if (items[i] == NULL)
            return false;
        if (am_span_equal_nocase(am_span_str(items[i]), am_span_str("SMTPUTF8")))
            message->info.smtputf8 = true;
    }
    message->info.sender_params = (struct am_esmtp_params){items, count};
    return true;
}

/* The connection's results are the message's first ones; their texts live long enough. */
static bool take_connection_results(struct am_message *message, const struct am_session *session)
{
    for (size_t i = 0; i < session->results.count; i++) {
        if (!am_results_add(&message->results, message->arena, session->results.modules[i],
                            &session->results.items[i]))
            return false;
    }
    return true;
}

static bool fill(struct am_message *message, const struct am_session *session, const char *sender,
                 const char *const *params, size_t param_count)
{
    message->info.queue_id = "";
    message->info.sender_text = am_arena_copy(message->arena, am_span_str(sender));
    message->flags = am_arena_alloc(message->arena, session->runtime->module_count + 1);
    message->state = am_module_states(message->arena, session->runtime, true);
    if (message->info.sender_text == NULL || message->flags == NULL || message->state == NULL)
        return false;
    /* A path that is none leaves its text as `full`; what that means is for the modules to say. */
    (void)am_address_parse(&message->info.sender, am_span_str(message->info.sender_text));
    message->kept = session->kept;
    return copy_params(message, params, param_count) && take_connection_results(message, session);
}

bool am_message_begin(struct am_session *session, const char *sender, const char *const *params,
                      size_t param_count)
{
    struct am_arena *arena = am_arena_new(FIRST_CHUNK, AM_MESSAGE_MEMORY_MAX);
    struct am_message *message = arena == NULL ? NULL : am_arena_alloc(arena, sizeof(*message));

    if (message == NULL) {
        am_arena_free(arena);
        return false;
    }
    message->arena = arena;
    if (!fill(message, session, sender, params, param_count)) {
        am_arena_free(arena);
        return false;
    }
    session->message = message;
    am_counters_add(session->runtime->counters, AM_COUNT_MESSAGES_OPEN, 1);
    am_message_learn_queue_id(session);
    return true;
}

void am_message_learn_queue_id(struct am_session *session)
{
    struct am_message *message = session->message;

    if (*message->info.queue_id != '\0')
        return;
    const char *id = session->ops->macro(session->peer, "i");
    const char *copy = id == NULL ? NULL : am_arena_copy(message->arena, am_span_str(id));
    if (copy != NULL)
        message->info.queue_id = copy;
}

static enum am_counter counter_of(enum am_verdict verdict)
{
    switch (verdict) {
    case AM_REJECT:
        return AM_COUNT_REJECTED;
    case AM_DISCARD:
        return AM_COUNT_DISCARDED;
    case AM_TEMPFAIL:
        return AM_COUNT_TEMPFAILED;
    case AM_QUARANTINE:
        return AM_COUNT_QUARANTINED;
    default:
        return AM_COUNT_ACCEPTED;
    }
}

static const char *action_word(enum am_verdict verdict)
{
    return am_verdict_severity(verdict) == 0 ? "accept" : am_verdict_word(verdict);
}

static void count_end(const struct am_session *session, enum am_message_end how,
                      const struct am_decision *decision)
{
    const struct am_message *message = session->message;
    struct am_counters *counters = session->runtime->counters;

    if (!message->put_off)
        am_counters_add(counters, AM_COUNT_MESSAGES_OPEN, -1);
    am_counters_latency(counters, message->spent_us);
    if (how == AM_MESSAGE_ABORTED) {
        am_counters_add(counters, AM_COUNT_ABORTED, 1);
        return;
    }
    am_counters_add(counters, AM_COUNT_MESSAGES, 1);
    am_counters_add(counters, counter_of(decision->verdict), 1);
}

void am_message_end(struct am_session *session, enum am_message_end how,
                    const struct am_decision *decision)
{
    struct am_message *message = session->message;

    session->memory_short = false;
    if (message == NULL)
        return;
    if (how != AM_MESSAGE_ABORTED)
        am_witness_answer(session, decision);
    am_dispatch_end(session, true, how == AM_MESSAGE_ABORTED);
    count_end(session, how, decision);
    if (how == AM_MESSAGE_ABORTED)
        decision = NULL;
    const char *action = decision == NULL ? "aborted" : action_word(decision->verdict);
    am_decision_line_message(session, action, decision);
    am_capture_message_end(session, action, decision);
    const struct am_reporter *reporter = &session->runtime->reporter;
    if (reporter->report != NULL)
        reporter->report(reporter->user, session, action, decision);
    session->message = NULL;
    am_arena_free(message->arena);
}
