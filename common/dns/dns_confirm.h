#ifndef AM_DNS_DNS_CONFIRM_H
#define AM_DNS_DNS_CONFIRM_H

#include "common/base/arena.h"
#include "common/base/ip.h"
#include "common/dns/dns.h"

/*
 * Forward-confirmed reverse DNS: anybody can let the PTR record of his address say any name; only
 * the owner of the name can let its A or AAAA record say the address.
 */

/* Most names of one PTR answer that are looked at, as many as SPF's own ptr may use (RFC 7208
 * section 4.6.4). */
#define AM_DNS_CONFIRM_NAMES_MAX 10

struct am_dns_confirm_request {
    struct am_ip ip;
    size_t max_names; /* the first so many names are looked at; 1..AM_DNS_CONFIRM_NAMES_MAX */
    bool (*wants)(void *user, struct am_span name); /* which of these are asked; NULL: all */
    void *user;
    int64_t deadline_us;
};

struct am_dns_confirmation {
    const char *name;            /* the confirmed one; NULL: there is none */
    size_t names;                /* how many the PTR answer has */
    enum am_dns_outcome reverse; /* of the PTR look-up; AM_DNS_NXDOMAIN for an unknown address */
    enum am_dns_outcome forward; /* of an address look-up without a definite answer (SERVFAIL,
                                    TIMEOUT, BAD; SERVFAIL also when memory was short), else OK */
};

/*
 * Looks for a PTR name of an address whose A or AAAA records hold that address. The names are asked
 * all at once, and a confirmed one ends the search.
 *
 * Ownership: `arena`. Blocking: until the deadline at most; 1 look-up of the PTR and at most
 *   `max_names` of addresses. Threads: any.
 */
struct am_dns_confirmation am_dns_confirm(struct am_resolver *resolver, struct am_arena *arena,
                                          const struct am_dns_confirm_request *request);

#endif
