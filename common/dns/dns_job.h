#ifndef AM_DNS_DNS_JOB_H
#define AM_DNS_DNS_JOB_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "common/dns/dns_packet.h"
#include "common/dns/dns_server_list.h"
#include "common/dns/dns_set.h"

/*
 * One question on its way through the network: from the caller that asked it
 * first until there is an outcome, over as many attempts, servers and CNAMEs as
 * that takes. There is one attempt at a time, and it has one socket.
 */

struct am_dns_stream; /* dns_tcp.c */

struct am_dns_job {
    /* Filled by who submits it. */
    struct am_dns_name name;
    enum am_dns_type type;
    atomic_bool wanted; /* while false nothing more is sent for it */

    /* The network thread's. */
    TAILQ_ENTRY(am_dns_job) link; /* in exactly one of the loop's lists */
    struct am_dns_name target;    /* what is asked now: `name`, or where its CNAMEs led */
    unsigned hops;
    uint32_t alias_ttl_s; /* smallest of the CNAMEs passed */
    bool alias_secure;    /* of all replies so far */

    am_dns_server_set tried, failed;
    unsigned round;
    bool refused;   /* a server answered that it cannot say */
    bool malformed; /* a server's answer could not be read */
    bool abandoned; /* it ended because nobody wanted it */
    int pinned;     /* a probe asks this server only; else -1 */

    /* The attempt under way. */
    struct am_dns_question question;
    int server;
    int fd;                       /* -1: none */
    struct am_dns_stream *stream; /* over TCP */
    bool edns;
    bool saw_case; /* a reply came that was ours but for the case of its name */
    int64_t sent_us;
    int64_t due_us;
};

TAILQ_HEAD(am_dns_job_list, am_dns_job);

#endif
