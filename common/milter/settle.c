#include "common/milter/settle.h"

#include "common/milter/ctx.h"
#include "common/milter/decision_line.h"
#include "common/milter/witness.h"

#define CONNECTION_STAGES (AM_STAGE_CONNECT | AM_STAGE_HELO)
#define CONTENT_STAGES (AM_STAGE_DATA | AM_STAGE_HEADER | AM_STAGE_EOH | AM_STAGE_BODY)

void am_settle_reply(struct am_session *session, const struct am_decision *decision)
{
    if (am_verdict_takes_reply(decision->verdict, decision->reply) &&
        !session->ops->set_reply(session->peer, decision->reply))
        am_session_log(session, AM_LOG_WARNING,
                       "the MTA library refused reply %d; its default is used",
                       decision->reply->code);
}

static struct am_decision *kept_of(struct am_session *session)
{
    return session->message != NULL ? &session->message->kept : &session->kept;
}

/* Tells whether the framework has nothing to do at end of message, so that none is needed. */
static bool nothing_left(const struct am_session *session)
{
    const struct am_message *message = session->message;
    const struct am_results *results = message == NULL ? &session->results : &message->results;
    const struct am_decision *kept = message == NULL ? &session->kept : &message->kept;

    return session->scrub.mode == AM_SCRUB_NONE &&
           (results->count == 0 || !session->runtime->authres->add_header) &&
           am_verdict_severity(kept->verdict) <= am_verdict_severity(AM_ACCEPT);
}

/*
 * ACCEPT means that no module is asked again. The MTA is told only when no forged field has to be
 * removed and no result to be written: otherwise an exempt client could bring in any header.
 */
static enum am_verdict settle_accept(struct am_session *session, enum am_stage stage,
                                     const struct am_decision *decision)
{
    bool answered = session->agreement.answered & stage;

    am_decision_merge(kept_of(session), decision);
    if (session->message != NULL)
        session->message->accepted = true;
    else
        session->accepted = true;
    if (!answered || !nothing_left(session))
        return AM_CONTINUE;
    if (session->message == NULL) {
        am_witness_answer(session, decision);
        am_decision_line_connection(session, decision);
    } else {
        am_message_end(session, AM_MESSAGE_VERDICT, decision);
    }
    return AM_ACCEPT;
}

static bool is_per_recipient(enum am_verdict verdict, const struct am_event *event)
{
    return event->stage == AM_STAGE_ENVRCPT && verdict != AM_DISCARD;
}

/* REJECT, TEMPFAIL or DISCARD where the MTA waits for it. */
static enum am_verdict settle_refusal(struct am_session *session, const struct am_event *event,
                                      const struct am_decision *decision)
{
    struct am_message *message = session->message;
    struct am_decision final = *decision;

    if (message == NULL) {
        am_settle_reply(session, decision);
        am_witness_answer(session, decision);
        am_decision_line_connection(session, decision);
        return decision->verdict;
    }
    if (is_per_recipient(decision->verdict, event)) {
        message->rejected_rcpts++;
        am_settle_reply(session, decision);
        am_witness_answer(session, decision);
        am_decision_line_recipient(session, event->recipient_text, decision);
        return decision->verdict;
    }
    am_decision_merge(&final, &message->kept);
    am_settle_reply(session, &final);
    am_message_end(session, AM_MESSAGE_VERDICT, &final);
    return final.verdict;
}

/*
 * A command that the MTA does not know belongs to no message and decides nothing about any: it can
 * be refused where the MTA waits for it, and that is all.
 */
static enum am_verdict settle_command(struct am_session *session,
                                      const struct am_decision *decision)
{
    if ((session->agreement.answered & AM_STAGE_UNKNOWN) == 0 ||
        (decision->verdict != AM_REJECT && decision->verdict != AM_TEMPFAIL))
        return AM_CONTINUE;
    am_settle_reply(session, decision);
    am_witness_answer(session, decision);
    am_decision_line_connection(session, decision);
    return decision->verdict;
}

/*
 * Tells whether a refusal can be given now. Neither MTA knows how to discard a connection: each of
 * its messages is discarded.
 */
static bool is_answerable(const struct am_session *session, enum am_stage stage,
                          enum am_verdict verdict)
{
    return (session->agreement.answered & stage) != 0 &&
           (verdict != AM_DISCARD || (stage & CONNECTION_STAGES) == 0);
}

static enum am_verdict settle(struct am_session *session, const struct am_event *event,
                              const struct am_outcome *outcome)
{
    const struct am_decision *decision = &outcome->decision;
    bool answered = session->agreement.answered & event->stage;

    if (event->stage == AM_STAGE_UNKNOWN)
        return settle_command(session, decision);
    switch (am_shadow_is_on(session) ? AM_CONTINUE : decision->verdict) {
    case AM_ACCEPT:
        return settle_accept(session, event->stage, decision);
    case AM_QUARANTINE:
        am_decision_merge(kept_of(session), decision);
        return AM_CONTINUE;
    case AM_TEMPFAIL:
    case AM_DISCARD:
    case AM_REJECT:
        if (is_answerable(session, event->stage, decision->verdict))
            return settle_refusal(session, event, decision);
        am_decision_merge(kept_of(session), decision);
        return AM_CONTINUE;
    default:
        break;
    }
    return outcome->skip_body && answered && session->agreement.skip_body ? AM_SKIP_BODY
                                                                          : AM_CONTINUE;
}

enum am_verdict am_settle_event(struct am_session *session, const struct am_event *event)
{
    struct am_message *message = session->message;
    const struct am_clock *clock = session->runtime->clock;

    if ((session->modules_want & event->stage) == 0 || session->accepted ||
        (message != NULL && message->accepted))
        return AM_CONTINUE;
    if (message == NULL && (event->stage & (CONNECTION_STAGES | AM_STAGE_UNKNOWN)) == 0)
        return AM_CONTINUE;

    int64_t start_us = am_clock_now_us(clock);
    struct am_outcome outcome = am_dispatch(session, event);
    if (message != NULL) {
        int64_t spent_us = am_clock_now_us(clock) - start_us;
        message->spent_us += spent_us;
        if (event->stage & CONTENT_STAGES)
            message->content_spent_us += spent_us;
    }
    return settle(session, event, &outcome);
}
