#ifndef TESTS_UNIT_DNS_LIVE_FIXTURE_H
#define TESTS_UNIT_DNS_LIVE_FIXTURE_H

#include "common/base/clock.h"
#include "common/dns/dns_live.h"
#include "tests/support/dns/dns_server.h"

#define FIXTURE_SERVERS 2

/* Test servers with the same zone, and a live resolver that asks them in order. */
struct fixture {
    struct dns_server *servers[FIXTURE_SERVERS];
    struct am_resolver *resolver;
    struct am_dns_query *query; /* of fixture_ask() */
};

/* Starts a server and leaves the resolver to fixture_open(). Fails the test on error. */
void fixture_init(struct fixture *fixture);

/* Makes the resolver. `timeout_ms` of one attempt; options not named are usual ones. */
void fixture_open(struct fixture *fixture, size_t server_count, int64_t timeout_ms,
                  unsigned attempts, size_t cache_entries);

/* Frees all. */
void fixture_fini(struct fixture *fixture);

/* Asks and waits up to 20 s; the answer is valid until the next call or fixture_fini(). */
const struct am_dns_answer *fixture_ask(struct fixture *fixture, const char *name,
                                        enum am_dns_type type);

/* Asks and holds the outcome against the word expected. */
void fixture_expect(struct fixture *fixture, const char *name, enum am_dns_type type,
                    enum am_dns_outcome outcome);

/* Reads the figures. */
struct am_dns_live_stats fixture_stats(const struct fixture *fixture);

#endif
