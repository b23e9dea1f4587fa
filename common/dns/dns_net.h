#ifndef AM_DNS_DNS_NET_H
#define AM_DNS_DNS_NET_H

#include <pthread.h>

#include "common/dns/dns_loop.h"

/*
 * What the files of the network thread share: the loop's insides (dns_loop.c),
 * the course of a job (dns_attempt.c) and the two transports (dns_udp.c,
 * dns_tcp.c). Everything here runs on the network thread.
 */

/* Larger than any datagram we ask for; a longer one is cut, seen, and asked again over TCP. */
#define AM_DNS_DATAGRAM_MAX 4096

struct am_dns_loop {
    struct am_dns_loop_options options;
    int epoll_fd;
    int wake_fd;
    pthread_t thread;

    pthread_mutex_t inbox_lock;
    struct am_dns_job_list inbox; /* submitted, not yet seen by the thread */
    bool woken;                   /* wake_fd was written and not read yet */
    bool stop;

    struct am_dns_job_list backlog; /* wait for a socket */
    struct am_dns_job_list active;  /* have an attempt under way, the first due first */
    size_t active_count, active_max;
    struct am_dns_job **by_fd; /* the job of each descriptor */
    size_t by_fd_count;
    uint8_t datagram[AM_DNS_DATAGRAM_MAX];

    atomic_uint_fast64_t queries_udp, queries_tcp, timeouts, spoofed, servfails;
};

/* --- dns_loop.c --- */

/* Returns the monotonic time. */
int64_t am_dns_loop_now_us(const struct am_dns_loop *loop);

/* Watches the job's socket for `events` (EPOLLIN, EPOLLOUT). Returns false when memory is short. */
bool am_dns_loop_watch(struct am_dns_loop *loop, struct am_dns_job *job, unsigned events);

/* Closes the job's socket and frees its stream. */
void am_dns_loop_close(struct am_dns_loop *loop, struct am_dns_job *job);

/* Ends a job: takes it off all lists and reports `set` (owned by the callee from here). */
void am_dns_loop_finish(struct am_dns_loop *loop, struct am_dns_job *job, struct am_dns_set *set);

/* --- dns_attempt.c --- */

/* Makes the first attempt of a job that is on the active list. */
void am_dns_attempt_begin(struct am_dns_loop *loop, struct am_dns_job *job);

/* Something happened on the job's socket. */
void am_dns_attempt_ready(struct am_dns_loop *loop, struct am_dns_job *job);

/* The attempt's time is over. */
void am_dns_attempt_timed_out(struct am_dns_loop *loop, struct am_dns_job *job);

/* --- dns_udp.c, dns_tcp.c --- */

enum am_dns_io {
    AM_DNS_IO_AGAIN, /* nothing for us yet */
    AM_DNS_IO_REPLY, /* a reply that matches: `packet` and `size` */
    AM_DNS_IO_BARE,  /* the server cannot read the question (FORMERR, NOTIMP without a question) */
    AM_DNS_IO_TRUNCATED, /* a reply that matches, but cut */
    AM_DNS_IO_ERROR,     /* the network says no */
};

struct am_dns_packet {
    const uint8_t *data; /* valid until the socket is used or closed */
    size_t size;
};

/*
 * Sends job->question in one datagram from a socket of its own: random port,
 * connected, so that the kernel drops what comes from another address.
 *
 * Returns: false when the network says no; job->fd is to be closed then.
 */
bool am_dns_udp_send(struct am_dns_loop *loop, struct am_dns_job *job);

/* Reads datagrams until one matches; the others are counted and dropped. */
enum am_dns_io am_dns_udp_receive(struct am_dns_loop *loop, struct am_dns_job *job,
                                  struct am_dns_packet *packet);

/* Starts to send job->question over a new connection. Returns false when the network says no. */
bool am_dns_tcp_send(struct am_dns_loop *loop, struct am_dns_job *job);

/* Goes on with sending or receiving. */
enum am_dns_io am_dns_tcp_continue(struct am_dns_loop *loop, struct am_dns_job *job,
                                   struct am_dns_packet *packet);

/* Frees the state of a connection. NULL is allowed. */
void am_dns_stream_free(struct am_dns_stream *stream);

#endif
