#ifndef AM_DNS_DNS_H
#define AM_DNS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The resolver interface: all that an engine ever sees of the DNS.
 *
 * A look-up is started and collected. Any number may be in flight at once, so
 * the look-ups of one message overlap; equal questions of different callers
 * are joined into one query. Engines never wait without a deadline.
 *
 *     struct am_dns_query *mx = am_dns_start(resolver, name, AM_DNS_MX, deadline_us);
 *     struct am_dns_query *txt = am_dns_start(resolver, name, AM_DNS_TXT, deadline_us);
 *     const struct am_dns_answer *answer = am_dns_wait(txt);
 *     if (answer->outcome == AM_DNS_OK)
 *         for (size_t i = 0; i < answer->count; i++)
 *             use(answer->records[i].text);
 *     am_dns_release(txt);
 *     am_dns_release(mx);           -- never waited for: given up
 *
 * Implementations: the live resolver (dns_live.h) with its cache, a static
 * zone (dns_zone.h), and in tests a scripted one (tests/support).
 */

enum am_dns_type {
    AM_DNS_A = 1,
    AM_DNS_PTR = 12,
    AM_DNS_MX = 15,
    AM_DNS_TXT = 16,
    AM_DNS_AAAA = 28,
};

/* What became of a look-up. The six are never confused with each other. */
enum am_dns_outcome {
    AM_DNS_OK,       /* at least one record of the type asked for */
    AM_DNS_NODATA,   /* the name exists, without such a record */
    AM_DNS_NXDOMAIN, /* the name does not exist */
    AM_DNS_SERVFAIL, /* every server answered, none usefully (SERVFAIL, REFUSED, NOTIMP, network
                        error) */
    AM_DNS_TIMEOUT,  /* nobody answered before the deadline or the last attempt's end */
    AM_DNS_BAD,      /* an answer that cannot be used: malformed, CNAME loop, or chain too long */
};

/* Longest CNAME chain that is followed. */
#define AM_DNS_CNAME_MAX 10

/* One record of the type asked for. */
struct am_dns_record {
    union {
        uint8_t a[4];
        uint8_t aaaa[16];
        /*
         * TXT: the character-strings joined without blanks (RFC 7208 section
         * 3.3); may hold any byte, NUL included.
         * PTR, MX: the name in lower-case presentation form without the final
         * dot, odd bytes as \DDD; "" is the root ("null MX", RFC 7505).
         */
        struct am_span text;
    };
    uint16_t preference; /* MX only */
};

/*
 * An answer: never changes, shared by everyone who asked, owned by the query
 * that delivered it (valid until am_dns_release()).
 */
struct am_dns_answer {
    enum am_dns_outcome outcome;
    bool secure;     /* the AD bit of a server that is trusted to validate */
    bool from_cache; /* no query was sent for this caller */
    uint32_t ttl_s;  /* what is left of it */
    size_t count;    /* 0 unless outcome is AM_DNS_OK */
    const struct am_dns_record *records;
};

struct am_dns_query; /* one look-up of one caller */
struct am_resolver;

/* What an implementation provides; callers use the functions below. */
struct am_resolver_ops {
    struct am_dns_query *(*start)(struct am_resolver *self, const char *name, enum am_dns_type type,
                                  int64_t deadline_us);
    void (*wait_any)(struct am_dns_query *const *queries, size_t count);
    void (*release)(struct am_dns_query *query);
    void (*free)(struct am_resolver *self);
};

struct am_resolver {
    const struct am_resolver_ops *ops;
};

/* Every implementation's query begins with these members. */
struct am_dns_query {
    const struct am_resolver_ops *ops;
    const struct am_dns_answer *answer; /* NULL while under way; read it with am_dns_answer_of() */
    bool seen;                          /* the owner was shown the answer */
};

/*
 * Starts a look-up.
 *
 * name: presentation form, with or without the final dot; a name that cannot be
 *   asked (label over 63 octets, over 255 in all, empty label) yields AM_DNS_NXDOMAIN
 *   without a query, as RFC 7208 section 4.3 treats malformed names.
 * deadline_us: absolute monotonic time; am_dns_wait() returns by then.
 * Returns: never NULL; when memory is short a query whose outcome is AM_DNS_SERVFAIL.
 * Ownership: the caller releases it with am_dns_release(), waited for or not.
 * Blocking: never. Threads: any.
 */
struct am_dns_query *am_dns_start(struct am_resolver *resolver, const char *name,
                                  enum am_dns_type type, int64_t deadline_us) AM_MUST_USE;

/* Returns the answer when it is there, else NULL. Never blocks. Threads: the query's owner. */
const struct am_dns_answer *am_dns_answer_of(struct am_dns_query *query);

/* Waits for the answer: at most until the query's deadline (then the outcome is AM_DNS_TIMEOUT). */
const struct am_dns_answer *am_dns_wait(struct am_dns_query *query);

/*
 * Waits until there is news: at least one of the queries has an answer that
 * am_dns_answer_of() has not shown yet. An answer that comes between the
 * caller's last look and this call is therefore never slept through. Returns at
 * once when all have been shown. All must come from one resolver.
 */
void am_dns_wait_any(struct am_dns_query *const *queries, size_t count);

/* Gives the query and its answer back. NULL is allowed. */
void am_dns_release(struct am_dns_query *query);

/* Frees a resolver; no query of it may be alive. NULL is allowed. */
void am_resolver_free(struct am_resolver *resolver);

/* Returns the word of an outcome: "ok", "nodata", "nxdomain", "servfail", "timeout", "bad". */
const char *am_dns_outcome_word(enum am_dns_outcome outcome);

/* Returns the mnemonic of a type: "A", "TXT", ... */
const char *am_dns_type_word(enum am_dns_type type);

struct am_ip;

/* Longest reverse name with its NUL. */
#define AM_DNS_REVERSE_MAX 80

/*
 * Writes the name under which an address' PTR record is kept ("1.2.0.192.in-addr.arpa",
 * nibbles under ip6.arpa) into `out` and returns it; "" for an unknown address. Threads: any.
 */
const char *am_dns_reverse_name(const struct am_ip *ip, char out[AM_DNS_REVERSE_MAX]);

#endif
