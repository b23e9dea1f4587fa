#include <string.h>

#include "common/milter/capture.h"
#include "common/milter/ctx.h"
#include "common/milter/settle.h"

/* The events of a message, up to its end. */

/*
 * {auth_authen} belongs to the connection, but the MTA tells it with each MAIL.
 * Returns: false when memory is short: without its name nobody knows what a user may do.
 */
static bool learn_user(struct am_session *session)
{
    const char *user = session->ops->macro(session->peer, "{auth_authen}");

    if (user == NULL)
        user = "";
    if (strcmp(user, session->info.auth_user) == 0)
        return true;
    const char *copy = am_arena_copy(session->arena, am_span_str(user));
    session->info.auth_user = copy == NULL ? "" : copy;
    return copy != NULL;
}

/* A program that is about to stop takes no new message; where MAIL is not answered, eom is. */
static enum am_verdict put_off_for_drain(struct am_session *session)
{
    struct am_message *message = session->message;
    const struct am_decision decision = {
        .verdict = AM_TEMPFAIL,
        .why = "the program is stopping",
        .stage = am_stage_word(AM_STAGE_ENVFROM),
        .reply = am_reply_new(message->arena, 451, "4.3.2",
                              "The mail filter is being restarted, try again")};

    /* Not under way: the drain does not wait for it. */
    message->put_off = true;
    am_counters_add(session->runtime->counters, AM_COUNT_MESSAGES_OPEN, -1);
    message->accepted = true;
    am_decision_merge(&message->kept, &decision);
    if ((session->agreement.answered & AM_STAGE_ENVFROM) == 0 || am_shadow_is_on(session))
        return AM_CONTINUE;
    am_settle_reply(session, &decision);
    am_message_end(session, AM_MESSAGE_VERDICT, &decision);
    return AM_TEMPFAIL;
}

enum am_verdict am_session_mail(struct am_session *session, const char *sender,
                                const char *const *params, size_t param_count, bool draining)
{
    if (!session->connected)
        am_session_begin(session, NULL, NULL);
    am_message_end(session, AM_MESSAGE_ABORTED, NULL);
    am_capture_stage(session, AM_STAGE_ENVFROM);
    am_capture_mail(session, sender, params, param_count);
    if (!learn_user(session) || !am_message_begin(session, sender, params, param_count)) {
        am_session_log(session, AM_LOG_ERROR, "memory is short; a message is put off");
        session->memory_short = !am_shadow_is_on(session);
        return session->memory_short && session->agreement.answered & AM_STAGE_ENVFROM
                   ? AM_TEMPFAIL
                   : AM_CONTINUE;
    }
    if (draining)
        return put_off_for_drain(session);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_ENVFROM});
}

/* Postfix and Sendmail mark recipients that they refused themselves by their mailer. */
static bool was_rejected(struct am_session *session)
{
    if (!session->agreement.rejected_rcpt)
        return false;
    const char *mailer = session->ops->macro(session->peer, "{rcpt_mailer}");
    return mailer != NULL && strcmp(mailer, "error") == 0;
}

enum am_verdict am_session_rcpt(struct am_session *session, const char *recipient,
                                const char *const *params, size_t param_count)
{
    const struct am_esmtp_params esmtp = {params, param_count};
    struct am_address address;

    if (session->message == NULL)
        return AM_CONTINUE;
    am_capture_stage(session, AM_STAGE_ENVRCPT);
    (void)am_address_parse(&address, am_span_str(recipient));
    const struct am_event event = {.stage = AM_STAGE_ENVRCPT,
                                   .recipient = &address,
                                   .recipient_text = recipient,
                                   .params = &esmtp,
                                   .rejected = was_rejected(session)};
    enum am_verdict verdict = am_settle_event(session, &event);
    if (!event.rejected)
        am_capture_rcpt(session, recipient, verdict);
    if (session->message != NULL && verdict == AM_CONTINUE && !event.rejected)
        session->message->info.recipient_count++;
    return verdict;
}

enum am_verdict am_session_data(struct am_session *session)
{
    am_capture_stage(session, AM_STAGE_DATA);
    if (session->message != NULL)
        am_message_learn_queue_id(session);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_DATA});
}

/* Counts a field against the limits. Returns false when modules do not get to see it. */
static bool count_header(struct am_session *session, struct am_span name, struct am_span value)
{
    const struct am_milter_options *options = session->runtime->milter;
    struct am_message *message = session->message;

    message->info.header_count++;
    message->header_bytes += (int64_t)(name.len + value.len);
    if (message->info.headers_cut)
        return false;
    if ((int64_t)message->info.header_count <= options->max_headers &&
        message->header_bytes <= options->max_header_bytes)
        return true;
    message->info.headers_cut = true;
    am_session_log(session, AM_LOG_WARNING,
                   "more than %lld header fields or %lld bytes of them; the rest is not looked at "
                   "(milter.max_headers, milter.max_header_bytes)",
                   (long long)options->max_headers, (long long)options->max_header_bytes);
    return false;
}

/* Tells whether a line end stands there as a lone LF. */
static bool has_lone_lf(struct am_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        i += am_span_find(am_span_of(value.ptr + i, value.len - i), '\n');
        if (i < value.len && (i == 0 || value.ptr[i - 1] != '\r'))
            return true;
    }
    return false;
}

/*
 * MTAs send folds as LF, some as CR LF: modules see LF. Where this message has an LF alone, a CR
 * in front of another is an octet of the message and stays: it goes on with the mail.
 */
static struct am_span without_cr(struct am_message *message, struct am_span value)
{
    message->folds_by_lf = message->folds_by_lf || has_lone_lf(value);
    if (message->folds_by_lf || value.len == 0 || memchr(value.ptr, '\r', value.len) == NULL)
        return value;
    char *copy = am_arena_alloc(message->arena, value.len + 1);
    if (copy == NULL)
        return value;
    size_t used = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != '\r' || i + 1 == value.len || value.ptr[i + 1] != '\n')
            copy[used++] = value.ptr[i];
    }
    return am_span_of(copy, used);
}

enum am_verdict am_session_header(struct am_session *session, const char *name, const char *value)
{
    struct am_message *message = session->message;
    struct am_header field = {am_span_str(name), am_span_str(value), 0};

    if (message == NULL)
        return AM_CONTINUE;
    am_capture_field(session, name, value);
    if (am_shadow_is_on(session))
        am_shadow_take(session, field.name, field.value);
    if (session->scrub.mode != AM_SCRUB_NONE)
        am_scrub_take(&message->scrub, message->arena, &session->scrub, field.name, field.value);
    if (!count_header(session, field.name, field.value) ||
        (session->modules_want & AM_STAGE_HEADER) == 0 || message->accepted || session->accepted)
        return AM_CONTINUE;
    field.index = am_header_index_next(&message->index, message->arena, field.name);
    field.value = without_cr(message, field.value);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_HEADER, .field = &field});
}

enum am_verdict am_session_eoh(struct am_session *session)
{
    am_capture_stage(session, AM_STAGE_EOH);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_EOH});
}

enum am_verdict am_session_body(struct am_session *session, struct am_span chunk)
{
    am_capture_body_piece(session, chunk);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_BODY, .chunk = chunk});
}
