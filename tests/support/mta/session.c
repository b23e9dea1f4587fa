#include "tests/support/mta/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mta_reply mta_session_fail(struct mta_session *session, const char *format, ...)
{
    if (!session->broken) {
        va_list args;
        va_start(args, format);
        vsnprintf(session->problem.text, sizeof(session->problem.text), format, args);
        va_end(args);
    }
    session->broken = true;
    return (struct mta_reply){MTA_ERROR, session->problem.text};
}

bool mta_session_flush(struct mta_session *session)
{
    struct am_problem problem = {""};
    bool ok =
        !session->out.failed && mta_wire_send(&session->wire, am_buf_span(&session->out), &problem);
    am_buf_clear(&session->out);
    if (!ok)
        mta_session_fail(session, "%s", problem.text);
    return ok;
}

static bool receive(struct mta_session *session, char *answer, struct am_span *content)
{
    struct am_problem problem = {""};
    if (mta_wire_receive(&session->wire, answer, content, &problem))
        return true;
    mta_session_fail(session, "%s", problem.text);
    return false;
}

/* Takes the bits the milter may choose from what was offered; anything else is its error. */
static bool read_terms(struct mta_session *session, struct am_span content, uint32_t actions,
                       uint32_t steps)
{
    struct mta_fields fields = mta_fields_of(content);
    uint32_t version = mta_fields_u32(&fields);
    session->terms.actions = mta_fields_u32(&fields);
    session->terms.steps = mta_fields_u32(&fields);
    if (fields.bad || version < 2 || version > session->terms.version) {
        mta_session_fail(session, "negotiation: version %u is not one we offered", version);
        return false;
    }
    session->terms.version = version;
    if ((session->terms.actions & ~actions) != 0 ||
        (session->terms.steps & ~(steps | MTA_STEP_SIZE_256K | MTA_STEP_SIZE_1M)) != 0) {
        mta_session_fail(session,
                         "negotiation: asked for actions 0x%x steps 0x%x, offered 0x%x 0x%x",
                         session->terms.actions, session->terms.steps, actions, steps);
        return false;
    }
    while (!fields.bad && fields.rest.len > 0) {
        uint32_t stage = mta_fields_u32(&fields);
        const char *names = mta_fields_string(&fields);
        if (!fields.bad && !mta_session_keep_macro_list(session, stage, names))
            fields.bad = true;
    }
    if (fields.bad)
        mta_session_fail(session, "negotiation: malformed macro lists");
    return !fields.bad;
}

static bool negotiate(struct mta_session *session, const struct mta_options *options)
{
    uint32_t actions = options->actions == 0 ? MTA_ACT_ALL : options->actions;
    uint32_t steps = options->steps == 0                   ? MTA_STEP_ALL
                     : options->steps == MTA_OFFER_NOTHING ? 0
                                                           : options->steps;
    struct am_buf content;
    am_buf_init(&content, 0);
    session->terms.version = options->version == 0 ? 6 : options->version;
    mta_put_u32(&content, session->terms.version);
    mta_put_u32(&content, actions);
    mta_put_u32(&content, steps);
    mta_put_packet(&session->out, MTA_CMD_NEGOTIATE, am_buf_span(&content));
    am_buf_fini(&content);

    char answer = '\0';
    struct am_span terms = {0};
    if (!mta_session_flush(session) || !receive(session, &answer, &terms))
        return false;
    if (answer != MTA_CMD_NEGOTIATE) {
        mta_session_fail(session, "negotiation: answered with '%c'", answer);
        return false;
    }
    return read_terms(session, terms, actions, steps);
}

struct mta_session *mta_open(const struct mta_options *options, struct am_problem *problem)
{
    struct mta_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    am_buf_init(&session->out, 0);
    am_buf_init(&session->reply_text, 0);
    am_buf_init(&session->message.body, 0);
    int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 30000;
    if (!mta_wire_open(&session->wire, options->socket, timeout_ms, problem)) {
        mta_drop(session);
        return NULL;
    }
    if (!negotiate(session, options)) {
        *problem = session->problem;
        mta_drop(session);
        return NULL;
    }
    return session;
}

void mta_drop(struct mta_session *session)
{
    if (session == NULL)
        return;
    mta_wire_close(&session->wire);
    mta_message_clear(&session->message);
    mta_session_free_macros(session);
    am_buf_fini(&session->out);
    am_buf_fini(&session->reply_text);
    free(session);
}

void mta_close(struct mta_session *session)
{
    if (session != NULL && !session->broken) {
        mta_put_packet(&session->out, MTA_CMD_QUIT, (struct am_span){0});
        mta_session_flush(session);
    }
    mta_drop(session);
}

