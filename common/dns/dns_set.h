#ifndef AM_DNS_DNS_SET_H
#define AM_DNS_DNS_SET_H

#include <stdatomic.h>

#include "common/dns/dns.h"
#include "common/dns/dns_name.h"

/*
 * What the DNS said about one question, in one block of memory: made once,
 * then never changed and shared by cache and callers through a count.
 */
struct am_dns_set {
    atomic_uint references;
    enum am_dns_outcome outcome;
    bool secure;
    bool storable;  /* worth keeping for ttl_s */
    uint32_t ttl_s; /* from the moment it came */
    size_t bytes;   /* of this block */
    size_t count;
    struct am_dns_record records[];
};

/* The data of a record as it stands in a packet, names not compressed. */
struct am_dns_rdata {
    const uint8_t *data;
    size_t len;
    uint32_t ttl_s;
};

/* Longest rdata: its length is a 16-bit number. */
#define AM_DNS_RDATA_MAX 65535

/*
 * Makes a set without records.
 *
 * Returns: the set, or NULL when memory is short.
 * Ownership: the caller gives it back with am_dns_set_drop().
 */
struct am_dns_set *am_dns_set_new(enum am_dns_outcome outcome) AM_MUST_USE;

/*
 * Makes a set of records of one type: outcome AM_DNS_OK and the smallest ttl,
 * or AM_DNS_BAD when any of them is malformed. `count` is at least 1.
 *
 * Returns: the set, or NULL when memory is short.
 * Ownership: the caller gives it back with am_dns_set_drop().
 */
struct am_dns_set *am_dns_set_of_rdata(enum am_dns_type type, const struct am_dns_rdata *list,
                                       size_t count) AM_MUST_USE;

/* Takes one more reference. Threads: any. */
struct am_dns_set *am_dns_set_take(struct am_dns_set *set);

/* Gives a reference back; the last one frees the set. NULL is allowed. Threads: any. */
void am_dns_set_drop(struct am_dns_set *set);

/* Fills an answer that shows this set; it is valid as long as a reference is held. */
void am_dns_set_show(const struct am_dns_set *set, struct am_dns_answer *answer);

#endif
