#ifndef AM_DNS_DNS_LIVE_H
#define AM_DNS_DNS_LIVE_H

#include "common/base/clock.h"
#include "common/dns/dns.h"

/*
 * The live resolver: a stub that asks recursive name servers and trusts
 * nothing else. One thread of its own does the network work for all callers;
 * a shared cache with bounded memory answers repeated questions without it.
 *
 * Datagrams are accepted only on the connected socket they belong to, with the
 * right id, the right question and the case it was asked in; anything else is
 * counted and dropped while the query goes on waiting. Ports and ids are random. EDNS0
 * announces 1232 octets; truncated answers are asked again over TCP.
 *
 * Servers. They are asked in the order given. SERVFAIL, REFUSED and the like, or
 * a network error, send a look-up to the next server at once; a time-out does so
 * too, and puts the server aside for 1 s, doubling up to 30 s, in which no
 * look-up waits for it unless all servers are aside. Then a copy of some
 * look-up probes it. A server that does not understand EDNS0 is asked without
 * for 15 minutes. One that sends the question back in other letters is met as
 * a forger: its datagrams are dropped until the attempt's time is over, then it
 * is asked over TCP, and only so for 15 minutes.
 *
 * Time. A look-up ends at its caller's deadline or after `attempts` rounds over
 * the servers. When nobody waits for it any more it sends nothing further.
 *
 * Cache. Positive answers are kept for the smallest TTL in them, a day at most;
 * NXDOMAIN and NODATA as RFC 2308 says, an hour at most; failures that a server
 * told (AM_DNS_SERVFAIL, AM_DNS_BAD) 5 s; time-outs and network errors never.
 *
 * Bounds. 4096 different questions under way: one more is AM_DNS_SERVFAIL at
 * once. Sockets: a quarter of RLIMIT_NOFILE, 4096 at most; more questions queue.
 */

struct am_dns_live_options {
    const char *const
        *nameservers; /* "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; none = resolv.conf */
    size_t nameserver_count;
    const char *resolv_conf; /* NULL = /etc/resolv.conf */
    int64_t timeout_ms;      /* of one attempt */
    unsigned attempts;       /* rounds over the list of servers, 1..10 */
    size_t cache_entries;    /* most names kept; 0 switches the cache off */
    size_t cache_bytes;      /* most bytes kept; 0 = 1 KiB for each entry */
    const struct am_clock *clock;
    /* Called by a thread right before it waits for an answer, or NULL; must not block. */
    void (*before_wait)(void);
};

/*
 * Judges one entry of `am_dns_live_options.nameservers` without asking anybody.
 *
 * Returns: false with a sentence.
 * Threads: any.
 */
bool am_dns_live_check_nameserver(const char *text, struct am_problem *problem);

/* Longest address and port of a name server, with its NUL. */
#define AM_DNS_LIVE_SERVER_TEXT 80

/*
 * Writes the name servers that a resolver with these options asks, as `nameservers` takes them:
 * those of resolv.conf where none are named.
 *
 * count: filled; `room` at most, which are the first. Returns: false with a sentence.
 * Blocking: reads a file. Threads: any.
 */
bool am_dns_live_list(const struct am_dns_live_options *options,
                      char (*out)[AM_DNS_LIVE_SERVER_TEXT], size_t room, size_t *count,
                      struct am_problem *problem) AM_MUST_USE;

/* Figures since the start; each is monotonic unless it says otherwise. */
struct am_dns_live_stats {
    uint64_t lookups; /* calls of am_dns_start() */
    uint64_t cache_hits;
    uint64_t joined; /* look-ups that found the same question under way */
    uint64_t queries_udp, queries_tcp;
    uint64_t timeouts; /* attempts that got no answer in time */
    uint64_t spoofed;  /* datagrams dropped: wrong id, question, case or shape */
    uint64_t servfails;
    uint64_t cache_entries; /* now */
    uint64_t cache_bytes;   /* now */
    uint64_t cache_evicted;
};

/*
 * Makes a live resolver and starts its thread.
 *
 * Returns: the resolver, or NULL with a sentence (a name server that cannot be
 *   parsed, an unreadable resolv.conf, no thread).
 * Ownership: the caller frees it with am_resolver_free(), which ends the thread.
 */
struct am_resolver *am_dns_live_new(const struct am_dns_live_options *options,
                                    struct am_problem *problem) AM_MUST_USE;

/* Reads the figures of a live resolver. Threads: any. */
void am_dns_live_read_stats(const struct am_resolver *resolver, struct am_dns_live_stats *stats);

#endif
