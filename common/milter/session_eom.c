#include "common/milter/capture.h"
#include "common/milter/ctx.h"
#include "common/milter/header_out.h"
#include "common/milter/runtime_modules.h"
#include "common/milter/settle.h"

/* The end of a message: the last verdicts, the edits, the answer. */

/* Forged fields are deleted by the numbers they came in with, like every other edit of a field. */
static bool queue_scrub(struct am_session *session)
{
    struct am_message *message = session->message;
    size_t count = am_scrub_count(&message->scrub);

    if (count == 0)
        return true;
    if ((session->agreement.actions & AM_ACTION_CHANGE_HEADER) == 0) {
        am_session_log(session, AM_LOG_ERROR,
                       "%zu forged fields stay: the MTA does not let us delete them", count);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const struct am_edit edit = {.kind = AM_EDIT_CHANGE_HEADER,
                                     .index = am_scrub_nth(&message->scrub, i),
                                     .name = AM_SCRUB_FIELD};
        if (!am_edits_add(&message->edits, message->arena, &edit))
            return false;
    }
    am_counters_add(session->runtime->counters, AM_COUNT_SCRUBBED, (int64_t)count);
    return true;
}

/*
 * Most forged fields that are removed. A mail server looks for each from the top of the header, so
 * that their square counts: 1,000 cost Postfix 50 ms, the 200,000 of a 10 MB message half an hour.
 */
#define SCRUB_MAX 1000

/* Tells whether the message brings in so many forged fields that it is refused, and decides so. */
static bool refuse_flood(struct am_session *session, struct am_decision *decision)
{
    struct am_message *message = session->message;

    if (am_scrub_count(&message->scrub) <= SCRUB_MAX)
        return false;
    *decision = (struct am_decision){.verdict = AM_REJECT,
                                     .why = "too many forged fields",
                                     .stage = am_stage_word(AM_STAGE_EOM),
                                     .reply = am_reply_new(message->arena, 550, "5.7.0",
                                                           "Too many " AM_SCRUB_FIELD
                                                           " fields in the name of this host")};
    am_settle_reply(session, decision);
    return true;
}

static bool send_header(struct am_session *session)
{
    const struct am_message *message = session->message;

    if (!session->runtime->authres->add_header ||
        (session->agreement.actions & AM_ACTION_ADD_HEADER) == 0)
        return true;
    bool outgoing = message->outgoing || session->info.role == AM_ROLE_SUBMISSION;
    if (message->results.count == 0 && (outgoing || !am_runtime_reports(session->runtime)))
        return true;
    return am_header_out_send(session);
}

static bool send_quarantine(struct am_session *session, const struct am_decision *decision)
{
    const char *reason = decision->why;

    if (decision->verdict != AM_QUARANTINE)
        return true;
    if ((session->agreement.actions & AM_ACTION_QUARANTINE) == 0) {
        am_session_log(session, AM_LOG_ERROR,
                       "cannot be quarantined: the module or the MTA does not offer it");
        return true;
    }
    return session->ops->quarantine(
        session->peer, reason == NULL || *reason == '\0' ? "held by the mail filter" : reason);
}

/* Sends everything that changes the message. Half an edit is worse than a second try. */
static bool send_all(struct am_session *session, const struct am_decision *decision)
{
    struct am_message *message = session->message;

    return queue_scrub(session) &&
           am_edits_send(&message->edits, message->arena, session->ops, session->peer) &&
           send_header(session) && send_quarantine(session, decision);
}

static struct am_decision conclude(struct am_session *session)
{
    struct am_message *message = session->message;
    struct am_decision decision = message->kept;

    if ((session->modules_want & AM_STAGE_EOM) != 0 && !message->accepted && !session->accepted) {
        struct am_outcome outcome = am_dispatch(session, &(struct am_event){.stage = AM_STAGE_EOM});
        am_decision_merge(&decision, &outcome.decision);
    }
    if (am_shadow_is_on(session)) {
        /* A message that was put off, or a connection without memory, has not been judged. */
        if (!message->accepted && !session->accepted)
            am_shadow_finish(session);
        return (struct am_decision){0};
    }
    if (am_verdict_severity(decision.verdict) >= am_verdict_severity(AM_TEMPFAIL)) {
        am_settle_reply(session, &decision);
        return decision;
    }
    if (refuse_flood(session, &decision))
        return decision;
    if (!send_all(session, &decision)) {
        am_session_log(session, AM_LOG_ERROR,
                       "the edits could not be sent; the message is put off");
        decision = (struct am_decision){.verdict = AM_TEMPFAIL,
                                        .why = "edits could not be sent",
                                        .stage = am_stage_word(AM_STAGE_EOM)};
    }
    return decision;
}

enum am_verdict am_session_eom(struct am_session *session)
{
    struct am_message *message = session->message;
    const struct am_clock *clock = session->runtime->clock;

    if (message == NULL) {
        bool short_of_memory = session->memory_short;
        session->memory_short = false;
        return short_of_memory ? AM_TEMPFAIL : AM_CONTINUE;
    }
    int64_t start_us = am_clock_now_us(clock);
    am_capture_stage(session, AM_STAGE_EOM);
    am_message_learn_queue_id(session);
    struct am_decision decision = conclude(session);
    message->spent_us += am_clock_now_us(clock) - start_us;
    am_message_end(session, AM_MESSAGE_VERDICT, &decision);
    return am_verdict_severity(decision.verdict) >= am_verdict_severity(AM_TEMPFAIL)
               ? decision.verdict
               : AM_CONTINUE;
}
