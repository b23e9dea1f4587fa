#ifndef AM_DNS_DNS_SERVER_LIST_H
#define AM_DNS_DNS_SERVER_LIST_H

#include <sys/socket.h>

#include "common/base/problem.h"
#include "common/dns/dns_live.h"

/*
 * The name servers and how they do. A server that lets an attempt time out is
 * put aside: 1 s, then twice as long each time, 30 s at most. While it is aside
 * and another is healthy nobody's look-up waits for it; when its time has come
 * a copy of a look-up goes to it (a probe), and any answer brings it back.
 *
 * Threads: after it was read, the network thread only.
 */

#define AM_DNS_SERVERS_MAX 16

struct am_dns_server {
    struct sockaddr_storage address;
    socklen_t address_len;
    unsigned failures; /* in a row */
    unsigned unheard;  /* attempts in a row without a reply of any kind */
    bool complained;   /* the log says that it does not answer */
    bool aside;
    bool probing; /* a probe is under way */
    int64_t aside_since_us;
    int64_t aside_until_us; /* then it may be probed */
    int64_t last_answer_us;
    int64_t plain_until_us;  /* until then asked without EDNS0, which it did not understand */
    int64_t stream_until_us; /* until then asked over TCP only: it changes the case of names */
};

struct am_dns_server_list {
    size_t count;
    struct am_dns_server servers[AM_DNS_SERVERS_MAX];
};

/* A set of servers: bit i stands for server i. */
typedef unsigned am_dns_server_set;

/*
 * Fills the list from the options: the servers named there, else those of
 * resolv.conf, else 127.0.0.1 as resolv.conf(5) says.
 *
 * Returns: false with a sentence.
 */
bool am_dns_server_list_read(struct am_dns_server_list *list,
                             const struct am_dns_live_options *options, struct am_problem *problem);

/*
 * Chooses whom a look-up asks next: the first healthy server it has not tried
 * in this round. Only when none is healthy, one that is aside, the longest first.
 *
 * tried: servers asked in this round. failed: those that answered without use.
 * Returns: its index, or -1 at the end of the round.
 */
int am_dns_server_list_pick(const struct am_dns_server_list *list, am_dns_server_set tried,
                            am_dns_server_set failed);

/* Chooses a server that is aside and due for a probe while others are healthy; -1 for none. */
int am_dns_server_list_pick_probe(const struct am_dns_server_list *list, int64_t now_us);

/* Notes a reply; the log says so when it had said the contrary. */
void am_dns_server_answered(struct am_dns_server *server, int64_t now_us);

/* Notes that an attempt sent at `sent_us` got no reply. */
void am_dns_server_silent(struct am_dns_server *server, int64_t sent_us, int64_t now_us);

/* Notes that the network refused an attempt: no such port, no route. */
void am_dns_server_unreachable(struct am_dns_server *server);

#endif