const struct mta_terms *mta_terms(const struct mta_session *session)
{
    return &session->terms;
}

int mta_socket(struct mta_session *session)
{
    return !session->broken && mta_session_flush(session) ? session->wire.fd : -1;
}

const struct mta_message *mta_message(const struct mta_session *session)
{
    return &session->message;
}

/* Undoes the doubled '%' that both MTAs ask for in a reply text. */
static const char *reply_text(struct mta_session *session, const char *text)
{
    am_buf_clear(&session->reply_text);
    for (; *text != '\0'; text++) {
        if (*text == '%' && *++text == '\0')
            break;
        am_buf_add_char(&session->reply_text, *text);
    }
    return am_buf_str(&session->reply_text);
}

/* Turns the packet that ends a step into a reply. */
static struct mta_reply final_reply(struct mta_session *session, char answer,
                                    struct am_span content)
{
    if (answer == MTA_ANS_REPLY_CODE) {
        struct mta_fields fields = mta_fields_of(content);
        const char *text = mta_fields_string(&fields);
        if (!mta_fields_done(&fields) || strlen(text) < 4 || (text[0] != '4' && text[0] != '5'))
            return mta_session_fail(session, "malformed reply text");
        return (struct mta_reply){text[0] == '5' ? MTA_REJECT : MTA_TEMPFAIL,
                                  reply_text(session, text)};
    }
    if (content.len != 0)
        return mta_session_fail(session, "answer '%c' with %zu bytes of content", answer,
                                content.len);
    switch (answer) {
    case MTA_ANS_CONTINUE:
        return (struct mta_reply){MTA_CONTINUE, ""};
    case MTA_ANS_ACCEPT:
        return (struct mta_reply){MTA_ACCEPT, ""};
    case MTA_ANS_REJECT:
        return (struct mta_reply){MTA_REJECT, "550 5.7.1 Command rejected"};
    case MTA_ANS_TEMPFAIL:
        return (struct mta_reply){MTA_TEMPFAIL, "451 4.7.1 Service unavailable - try again later"};
    case MTA_ANS_DISCARD:
        return (struct mta_reply){MTA_DISCARD, ""};
    case MTA_ANS_SKIP:
        return (struct mta_reply){MTA_SKIP, ""};
    case MTA_ANS_CONN_FAIL:
        return (struct mta_reply){MTA_CONN_FAIL, ""};
    case MTA_ANS_SHUTDOWN:
        return (struct mta_reply){MTA_SHUTDOWN, "421 4.7.0 Service unavailable"};
    default:
        return mta_session_fail(session, "unexpected answer '%c' (%d)", answer, answer);
    }
}

/* Takes packets until one ends the step; edits are legal at the end of the message only. */
static struct mta_reply await_reply(struct mta_session *session, enum mta_command command)
{
    for (;;) {
        char answer = '\0';
        struct am_span content = {0};
        if (!receive(session, &answer, &content))
            return (struct mta_reply){MTA_ERROR, session->problem.text};
        if (answer == MTA_ANS_PROGRESS && content.len == 0) {
            session->message.progress++;
            continue;
        }
        if (command == MTA_CMD_EOM && mta_edit_apply(session, answer, content)) {
            if (session->broken)
                return (struct mta_reply){MTA_ERROR, session->problem.text};
            continue;
        }
        return final_reply(session, answer, content);
    }
}

struct mta_reply mta_session_step(struct mta_session *session, enum mta_command command,
                                  struct am_span content, uint32_t no_send, uint32_t no_reply)
{
    if (session->broken)
        return (struct mta_reply){MTA_ERROR, session->problem.text};
    if (session->done_connection || session->done_message)
        return session->verdict;

    /* Postfix sends the macros of a step even when the milter does not want the step itself. */
    mta_session_put_macros(session, command);
    if ((session->terms.steps & no_send) != 0)
        return (struct mta_reply){MTA_CONTINUE, ""};
    mta_put_packet(&session->out, (char)command, content);
    if ((session->terms.steps & no_reply) != 0)
        return (struct mta_reply){MTA_CONTINUE, ""};
    if (!mta_session_flush(session))
        return (struct mta_reply){MTA_ERROR, session->problem.text};
    return await_reply(session, command);
}

const char *mta_outcome_word(enum mta_outcome outcome)
{
    static const char *const words[] = {"continue", "accept",    "reject",   "tempfail", "discard",
                                        "skip",     "conn-fail", "shutdown", "error"};
    return words[outcome];
}
