#include "common/milter/native_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

/* --- output --- */

/* Sends what the socket takes. Returns false when the MTA is gone. */
static bool send_some(const struct am_native_conn *conn, struct am_buf *out)
{
    size_t sent = 0;

    while (sent < out->len) {
        ssize_t count = send(conn->fd, out->data + sent, out->len - sent, MSG_NOSIGNAL);
        if (count > 0)
            sent += (size_t)count;
        else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        else if (count == 0 || errno != EINTR)
            return false;
    }
    if (sent > 0)
        memmove(out->data, out->data + sent, out->len - sent);
    out->len -= sent;
    return true;
}

/* Waits until the socket takes something. */
static bool wait_writable(const struct am_native_conn *conn, int64_t until_us)
{
    const struct am_native_line *line = conn->line;
    struct pollfd fds[2] = {{.fd = conn->fd, .events = POLLOUT},
                            {.fd = line->stop_fd, .events = POLLIN}};
    int64_t left_us = until_us - am_clock_now_us(am_clock_system());

    if (left_us <= 0)
        return false;
    line->before_wait();
    int ready = poll(fds, 2, (int)(left_us / 1000 + 1));
    return fds[1].revents == 0 && (ready > 0 || (ready < 0 && errno == EINTR));
}

/* See struct am_native_sink. */
static bool flush(void *user, struct am_buf *out)
{
    struct am_native_conn *conn = user;
    int64_t until_us =
        am_clock_now_us(am_clock_system()) + (int64_t)conn->line->write_timeout_ms * 1000;

    while (send_some(conn, out)) {
        if (out->len == 0)
            return true;
        if (!wait_writable(conn, until_us)) {
            conn->session.why = "it does not read what it is sent";
            return false;
        }
    }
    return false;
}

/* --- input --- */

static bool is_stopping(const struct am_native_conn *conn)
{
    return atomic_load_explicit(&conn->line->stopping, memory_order_relaxed);
}

static bool serve_packet(struct am_native_conn *conn, const struct am_native_packet *packet)
{
    struct am_native_session *session = &conn->session;

    if (is_stopping(conn) || !am_native_session_packet(session, packet))
        return false;
    return session->out.len <= AM_NATIVE_OUT_MAX || flush(conn, &session->out);
}

/* Serves what has come of a body packet before the rest of it does. */
static bool serve_body(struct am_native_conn *conn, struct am_span *bytes)
{
    struct am_span piece;

    if (conn->body_left == 0) {
        conn->body_left = am_native_packet_take_body(bytes, &piece);
        return conn->body_left == 0 ||
               (!is_stopping(conn) && am_native_session_body_piece(&conn->session, piece, false));
    }
    piece = am_span_of(bytes->ptr, bytes->len < conn->body_left ? bytes->len : conn->body_left);
    *bytes = am_span_of(bytes->ptr + piece.len, bytes->len - piece.len);
    conn->body_left -= piece.len;
    return !is_stopping(conn) &&
           am_native_session_body_piece(&conn->session, piece, conn->body_left == 0);
}

/* Keeps bytes of a packet that is not complete. The room grows with what has come, not with what is
 * announced. */
static bool keep(struct am_native_conn *conn, struct am_span bytes)
{
    size_t need = conn->in_len + bytes.len;

    if (need > conn->in_room) {
        size_t room = need < 2 * conn->in_room ? 2 * conn->in_room : need;
        char *in = realloc(conn->in, room);
        if (in == NULL) {
            conn->session.why = "memory is short";
            return false;
        }
        conn->in = in;
        conn->in_room = room;
    }
    memcpy(conn->in + conn->in_len, bytes.ptr, bytes.len);
    conn->in_len = need;
    return true;
}

static void forget_kept(struct am_native_conn *conn)
{
    free(conn->in);
    conn->in = NULL;
    conn->in_len = conn->in_room = 0;
}

static bool serve_all(struct am_native_conn *conn, struct am_span *bytes)
{
    struct am_native_packet packet;

    for (;;) {
        switch (am_native_packet_take(bytes, &packet)) {
        case AM_NATIVE_TAKEN:
            if (!serve_packet(conn, &packet))
                return false;
            break;
        case AM_NATIVE_MORE:
            return true;
        default:
            conn->session.why = "it sent a packet that is too long";
            return false;
        }
    }
}

