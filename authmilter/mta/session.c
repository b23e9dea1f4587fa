#include "authmilter/mta/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mta_reply mta_session_reply(enum mta_outcome outcome, enum mta_path path)
{
    return (struct mta_reply){.outcome = outcome, .path = path, .text = ""};
}

static struct mta_reply broken_reply(const struct mta_session *session)
{
    return (struct mta_reply){MTA_ERROR, MTA_ANSWERED, session->problem.text};
}

struct mta_reply mta_session_fail(struct mta_session *session, const char *format, ...)
{
    if (!session->broken) {
        va_list args;
        va_start(args, format);
        vsnprintf(session->problem.text, sizeof(session->problem.text), format, args);
        va_end(args);
    }
    session->broken = true;
    return broken_reply(session);
}

/* A byte of the milter's in a sentence of ours. */
static char shown(char answer)
{
    return answer > ' ' && answer <= '~' ? answer : '?';
}

static void begin_wait(struct mta_session *session)
{
    session->wire.deadline_us = am_deadline_in_ms(am_clock_system(), session->limit_ms);
}

bool mta_session_flush(struct mta_session *session)
{
    struct am_problem problem = {""};
    begin_wait(session);
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

/* What there was to offer in a version of the protocol. */
static uint32_t steps_of(uint32_t version)
{
    static const uint32_t known[] = {MTA_STEP_VERSION_2, MTA_STEP_VERSION_3, MTA_STEP_VERSION_4,
                                     MTA_STEP_VERSION_4};
    return version < 2 || version > 5 ? MTA_STEP_ALL : known[version - 2];
}

static bool negotiate(struct mta_session *session, const struct mta_options *options)
{
    uint32_t version = options->version == 0 ? 6 : options->version;
    uint32_t actions = options->actions == MTA_OFFER_NOTHING ? 0 : options->actions;
    uint32_t steps = options->steps == MTA_OFFER_NOTHING ? 0 : options->steps;
    if (options->actions == 0)
        actions = version < 6 ? MTA_ACT_VERSION_2 : MTA_ACT_ALL;
    if (options->steps == 0)
        steps = steps_of(version);
    struct am_buf content;
    am_buf_init(&content, 0);
    session->terms.version = version;
    session->offered_steps = steps;
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
        mta_session_fail(session, "negotiation: answered with '%c' (%d)", shown(answer),
                         (unsigned char)answer);
        return false;
    }
    return read_terms(session, terms, actions, steps);
}

static struct mta_session *new_session(const struct mta_options *options,
                                       struct am_problem *problem)
{
    struct mta_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    session->wire.fd = -1;
    session->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 30000;
    session->limit_ms =
        options->limit_ms > 0 ? options->limit_ms : (int64_t)10 * session->timeout_ms;
    am_buf_init(&session->out, 0);
    am_buf_init(&session->reply_text, 0);
    am_buf_init(&session->message.body, 0);
    return session;
}

/* Begins on a wire that is there, or is not. */
static struct mta_session *begin(struct mta_session *session, bool there,
                                 const struct mta_options *options, struct am_problem *problem)
{
    if (there && negotiate(session, options))
        return session;
    if (there && problem != NULL)
        *problem = session->problem;
    mta_drop(session);
    return NULL;
}

struct mta_session *mta_open(const struct mta_options *options, struct am_problem *problem)
{
    struct mta_session *session = new_session(options, problem);
    if (session == NULL)
        return NULL;
    bool there = mta_wire_open(&session->wire, options->socket, session->timeout_ms, problem);
    return begin(session, there, options, problem);
}

