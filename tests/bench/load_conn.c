#include "tests/bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "authmilter/mta/fields.h"

/* All connections of a run agree with one milter on the same terms. */
static bool share_contents(struct load_conn *conn, const struct load_options *options, unsigned k,
                           struct am_problem *problem)
{
    const char *own = options->row[k].message;
    uint32_t steps = mta_terms(conn->session)->steps;
    if (conn->contents->count == 0)
        return load_contents_build(conn->contents, options, own != NULL ? own : options->message,
                                   steps, problem);
    return conn->contents->steps == steps ||
           am_problem_set(problem, "the milter does not want the same of each connection");
}

bool load_conn_open(struct load_conn *conn, const struct load_options *options, unsigned k,
                    struct load_contents *contents, struct am_problem *problem)
{
    struct mta_options mta = {.socket = options->row[k].socket, .timeout_ms = 30000};
    struct mta_peer peer = {"client.example", '4', 40000, options->client};
    *conn = (struct load_conn){.fd = -1, .contents = contents};
    load_packets_init(&conn->before);
    load_packets_init(&conn->end);
    am_buf_init(&conn->in, 0);
    conn->session = mta_open(&mta, problem);
    if (conn->session == NULL)
        return false;
    mta_set_macro(conn->session, MTA_CMD_CONNECT, "j", "mx.example.org");
    mta_set_macro(conn->session, MTA_CMD_CONNECT, "{daemon_name}", "mx.example.org");
    mta_connect(conn->session, &peer);
    struct mta_reply reply = mta_helo(conn->session, options->helo);
    conn->fd = mta_socket(conn->session);
    if (conn->fd < 0 || reply.outcome != MTA_CONTINUE)
        am_problem_set(problem, "at HELO: %s %s", mta_outcome_word(reply.outcome), reply.text);
    else if (share_contents(conn, options, k, problem))
        return true;
    load_conn_close(conn);
    return false;
}

void load_conn_close(struct load_conn *conn)
{
    mta_drop(conn->session);
    load_packets_fini(&conn->before);
    load_packets_fini(&conn->end);
    am_buf_fini(&conn->in);
    *conn = (struct load_conn){.fd = -1};
}

/* The three parts of a message in the order they are sent. */
enum { PARTS = 3 };

static void list_parts(const struct load_conn *conn, const struct load_packets *parts[PARTS])
{
    parts[0] = &conn->before;
    parts[1] = conn->content;
    parts[2] = &conn->end;
}

/* The position at which the next answer is due. */
static size_t next_wait(const struct load_conn *conn)
{
    const struct load_packets *parts[PARTS];
    size_t begin = 0, passed = 0;
    list_parts(conn, parts);
    for (int i = 0; i < PARTS; i++) {
        if (conn->wait_at - passed < parts[i]->wait_count)
            return begin + parts[i]->waits[conn->wait_at - passed];
        begin += parts[i]->bytes.len;
        passed += parts[i]->wait_count;
    }
    return begin;
}

/* Lists what lies from `sent` to `until`. Returns the number of pieces. */
static int list_pieces(const struct load_conn *conn, size_t until, struct iovec pieces[PARTS])
{
    const struct load_packets *parts[PARTS];
    size_t begin = 0;
    int count = 0;
    list_parts(conn, parts);
    for (int i = 0; i < PARTS; i++) {
        size_t end = begin + parts[i]->bytes.len;
        size_t from = conn->sent > begin ? conn->sent : begin, to = until < end ? until : end;
        if (from < to)
            pieces[count++] = (struct iovec){parts[i]->bytes.data + (from - begin), to - from};
        begin = end;
    }
    return count;
}

enum load_progress load_conn_push(struct load_conn *conn)
{
    size_t until = next_wait(conn);
    conn->blocked = false;
    while (conn->sent < until) {
        struct iovec pieces[PARTS];
        struct msghdr message = {.msg_iov = pieces};
        message.msg_iovlen = (size_t)list_pieces(conn, until, pieces);
        ssize_t got = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
        if (got > 0)
            conn->sent += (size_t)got;
        else if (got < 0 && errno == EAGAIN)
            conn->blocked = true;
        else if (got == 0 || errno != EINTR)
            return LOAD_BROKEN;
        if (conn->blocked)
            break;
    }
    return LOAD_WAITING;
}

enum load_progress load_conn_begin(struct load_conn *conn, int64_t now_us)
{
    struct load_packets *before = &conn->before, *end = &conn->end;
    uint32_t steps = conn->contents->steps;
    load_packets_clear(before);
    load_packets_clear(end);
    am_buf_clear(&conn->in);
    conn->sent = conn->wait_at = 0;
    conn->started_us = now_us;
    conn->content = &conn->contents->items[(size_t)random() % conn->contents->count];
    load_packets_add(before, steps, MTA_CMD_MAIL, conn->sender, NULL, MTA_STEP_NO_MAIL,
                     MTA_STEP_NR_MAIL);
    load_packets_add(before, steps, MTA_CMD_RCPT, "<user@example.org>", NULL, MTA_STEP_NO_RCPT,
                     MTA_STEP_NR_RCPT);
    load_packets_add_queue_id(before, MTA_CMD_DATA);
    load_packets_add(before, steps, MTA_CMD_DATA, NULL, NULL, MTA_STEP_NO_DATA, MTA_STEP_NR_DATA);
    load_packets_add_queue_id(end, MTA_CMD_EOM);
    load_packets_add(end, steps, MTA_CMD_EOM, NULL, NULL, 0, 0);
    return before->bytes.failed || end->bytes.failed ? LOAD_BROKEN : load_conn_push(conn);
}

/* The milter wants no more of the body. */
static enum load_progress skip_body(struct load_conn *conn)
{
    conn->sent = conn->before.bytes.len + conn->content->bytes.len;
    conn->wait_at = conn->before.wait_count + conn->content->wait_count;
    return load_conn_push(conn);
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
    case MTA_ANS_SKIP:
        return skip_body(conn);
    case MTA_ANS_CONTINUE:
        if (++conn->wait_at <
            conn->before.wait_count + conn->content->wait_count + conn->end.wait_count)
            return load_conn_push(conn);
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
