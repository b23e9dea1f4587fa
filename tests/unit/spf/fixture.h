#ifndef TESTS_UNIT_SPF_FIXTURE_H
#define TESTS_UNIT_SPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/dns/dns_zone.h"
#include "spf-milter/spf.h"

/*
 * An evaluation against a zone whose answers take time on a clock of their
 * own: nothing sleeps, and the number of waits can be told.
 */
struct slow_dns {
    struct am_resolver resolver;
    struct am_clock clock;
    struct am_resolver *zone;
    int64_t now_us;
    int64_t delay_us; /* of every answer; 0 = at once */
    bool silent;      /* no answer ever comes */
    unsigned queries; /* look-ups started */
    unsigned waits;   /* times the clock had to go on */
    struct slow_query *alive;
};

struct fixture {
    struct slow_dns dns;
    struct am_arena *arena;
    struct spf_request request; /* ready to use; tests change what they are about */
};

/* Makes the resolver over a zone; the request asks for client 192.0.2.1, 20 s, with explanation. */
void fixture_init(struct fixture *fixture, const char *zone);

void fixture_fini(struct fixture *fixture);

/* Sets client, HELO and sender ("" = null sender) and evaluates in a fresh arena. */
const struct spf_outcome *fixture_evaluate(struct fixture *fixture, const char *client,
                                           const char *helo, const char *sender);

/* One evaluation in a zone of its own; asserts the result word. Free with fixture_fini(). */
const struct spf_outcome *fixture_expect(struct fixture *fixture, const char *zone,
                                         const char *sender, const char *result);

#endif
