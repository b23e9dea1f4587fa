#ifndef AM_DNS_DNS_LOOP_H
#define AM_DNS_DNS_LOOP_H

#include "common/dns/dns_job.h"

/*
 * The network thread: jobs go in, outcomes come out.
 *
 * Sockets are bounded (a quarter of the descriptors the process may open, 4096
 * at most); jobs beyond wait for a free one, in order. A job nobody wants any
 * more sends nothing further and ends with its present attempt.
 */
struct am_dns_loop;

struct am_dns_loop_options {
    struct am_dns_server_list servers;
    int64_t timeout_us;
    unsigned attempts;
    const struct am_clock *clock;
    void *context;
    /*
     * Called once for each job submitted, on the network thread, which does not
     * touch the job afterwards; a job that was abandoned may be submitted again.
     * `set` belongs to the callee; NULL: memory was short, or it was abandoned.
     */
    void (*done)(void *context, struct am_dns_job *job, struct am_dns_set *set);
};

struct am_dns_loop_figures {
    uint64_t queries_udp, queries_tcp, timeouts, spoofed, servfails;
};

/*
 * Makes a loop and starts its thread.
 *
 * Returns: the loop, or NULL with a sentence.
 * Ownership: freed with am_dns_loop_free().
 */
struct am_dns_loop *am_dns_loop_new(const struct am_dns_loop_options *options,
                                    struct am_problem *problem) AM_MUST_USE;

/* Ends every job with AM_DNS_SERVFAIL, ends the thread and frees the loop. */
void am_dns_loop_free(struct am_dns_loop *loop);

/* Hands a job over. Blocking: never. Threads: any. */
void am_dns_loop_submit(struct am_dns_loop *loop, struct am_dns_job *job);

/* Reads the figures. Threads: any. */
void am_dns_loop_read_figures(const struct am_dns_loop *loop, struct am_dns_loop_figures *figures);

#endif
