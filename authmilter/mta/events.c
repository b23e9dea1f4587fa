#include "authmilter/mta/session.h"

#include <stdlib.h>
#include <string.h>

/* Longest body chunk: without the size bits, and with each. */
enum { CHUNK = 65535, CHUNK_256K = 262143, CHUNK_1M = 1048575 };

static size_t chunk_size(const struct mta_session *session)
{
    uint32_t agreed = session->terms.steps & session->offered_steps;
    if ((agreed & MTA_STEP_SIZE_1M) != 0)
        return CHUNK_1M;
    return (agreed & MTA_STEP_SIZE_256K) != 0 ? CHUNK_256K : CHUNK;
}

/* Keeps a verdict that ends the connection for the milter: later steps are not sent. */
static struct mta_reply end_connection(struct mta_session *session, struct mta_reply reply)
{
    if (reply.outcome != MTA_CONTINUE) {
        session->done_connection = true;
        session->verdict = reply;
    }
    return reply;
}

/* Keeps a verdict that ends the message for the milter. */
static struct mta_reply end_message(struct mta_session *session, struct mta_reply reply)
{
    if (reply.outcome == MTA_SHUTDOWN || reply.outcome == MTA_CONN_FAIL)
        return end_connection(session, reply);
    if (reply.outcome != MTA_CONTINUE && reply.outcome != MTA_SKIP) {
        session->done_message = true;
        session->verdict = reply;
    }
    return reply;
}

struct mta_reply mta_connect(struct mta_session *session, const struct mta_peer *peer)
{
    struct am_buf content;
    am_buf_init(&content, 0);
    mta_put_string(&content, am_span_str(peer->name));
    am_buf_add_char(&content, peer->family);
    if (peer->family != 'U') {
        char port[2] = {(char)(peer->port >> 8), (char)peer->port};
        am_buf_add(&content, am_span_of(port, 2));
        mta_put_string(&content, am_span_str(peer->address));
    }
    session->done_connection = false;
    struct mta_reply reply = mta_session_step(session, MTA_CMD_CONNECT, am_buf_span(&content),
                                              MTA_STEP_NO_CONNECT, MTA_STEP_NR_CONNECT);
    am_buf_fini(&content);
    return end_connection(session, reply);
}

static struct mta_reply text_step(struct mta_session *session, enum mta_command command,
                                  const char *text, const char *const *params, size_t param_count,
                                  uint32_t no_send, uint32_t no_reply)
{
    struct am_buf content;
    am_buf_init(&content, 0);
    mta_put_string(&content, am_span_str(text));
    for (size_t i = 0; i < param_count; i++)
        mta_put_string(&content, am_span_str(params[i]));
    struct mta_reply reply =
        mta_session_step(session, command, am_buf_span(&content), no_send, no_reply);
    am_buf_fini(&content);
    return reply;
}

struct mta_reply mta_helo(struct mta_session *session, const char *name)
{
    return end_connection(session, text_step(session, MTA_CMD_HELO, name, NULL, 0, MTA_STEP_NO_HELO,
                                             MTA_STEP_NR_HELO));
}

struct mta_reply mta_mail(struct mta_session *session, const char *sender,
                          const char *const *params, size_t param_count)
{
    mta_message_clear(&session->message);
    session->message.sender = strdup(sender);
    session->done_message = false;
    session->own_received = false;
    session->skip_body = false;
    session->edits = session->edit_bytes = 0;
    return end_message(session, text_step(session, MTA_CMD_MAIL, sender, params, param_count,
                                          MTA_STEP_NO_MAIL, MTA_STEP_NR_MAIL));
}

struct mta_reply mta_rcpt(struct mta_session *session, const char *recipient,
                          const char *const *params, size_t param_count)
{
    struct mta_reply reply = text_step(session, MTA_CMD_RCPT, recipient, params, param_count,
                                       MTA_STEP_NO_RCPT, MTA_STEP_NR_RCPT);
    if (reply.outcome == MTA_CONTINUE || reply.outcome == MTA_ACCEPT)
        mta_texts_add(&session->message.recipients, recipient);
    /* A refusal is for this recipient alone. */
    if (reply.outcome == MTA_REJECT || reply.outcome == MTA_TEMPFAIL)
        return reply;
    return end_message(session, reply);
}