struct mta_session *mta_adopt(int fd, const struct mta_options *options, struct am_problem *problem)
{
    struct mta_session *session = new_session(options, problem);
    if (session == NULL) {
        close(fd);
        return NULL;
    }
    bool there = mta_wire_adopt(&session->wire, fd, session->timeout_ms, problem);
    return begin(session, there, options, problem);
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

/* RFC 5321 section 4.2.1: each line begins with the code, and all but the last have a hyphen. */
static bool reply_is_sound(const char *text)
{
    const char *code = text;
    size_t len = strlen(text);
    if (len < 4 || (text[0] != '4' && text[0] != '5') || strspn(text, "0123456789") != 3)
        return false;
    for (;;) {
        const char *end = strstr(text, "\r\n");
        size_t line_len = end == NULL ? strlen(text) : (size_t)(end - text);
        if (line_len < 4 || strncmp(text, code, 3) != 0 || text[3] != (end == NULL ? ' ' : '-'))
            return false;
        for (size_t i = 0; i < line_len; i++) {
            if ((unsigned char)text[i] < ' ' && text[i] != '\t')
                return false;
        }
        if (end == NULL)
            return true;
        text = end + 2;
    }
}

static struct mta_reply coded_reply(struct mta_session *session, struct am_span content)
{
    struct mta_fields fields = mta_fields_of(content);
    const char *text = mta_fields_string(&fields);
    if (!mta_fields_done(&fields) || !reply_is_sound(text))
        return mta_session_fail(session, "malformed reply text");
    return (struct mta_reply){text[0] == '5' ? MTA_REJECT : MTA_TEMPFAIL, MTA_ANSWERED,
                              reply_text(session, text)};
}

/* Turns the packet that ends a step into a reply. */
static struct mta_reply final_reply(struct mta_session *session, enum mta_command command,
                                    char answer, struct am_span content)
{
    if (answer == MTA_ANS_REPLY_CODE)
        return coded_reply(session, content);
    if (content.len != 0)
        return mta_session_fail(session, "answer '%c' (%d) with %zu bytes of content",
                                shown(answer), (unsigned char)answer, content.len);
    switch (answer) {
    case MTA_ANS_CONTINUE:
        return mta_session_reply(MTA_CONTINUE, MTA_ANSWERED);
    case MTA_ANS_ACCEPT:
        return mta_session_reply(MTA_ACCEPT, MTA_ANSWERED);
    case MTA_ANS_REJECT:
        return (struct mta_reply){MTA_REJECT, MTA_ANSWERED, "550 5.7.1 Command rejected"};
    case MTA_ANS_TEMPFAIL:
        return (struct mta_reply){MTA_TEMPFAIL, MTA_ANSWERED,
                                  "451 4.7.1 Service unavailable - try again later"};
    case MTA_ANS_DISCARD:
        return mta_session_reply(MTA_DISCARD, MTA_ANSWERED);
    case MTA_ANS_SKIP:
        /* Also without MTA_STEP_SKIP: libmilter sends it unasked, and MTAs take it. */
        if (command != MTA_CMD_BODY)
            return mta_session_fail(session, "skip, where there is no body to skip");
        return mta_session_reply(MTA_SKIP, MTA_ANSWERED);
    case MTA_ANS_CONN_FAIL:
        return mta_session_reply(MTA_CONN_FAIL, MTA_ANSWERED);
    case MTA_ANS_SHUTDOWN:
        return (struct mta_reply){MTA_SHUTDOWN, MTA_ANSWERED, "421 4.7.0 Service unavailable"};
    default:
        return mta_session_fail(session, "unexpected answer '%c' (%d)", shown(answer),
                                (unsigned char)answer);
    }
}

/* Takes packets until one ends the step; edits are legal at the end of the message only. */
static struct mta_reply await_reply(struct mta_session *session, enum mta_command command)
{
    size_t progress = 0;
    for (;;) {
        char answer = '\0';
        struct am_span content = {0};
        if (!receive(session, &answer, &content))
            return broken_reply(session);
        if (answer == MTA_ANS_PROGRESS && content.len == 0) {
            session->message.progress++;
            if (++progress > MTA_PROGRESS_MAX)
                return mta_session_fail(session, "the milter says nothing but that it works on");
            continue;
        }
        if (command == MTA_CMD_EOM && mta_edit_apply(session, answer, content)) {
            if (session->broken)
                return broken_reply(session);
            continue;
        }
        return final_reply(session, command, answer, content);
    }
}

struct mta_reply mta_session_step(struct mta_session *session, enum mta_command command,
                                  struct am_span content, uint32_t no_send, uint32_t no_reply)
{
    if (session->broken)
        return broken_reply(session);
    if (session->done_connection || session->done_message) {
        session->verdict.path = MTA_DECIDED;
        return session->verdict;
    }

    /* Postfix sends the macros of a step even when the milter does not want the step itself. */
    mta_session_put_macros(session, command);
    if ((session->terms.steps & no_send) != 0)
        return mta_session_reply(MTA_CONTINUE, MTA_NOT_SENT);
    mta_put_packet(&session->out, (char)command, content);
    if ((session->terms.steps & no_reply) != 0)
        return mta_session_reply(MTA_CONTINUE, MTA_NOT_ANSWERED);
    if (!mta_session_flush(session))
        return broken_reply(session);
    return await_reply(session, command);
}

const char *mta_path_word(enum mta_path path)
{
    static const char *const words[] = {"answered", "not answered", "not sent", "decided"};
    return words[path];
}

const char *mta_outcome_word(enum mta_outcome outcome)
{
    static const char *const words[] = {"continue", "accept",    "reject",   "tempfail", "discard",
                                        "skip",     "conn-fail", "shutdown", "error"};
    return words[outcome];
}
