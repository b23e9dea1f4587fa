#include "tests/bench/load.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/mta/fields.h"

static const char *const fields[][2] = {
    {"Received",
     " from client.example (client.example [192.0.2.1])\n\tby mx.example.org (Postfix) "
     "with ESMTPS id 4ABCDEFGHI\n\tfor <user@example.org>; Thu,  1 Jan 2026 00:00:00 +0000"},
    {"Date", " Thu, 1 Jan 2026 00:00:00 +0000"},
    {"From", " A Sender <sender@example.com>"},
    {"To", " A Recipient <user@example.org>"},
    {"Subject", " a message of usual size"},
    {"Message-ID", " <20260101000000.4ABCDEFGHI@example.com>"},
    {"MIME-Version", " 1.0"},
    {"Content-Type", " text/plain; charset=utf-8"},
    {"Content-Transfer-Encoding", " 7bit"},
    {"User-Agent", " a mail program"},
};

bool load_conn_open(struct load_conn *conn, const struct load_options *options,
                    struct am_problem *problem)
{
    struct mta_options mta = {.socket = options->socket, .timeout_ms = 30000};
    struct mta_peer peer = {"client.example", '4', 40000, options->client};
    *conn = (struct load_conn){.fd = -1};
    am_buf_init(&conn->out, 0);
    am_buf_init(&conn->in, 0);
    conn->session = mta_open(&mta, problem);
    if (conn->session == NULL)
        return false;
    mta_set_macro(conn->session, MTA_CMD_CONNECT, "j", "mx.example.org");
    mta_set_macro(conn->session, MTA_CMD_CONNECT, "{daemon_name}", "mx.example.org");
    mta_connect(conn->session, &peer);
    struct mta_reply reply = mta_helo(conn->session, options->helo);
    conn->fd = mta_socket(conn->session);
    if (conn->fd >= 0 && reply.outcome == MTA_CONTINUE)
        return true;
    am_problem_set(problem, "at HELO: %s %s", mta_outcome_word(reply.outcome), reply.text);
    load_conn_close(conn);
    return false;
}

void load_conn_close(struct load_conn *conn)
{
    mta_drop(conn->session);
    am_buf_fini(&conn->out);
    am_buf_fini(&conn->in);
    *conn = (struct load_conn){.fd = -1};
}

/* Opens a packet whose length is filled in by close_packet(). */
static size_t open_packet(struct load_conn *conn, enum mta_command command)
{
    size_t start = conn->out.len;
    mta_put_u32(&conn->out, 0);
    am_buf_add_char(&conn->out, (char)command);
    return start;
}

static void close_packet(struct load_conn *conn, size_t start)
{
    uint32_t len = (uint32_t)(conn->out.len - start - 4);
    for (int i = 0; i < 4 && !conn->out.failed; i++)
        conn->out.data[start + (size_t)i] = (char)(len >> (24 - 8 * i));
}

/* An answer is due here, unless it was agreed that there is none. */
static void await_answer(struct load_conn *conn, uint32_t no_reply)
{
    bool answered = (mta_terms(conn->session)->steps & no_reply) == 0;
    if (answered && conn->wait_count < sizeof(conn->waits) / sizeof(conn->waits[0]))
        conn->waits[conn->wait_count++] = conn->out.len;
}

static void put_texts(struct load_conn *conn, enum mta_command command, const char *first,
                      const char *second, uint32_t no_send, uint32_t no_reply)
{
    if ((mta_terms(conn->session)->steps & no_send) != 0)
        return;
    size_t start = open_packet(conn, command);
    if (first != NULL)
        mta_put_string(&conn->out, am_span_str(first));
    if (second != NULL)
        mta_put_string(&conn->out, am_span_str(second));
    close_packet(conn, start);
    await_answer(conn, no_reply);
}

/* Macros are never answered. */
static void put_queue_id(struct load_conn *conn, enum mta_command stage)
{
    size_t start = open_packet(conn, MTA_CMD_MACRO);
    am_buf_add_char(&conn->out, (char)stage);
    mta_put_string(&conn->out, am_span_str("i"));
    mta_put_string(&conn->out, am_span_str("4ABCDEFGHI"));
    close_packet(conn, start);
}

static void put_content(struct load_conn *conn, const struct load_options *options)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, again and again.\r\n";
    uint32_t steps = mta_terms(conn->session)->steps;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        put_texts(conn, MTA_CMD_HEADER, fields[i][0], fields[i][1], MTA_STEP_NO_HEADERS,
                  MTA_STEP_NR_HEADER);
    put_texts(conn, MTA_CMD_EOH, NULL, NULL, MTA_STEP_NO_EOH, MTA_STEP_NR_EOH);
    if ((steps & MTA_STEP_NO_BODY) != 0)
        return;
    size_t start = open_packet(conn, MTA_CMD_BODY);
    for (size_t len = 0; len < options->size && len < 65000; len += sizeof(line) - 1)
        am_buf_add(&conn->out, am_span_of(line, sizeof(line) - 1));
    close_packet(conn, start);
    await_answer(conn, MTA_STEP_NR_BODY);
}