struct mta_reply mta_rcpt_rejected(struct mta_session *session, const char *recipient,
                                   const char *const *params, size_t param_count,
                                   const char *status, const char *text)
{
    if (!session->broken && (session->terms.steps & MTA_STEP_RCPT_REJECTED) == 0)
        return mta_session_reply(MTA_CONTINUE, MTA_NOT_SENT);
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_mailer}", "error");
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_host}", status);
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_addr}", text);
    struct mta_reply reply = text_step(session, MTA_CMD_RCPT, recipient, params, param_count,
                                       MTA_STEP_NO_RCPT, MTA_STEP_NR_RCPT);
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_mailer}", NULL);
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_host}", NULL);
    mta_set_macro(session, MTA_CMD_RCPT, "{rcpt_addr}", NULL);
    return reply;
}

struct mta_reply mta_data(struct mta_session *session)
{
    return end_message(session, mta_session_step(session, MTA_CMD_DATA, (struct am_span){0},
                                                 MTA_STEP_NO_DATA, MTA_STEP_NR_DATA));
}

/* The MTA's own trace field heads the block and is never shown. */
static void put_own_received(struct mta_session *session)
{
    if (!session->own_received)
        mta_headers_append(&session->message.headers, "Received", " by the MTA itself", true);
    session->own_received = true;
}

struct mta_reply mta_header(struct mta_session *session, const char *name, const char *value)
{
    put_own_received(session);
    mta_headers_append(&session->message.headers, name, value, false);

    const char *shown = value;
    if ((session->terms.steps & MTA_STEP_HEADER_SPACE) == 0 && *shown == ' ')
        shown++;
    struct am_buf content;
    am_buf_init(&content, 0);
    mta_put_string(&content, am_span_str(name));
    mta_put_string(&content, am_span_str(shown));
    struct mta_reply reply = mta_session_step(session, MTA_CMD_HEADER, am_buf_span(&content),
                                              MTA_STEP_NO_HEADERS, MTA_STEP_NR_HEADER);
    am_buf_fini(&content);
    return end_message(session, reply);
}

struct mta_reply mta_eoh(struct mta_session *session)
{
    put_own_received(session);
    return end_message(session, mta_session_step(session, MTA_CMD_EOH, (struct am_span){0},
                                                 MTA_STEP_NO_EOH, MTA_STEP_NR_EOH));
}

struct mta_reply mta_body(struct mta_session *session, struct am_span text)
{
    struct mta_reply reply = mta_session_reply(MTA_CONTINUE, MTA_NOT_SENT);
    size_t most = chunk_size(session);
    am_buf_add(&session->message.body, text);
    while (text.len > 0 && !session->skip_body && reply.outcome == MTA_CONTINUE) {
        size_t len = text.len < most ? text.len : most;
        reply =
            end_message(session, mta_session_step(session, MTA_CMD_BODY, am_span_of(text.ptr, len),
                                                  MTA_STEP_NO_BODY, MTA_STEP_NR_BODY));
        text = am_span_of(text.ptr + len, text.len - len);
    }
    if (reply.outcome == MTA_SKIP) {
        session->skip_body = true;
        reply.outcome = MTA_CONTINUE;
    }
    return reply;
}

bool mta_skips_body(const struct mta_session *session)
{
    return session->skip_body;
}

struct mta_reply mta_eom(struct mta_session *session)
{
    put_own_received(session);
    struct mta_reply reply = mta_session_step(session, MTA_CMD_EOM, (struct am_span){0}, 0, 0);
    if (session->message.headers.failed)
        return mta_session_fail(session, "out of memory");
    return end_message(session, reply);
}

struct mta_reply mta_abort(struct mta_session *session)
{
    if (session->broken)
        return mta_session_fail(session, "broken");
    /* Also after a verdict for the message: Postfix does not remember that it had one. */
    session->done_message = false;
    if (!session->done_connection) {
        mta_put_packet(&session->out, MTA_CMD_ABORT, (struct am_span){0});
        mta_session_flush(session);
    }
    return session->broken ? mta_session_fail(session, "broken")
                           : mta_session_reply(MTA_CONTINUE, MTA_NOT_ANSWERED);
}

struct mta_reply mta_quit_nc(struct mta_session *session)
{
    if (session->broken)
        return mta_session_fail(session, "broken");
    session->done_connection = false;
    session->done_message = false;
    mta_put_packet(&session->out, MTA_CMD_QUIT_NC, (struct am_span){0});
    mta_session_flush(session);
    return session->broken ? mta_session_fail(session, "broken")
                           : mta_session_reply(MTA_CONTINUE, MTA_NOT_ANSWERED);
}

struct mta_reply mta_unknown(struct mta_session *session, const char *command)
{
    return text_step(session, MTA_CMD_UNKNOWN, command, NULL, 0, MTA_STEP_NO_UNKNOWN,
                     MTA_STEP_NR_UNKNOWN);
}
