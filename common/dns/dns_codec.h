#ifndef AM_DNS_DNS_CODEC_H
#define AM_DNS_DNS_CODEC_H

#include "common/dns/dns_set.h"

/*
 * Packets and master files, read by ldns. No other file includes ldns.
 *
 * Threads: one at a time per object; there is no common state.
 */

/* A record of a master file. */
struct am_dns_rr {
    struct am_dns_name owner;
    uint16_t type;
    struct am_dns_rdata rdata; /* belongs to the reader, valid until its next record */
};

/* Reads records line by line: remembers origin, default ttl and the last owner. */
struct am_dns_rr_reader;

/* Makes a reader. Returns NULL when memory is short. Freed with am_dns_rr_reader_free(). */
struct am_dns_rr_reader *am_dns_rr_reader_new(void) AM_MUST_USE;

/* Frees a reader. NULL is allowed. */
void am_dns_rr_reader_free(struct am_dns_rr_reader *reader);

/* Obeys $ORIGIN. Returns false when `text` is no name. */
bool am_dns_rr_reader_set_origin(struct am_dns_rr_reader *reader, const char *text);

/* Obeys $TTL. Returns false when `text` is no time: "3600", "1h30m". */
bool am_dns_rr_reader_set_ttl(struct am_dns_rr_reader *reader, const char *text);

/*
 * Reads one record: a whole line, comments and parentheses already resolved.
 *
 * Returns: false with the reason (no place) in `problem`.
 */
bool am_dns_rr_reader_read(struct am_dns_rr_reader *reader, const char *line, struct am_dns_rr *rr,
                           struct am_problem *problem);

/* What one reply means for the question it answers. */
enum am_dns_verdict {
    AM_DNS_VERDICT_FINAL,     /* `set` holds the outcome: OK, NODATA, NXDOMAIN */
    AM_DNS_VERDICT_ALIAS,     /* the reply ends at `target`, which has to be asked again */
    AM_DNS_VERDICT_FAILED,    /* SERVFAIL, REFUSED, a referral, ...: another server may know */
    AM_DNS_VERDICT_NO_EDNS,   /* FORMERR, NOTIMP or BADVERS: it may understand the question without
                                 EDNS0 */
    AM_DNS_VERDICT_MALFORMED, /* cannot be read, or a CNAME loop */
    AM_DNS_VERDICT_TOO_LONG,  /* the chain of CNAMEs passes AM_DNS_CNAME_MAX */
    AM_DNS_VERDICT_NO_MEMORY,
};

struct am_dns_reply {
    enum am_dns_verdict verdict;
    struct am_dns_set *set; /* of VERDICT_FINAL: a reference for the caller; else NULL */
    struct am_dns_name target;
    unsigned hops;  /* CNAMEs passed, those of earlier replies included */
    uint32_t ttl_s; /* smallest of the CNAMEs passed; UINT32_MAX when there was none */
    bool secure;
};

/*
 * Reads a reply whose header and question have been checked already
 * (dns_packet.h) and follows the CNAMEs in it, starting at `name`.
 *
 * hops: CNAMEs passed before this reply.
 */
void am_dns_reply_read(struct am_dns_reply *reply, const uint8_t *packet, size_t size,
                       const struct am_dns_name *name, enum am_dns_type type, unsigned hops);

/*
 * Reads the name servers of a resolv.conf file, as texts, each in turn handed to `add`.
 *
 * Returns: false with a sentence, also when `add` returned false.
 */
bool am_dns_resolv_conf_read(const char *path, bool (*add)(void *context, const char *server),
                             void *context, struct am_problem *problem);

#endif