/* Sends up to the next position at which an answer is due. */
static enum load_progress push(struct load_conn *conn)
{
    size_t until = conn->waits[conn->wait_at];
    while (conn->sent < until) {
        ssize_t got = send(conn->fd, conn->out.data + conn->sent, until - conn->sent, MSG_NOSIGNAL);
        if (got > 0)
            conn->sent += (size_t)got;
        else if (errno == EAGAIN)
            return LOAD_WAITING; /* the next event tries again: a message is smaller than the buffer
                                  */
        else if (errno != EINTR)
            return LOAD_BROKEN;
    }
    return LOAD_WAITING;
}

enum load_progress load_conn_begin(struct load_conn *conn, const struct load_options *options,
                                   const char *sender, int64_t now_us)
{
    am_buf_clear(&conn->out);
    am_buf_clear(&conn->in);
    conn->sent = conn->wait_count = conn->wait_at = 0;
    conn->started_us = now_us;
    put_texts(conn, MTA_CMD_MAIL, sender, NULL, MTA_STEP_NO_MAIL, MTA_STEP_NR_MAIL);
    put_texts(conn, MTA_CMD_RCPT, "<user@example.org>", NULL, MTA_STEP_NO_RCPT, MTA_STEP_NR_RCPT);
    put_queue_id(conn, MTA_CMD_DATA);
    put_texts(conn, MTA_CMD_DATA, NULL, NULL, MTA_STEP_NO_DATA, MTA_STEP_NR_DATA);
    put_content(conn, options);
    put_queue_id(conn, MTA_CMD_EOM);
    put_texts(conn, MTA_CMD_EOM, NULL, NULL, 0, 0);
    return conn->out.failed ? LOAD_BROKEN : push(conn);
}

/* Takes one packet from the input; false when there is none yet. */
static bool next_packet(struct load_conn *conn, size_t *at, char *answer, struct am_span *content)
{
    struct mta_fields head = mta_fields_of(am_span_of(conn->in.data + *at, conn->in.len - *at));
    uint32_t len = mta_fields_u32(&head);
    if (head.bad || len == 0 || head.rest.len < len)
        return false;
    *answer = head.rest.ptr[0];
    *content = am_span_of(head.rest.ptr + 1, len - 1);
    *at += 4 + len;
    return true;
}

static enum load_progress judge(struct load_conn *conn, char answer, struct am_span content,
                                struct load_result *result)
{
    switch (answer) {
    case MTA_ANS_PROGRESS:
        return LOAD_WAITING;
    case MTA_ANS_INSERT_HEADER:
    case MTA_ANS_ADD_HEADER:
    case MTA_ANS_CHANGE_HEADER:
    case MTA_ANS_QUARANTINE:
        result->edits++;
        return LOAD_WAITING;
    case MTA_ANS_CONTINUE:
    case MTA_ANS_SKIP:
        if (++conn->wait_at < conn->wait_count)
            return push(conn);
        break;
    case MTA_ANS_ACCEPT:
        break;
    case MTA_ANS_REJECT:
        result->refused++;
        return LOAD_DONE;
    case MTA_ANS_TEMPFAIL:
        result->deferred++;
        return LOAD_DONE;
    case MTA_ANS_REPLY_CODE:
        *(content.len > 0 && content.ptr[0] == '5' ? &result->refused : &result->deferred) += 1;
        return LOAD_DONE;
    default:
        return LOAD_BROKEN;
    }
    result->accepted++;
    return LOAD_DONE;
}

enum load_progress load_conn_go_on(struct load_conn *conn, struct load_result *result)
{
    char chunk[8192];
    ssize_t got = recv(conn->fd, chunk, sizeof(chunk), 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? LOAD_WAITING : LOAD_BROKEN;
    if (got == 0)
        return LOAD_BROKEN;
    am_buf_add(&conn->in, am_span_of(chunk, (size_t)got));
    if (conn->in.failed)
        return LOAD_BROKEN;

    size_t at = 0;
    char answer;
    struct am_span content;
    enum load_progress progress = LOAD_WAITING;
    while (progress == LOAD_WAITING && next_packet(conn, &at, &answer, &content))
        progress = judge(conn, answer, content, result);
    memmove(conn->in.data, conn->in.data + at, conn->in.len - at);
    conn->in.len -= at;
    return progress;
}
