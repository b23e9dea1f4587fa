#ifndef TESTS_SUPPORT_DNS_DNS_RESPONDER_H
#define TESTS_SUPPORT_DNS_DNS_RESPONDER_H

#include "common/dns/dns_zone_data.h"

/* Longest message: its length over TCP is a 16-bit number. */
#define DNS_MESSAGE_MAX 65535

enum {
    DNS_RCODE_NOERROR,
    DNS_RCODE_FORMERR,
    DNS_RCODE_SERVFAIL,
    DNS_RCODE_NXDOMAIN,
    DNS_RCODE_NOTIMP,
    DNS_RCODE_REFUSED
};

/* A query as it came. */
struct dns_request {
    uint16_t id;
    uint16_t type;
    struct am_dns_name name;             /* in lower case */
    uint8_t asked[AM_DNS_NAME_WIRE_MAX]; /* in the case it was asked in; name.len octets */
    bool edns, wants_ad;
    unsigned udp_size;
};

/* Reads a query. Returns false when it is none. */
bool dns_request_read(struct dns_request *request, const uint8_t *packet, size_t size);

struct dns_response {
    uint8_t *data; /* DNS_MESSAGE_MAX octets */
    size_t len;
};

/* How to answer. */
struct dns_manner {
    bool one_alias; /* put only the first CNAME of a chain into the answer */
    bool secure;    /* set AD when the query has it */
};

/*
 * Answers from a zone, up to DNS_MESSAGE_MAX octets: CNAME chains in one
 * answer, the SOA with negative answers.
 *
 * Returns: false when the zone says that the name is met with silence.
 */
bool dns_response_build(struct dns_response *response, const struct am_dns_zone_data *zone,
                        const struct dns_request *request, const struct dns_manner *manner);

/* An answer without records. */
void dns_response_fail(struct dns_response *response, const struct dns_request *request,
                       unsigned rcode);

/* An empty answer with the TC bit. */
void dns_response_truncate(struct dns_response *response, const struct dns_request *request);

#endif
