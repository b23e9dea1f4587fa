#ifndef IPREV_IPREV_H
#define IPREV_IPREV_H

#include "common/dns/dns_confirm.h"

/*
 * The engine: does the address have a name that leads back to it (RFC 8601 section 3)? It knows
 * addresses and the DNS, but no mail, no options and no results of other checks.
 */

/* RFC 8601 section 2.7.3. There is no "none": every SMTP client has an address. */
enum iprev_result {
    IPREV_PASS,      /* a PTR name whose address records hold the address */
    IPREV_FAIL,      /* PTR names, and none of them does */
    IPREV_PERMERROR, /* no PTR name */
    IPREV_TEMPERROR, /* the DNS did not tell */
    IPREV_RESULT_COUNT
};

struct iprev_request {
    struct am_ip client; /* must be known (family 4 or 6) */
    size_t max_names;    /* PTR names looked at; 1..AM_DNS_CONFIRM_NAMES_MAX */
    int64_t deadline_us;
};

struct iprev_outcome {
    enum iprev_result result;
    const char *name;   /* the confirmed one; NULL unless pass */
    const char *reason; /* why it is not a pass; NULL with pass */
};

/*
 * Evaluates one address.
 *
 * Ownership: `arena`. Blocking: until the deadline at most. Threads: any.
 */
struct iprev_outcome iprev_check(struct am_resolver *resolver, struct am_arena *arena,
                                 const struct iprev_request *request);

/* Returns the word of a result: "pass", "fail", "permerror", "temperror". */
const char *iprev_result_word(enum iprev_result result);

#endif
