#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/dns/dns_net.h"

/* Ports below are other people's. */
#define PORT_FIRST 1024
#define PORT_TRIES 8

/* A flood of forged replies must not keep the thread from its other jobs. */
#define DATAGRAMS_AT_ONCE 32

/*
 * Takes a port nobody can foresee, from nearly the whole range. Where that
 * fails again and again the kernel chooses, at random too, from a smaller one.
 */
static void bind_random_port(int fd, sa_family_t family)
{
    uint16_t ports[PORT_TRIES];
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } local;

    if (getrandom(ports, sizeof(ports), 0) != (ssize_t)sizeof(ports))
        return;
    for (int i = 0; i < PORT_TRIES; i++) {
        if (ports[i] < PORT_FIRST)
            continue;
        memset(&local, 0, sizeof(local));
        local.any.sa_family = family;
        /* The port stands at the same place in both. */
        local.in.sin_port = ports[i];
        socklen_t len = family == AF_INET6 ? sizeof(local.in6) : sizeof(local.in);
        if (bind(fd, &local.any, len) == 0)
            return;
    }
}

bool am_dns_udp_send(struct am_dns_loop *loop, struct am_dns_job *job)
{
    struct am_dns_server *server = &loop->options.servers.servers[job->server];
    uint8_t query[AM_DNS_QUERY_MAX];
    size_t len = am_dns_packet_build(query, &job->question, job->edns);

    job->fd = socket(server->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (job->fd < 0)
        return false;
    bind_random_port(job->fd, server->address.ss_family);
    if (connect(job->fd, (const struct sockaddr *)&server->address, server->address_len) != 0) {
        am_dns_server_unreachable(server);
        return false;
    }
    if (!am_dns_loop_watch(loop, job, EPOLLIN))
        return false;
    atomic_fetch_add_explicit(&loop->queries_udp, 1, memory_order_relaxed);
    return send(job->fd, query, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static enum am_dns_io judge(struct am_dns_job *job, const struct am_dns_packet *packet, bool cut)
{
    switch (am_dns_packet_match(packet->data, packet->size, &job->question)) {
    case AM_DNS_MATCH_YES:
        return cut || am_dns_packet_is_truncated(packet->data) ? AM_DNS_IO_TRUNCATED
                                                               : AM_DNS_IO_REPLY;
    case AM_DNS_MATCH_BARE:
        return AM_DNS_IO_BARE;
    case AM_DNS_MATCH_CASE:
        job->saw_case = true;
        break;
    case AM_DNS_MATCH_NO:
        break;
    }
    return AM_DNS_IO_AGAIN;
}

enum am_dns_io am_dns_udp_receive(struct am_dns_loop *loop, struct am_dns_job *job,
                                  struct am_dns_packet *packet)
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        /* With MSG_TRUNC the real length is returned, also when it did not fit. */
        ssize_t len = recv(job->fd, loop->datagram, sizeof(loop->datagram), MSG_TRUNC);
        if (len < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? AM_DNS_IO_AGAIN : AM_DNS_IO_ERROR;
        }
        bool cut = (size_t)len > sizeof(loop->datagram);
        packet->data = loop->datagram;
        packet->size = cut ? sizeof(loop->datagram) : (size_t)len;
        enum am_dns_io io = judge(job, packet, cut);
        if (io != AM_DNS_IO_AGAIN)
            return io;
        atomic_fetch_add_explicit(&loop->spoofed, 1, memory_order_relaxed);
    }
    return AM_DNS_IO_AGAIN;
}
