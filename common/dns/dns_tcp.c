#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/dns/dns_net.h"

/* Messages over TCP have their length in two octets before them (RFC 1035 section 4.2.2). */
#define PREFIX_LEN 2

struct am_dns_stream {
    uint8_t out[PREFIX_LEN + AM_DNS_QUERY_MAX];
    size_t out_len, sent;
    uint8_t prefix[PREFIX_LEN];
    size_t prefix_got;
    uint8_t *message; /* of the length its prefix told; NULL before that is known */
    size_t message_len, message_got;
};

void am_dns_stream_free(struct am_dns_stream *stream)
{
    if (stream == NULL)
        return;
    free(stream->message);
    free(stream);
}

bool am_dns_tcp_send(struct am_dns_loop *loop, struct am_dns_job *job)
{
    const struct am_dns_server *server = &loop->options.servers.servers[job->server];
    struct am_dns_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return false;
    job->stream = stream;
    size_t len = am_dns_packet_build(stream->out + PREFIX_LEN, &job->question, job->edns);
    stream->out[0] = (uint8_t)(len >> 8);
    stream->out[1] = (uint8_t)len;
    stream->out_len = PREFIX_LEN + len;
    job->fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (job->fd < 0)
        return false;
    if (connect(job->fd, (const struct sockaddr *)&server->address, server->address_len) != 0 &&
        errno != EINPROGRESS)
        return false;
    atomic_fetch_add_explicit(&loop->queries_tcp, 1, memory_order_relaxed);
    return am_dns_loop_watch(loop, job, EPOLLOUT);
}

/* Sends what is left. Returns AM_DNS_IO_REPLY when all is sent. */
static enum am_dns_io send_rest(struct am_dns_loop *loop, struct am_dns_job *job)
{
    struct am_dns_stream *stream = job->stream;
    ssize_t len =
        send(job->fd, stream->out + stream->sent, stream->out_len - stream->sent, MSG_NOSIGNAL);

    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? AM_DNS_IO_AGAIN : AM_DNS_IO_ERROR;
    stream->sent += (size_t)len;
    if (stream->sent < stream->out_len)
        return AM_DNS_IO_AGAIN;
    return am_dns_loop_watch(loop, job, EPOLLIN) ? AM_DNS_IO_REPLY : AM_DNS_IO_ERROR;
}

/* Reads until `*got` is `want`. Returns AM_DNS_IO_REPLY when it is. */
static enum am_dns_io fill(int fd, uint8_t *into, size_t *got, size_t want)
{
    while (*got < want) {
        ssize_t len = recv(fd, into + *got, want - *got, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && errno == EAGAIN)
            return AM_DNS_IO_AGAIN;
        if (len <= 0)
            return AM_DNS_IO_ERROR;
        *got += (size_t)len;
    }
    return AM_DNS_IO_REPLY;
}

/* Reads one whole message. */
static enum am_dns_io receive(struct am_dns_job *job)
{
    struct am_dns_stream *stream = job->stream;

    if (stream->message == NULL) {
        enum am_dns_io io = fill(job->fd, stream->prefix, &stream->prefix_got, PREFIX_LEN);
        if (io != AM_DNS_IO_REPLY)
            return io;
        stream->message_len = (size_t)stream->prefix[0] << 8 | stream->prefix[1];
        stream->message_got = 0;
        stream->message = malloc(stream->message_len + 1);
        if (stream->message == NULL)
            return AM_DNS_IO_ERROR;
    }
    return fill(job->fd, stream->message, &stream->message_got, stream->message_len);
}

static void forget_message(struct am_dns_stream *stream)
{
    free(stream->message);
    stream->message = NULL;
    stream->prefix_got = 0;
}

enum am_dns_io am_dns_tcp_continue(struct am_dns_loop *loop, struct am_dns_job *job,
                                   struct am_dns_packet *packet)
{
    struct am_dns_stream *stream = job->stream;
    enum am_dns_io io;

    if (stream->sent < stream->out_len) {
        io = send_rest(loop, job);
        return io == AM_DNS_IO_REPLY ? AM_DNS_IO_AGAIN : io;
    }
    io = receive(job);
    if (io != AM_DNS_IO_REPLY)
        return io;
    packet->data = stream->message;
    packet->size = stream->message_len;
    switch (am_dns_packet_match(packet->data, packet->size, &job->question)) {
    case AM_DNS_MATCH_YES:
    case AM_DNS_MATCH_CASE: /* nobody can forge a connection blindly: the case need not prove
                               anything */
        return am_dns_packet_is_truncated(packet->data) ? AM_DNS_IO_ERROR : AM_DNS_IO_REPLY;
    case AM_DNS_MATCH_BARE:
        return AM_DNS_IO_BARE;
    case AM_DNS_MATCH_NO:
        break;
    }
    atomic_fetch_add_explicit(&loop->spoofed, 1, memory_order_relaxed);
    forget_message(stream);
    return AM_DNS_IO_AGAIN;
}