/* Moves bytes behind those kept until the length is known, and then until the packet is complete.
 */
static bool complete_kept(struct am_native_conn *conn, struct am_span *bytes)
{
    while (bytes->len > 0) {
        struct am_span kept = am_span_of(conn->in, conn->in_len);
        size_t size = am_native_packet_size(kept);
        struct am_span part = *bytes;
        size_t want = (size == 0 ? sizeof(uint32_t) : size) - kept.len;
        if (part.len > want)
            part.len = want;
        if (!keep(conn, part))
            return false;
        *bytes = am_span_of(bytes->ptr + part.len, bytes->len - part.len);
        kept = am_span_of(conn->in, conn->in_len);
        if (!serve_all(conn, &kept)) /* it judges a length as soon as it is there */
            return false;
        if (kept.len == 0) {
            forget_kept(conn);
            return true;
        }
    }
    return true;
}

static bool serve_bytes(struct am_native_conn *conn, struct am_span bytes)
{
    if (conn->body_left > 0 && !serve_body(conn, &bytes))
        return false;
    if (conn->in_len > 0 && !complete_kept(conn, &bytes))
        return false;
    if (!serve_all(conn, &bytes))
        return false;
    if (bytes.len > 0 && !serve_body(conn, &bytes))
        return false;
    return bytes.len == 0 || keep(conn, bytes);
}

/* --- the whole --- */

struct am_native_conn *am_native_conn_new(int fd, const struct am_native_line *line,
                                          struct am_native_shared *shared,
                                          const struct am_listener *listener)
{
    struct am_native_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    conn->line = line;
    atomic_init(&conn->active_ms, AM_NATIVE_BUSY);
    am_native_session_init(&conn->session, shared, listener, &(struct am_native_sink){flush, conn});
    return conn;
}

/*
 * By itself for the sake of tests/support/tsan.supp: an event comes only once another thread has
 * armed the socket, so that one is done with it; the sanitizer sees the calls, not that order.
 */
static void close_socket(int fd)
{
    close(fd);
}

void am_native_conn_free(struct am_native_conn *conn)
{
    if (conn->session.why != NULL)
        am_log(AM_LOG_WARNING, "an MTA's connection is closed: %s", conn->session.why);
    am_native_session_fini(&conn->session);
    forget_kept(conn);
    close_socket(conn->fd);
    free(conn);
}

/* The answers before a good-bye or an error are still for the MTA. */
static enum am_native_next turn(struct am_native_conn *conn, char *room)
{
    struct am_buf *out = &conn->session.out;

    if (!send_some(conn, out))
        return AM_NATIVE_CLOSE;
    if (out->len > 0)
        return AM_NATIVE_WRITE;
    ssize_t count = recv(conn->fd, room, AM_NATIVE_READ_MAX, 0);
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? AM_NATIVE_READ
                                                                         : AM_NATIVE_CLOSE;
    bool goes_on = count > 0 && serve_bytes(conn, am_span_of(room, (size_t)count));
    if (!send_some(conn, out) || !goes_on)
        return AM_NATIVE_CLOSE;
    return out->len > 0 ? AM_NATIVE_WRITE : AM_NATIVE_READ;
}

enum am_native_next am_native_conn_turn(struct am_native_conn *conn,
                                        struct am_native_scratch *scratch)
{
    struct am_buf *out = &conn->session.out;
    size_t limit = out->limit;

    if (out->data == NULL) { /* lend the thread's buffer */
        *out = scratch->out;
        out->limit = limit;
        am_buf_init(&scratch->out, 0);
    }
    enum am_native_next next = turn(conn, scratch->in);
    if (out->len > 0)
        return next;
    if (scratch->out.data == NULL && out->capacity <= 2 * AM_NATIVE_OUT_MAX) {
        scratch->out = *out;
        am_buf_init(out, limit);
        am_buf_clear(&scratch->out);
    } else {
        am_buf_fini(out);
    }
    return next;
}
