#include "tests/unit/spf/fixture.h"

#include <stdlib.h>
#include <string.h>

struct slow_query {
    struct am_dns_query query;
    struct slow_dns *dns;
    struct am_dns_query *inner;
    int64_t ready_us;
    struct slow_query *next;
};

static const struct am_dns_answer no_answer = {.outcome = AM_DNS_TIMEOUT};

static void deliver(struct slow_dns *dns)
{
    for (struct slow_query *q = dns->alive; q != NULL; q = q->next)
        if (q->query.answer == NULL && q->ready_us <= dns->now_us)
            q->query.answer = dns->silent ? &no_answer : am_dns_wait(q->inner);
}

static const struct am_resolver_ops slow_ops;

static struct am_dns_query *slow_start(struct am_resolver *self, const char *name,
                                       enum am_dns_type type, int64_t deadline_us)
{
    struct slow_dns *dns = (struct slow_dns *)self;
    struct slow_query *q = calloc(1, sizeof(*q));
    assert_non_null(q);
    q->query.ops = &slow_ops;
    q->dns = dns;
    q->inner = am_dns_start(dns->zone, name, type, deadline_us);
    q->ready_us = dns->silent ? deadline_us : dns->now_us + dns->delay_us;
    if (q->ready_us > deadline_us)
        q->ready_us = deadline_us;
    q->next = dns->alive;
    dns->alive = q;
    dns->queries++;
    deliver(dns);
    return &q->query;
}

static void slow_wait_any(struct am_dns_query *const *queries, size_t count)
{
    struct slow_dns *dns = NULL;
    int64_t ready_us = AM_NEVER;
    for (size_t i = 0; i < count; i++) {
        const struct slow_query *q = (const struct slow_query *)queries[i];
        if (q->query.answer != NULL)
            continue;
        dns = q->dns;
        ready_us = am_deadline_earlier(ready_us, q->ready_us);
    }
    if (dns == NULL)
        return;
    dns->waits++;
    dns->now_us = ready_us;
    deliver(dns);
}

static void slow_release(struct am_dns_query *query)
{
    struct slow_query *q = (struct slow_query *)query;
    struct slow_query **at = &q->dns->alive;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    am_dns_release(q->inner);
    free(q);
}

static const struct am_resolver_ops slow_ops = {
    .start = slow_start, .wait_any = slow_wait_any, .release = slow_release};

static int64_t fake_now(const struct am_clock *clock)
{
    const char *dns = (const char *)clock - offsetof(struct slow_dns, clock);
    return ((const struct slow_dns *)dns)->now_us;
}

static int64_t fake_wall(const struct am_clock *clock)
{
    (void)clock;
    return 1700000000;
}

void fixture_init(struct fixture *fixture, const char *zone)
{
    struct am_problem problem = {""};
    memset(fixture, 0, sizeof(*fixture));
    fixture->dns.resolver.ops = &slow_ops;
    fixture->dns.clock = (struct am_clock){fake_now, fake_wall};
    fixture->dns.zone = am_dns_zone_parse(zone, "zone", &problem);
    if (fixture->dns.zone == NULL)
        fail_msg("%s", problem.text);
    fixture->request = (struct spf_request){
        .resolver = &fixture->dns.resolver,
        .clock = &fixture->dns.clock,
        .deadline_us = 20000000,
        .want_explanation = true,
        .receiver = "mx.receiver.example",
    };
}

void fixture_fini(struct fixture *fixture)
{
    am_arena_free(fixture->arena);
    assert_null(fixture->dns.alive); /* every look-up was released */
    am_resolver_free(fixture->dns.zone);
}

const struct spf_outcome *fixture_evaluate(struct fixture *fixture, const char *client,
                                           const char *helo, const char *sender)
{
    am_arena_free(fixture->arena);
    fixture->arena = am_arena_new(4096, 0);
    assert_non_null(fixture->arena);
    assert_true(am_ip_parse(&fixture->request.client, am_span_str(client)));
    fixture->request.helo = am_span_str(helo);
    memset(&fixture->request.sender, 0, sizeof(fixture->request.sender));
    if (*sender == '\0')
        fixture->request.sender.is_null = true;
    else
        am_address_parse(&fixture->request.sender, am_span_str(sender));
    fixture->dns.queries = fixture->dns.waits = 0;
    fixture->dns.now_us = 0;
    return spf_evaluate(fixture->arena, &fixture->request);
}

const struct spf_outcome *fixture_expect(struct fixture *fixture, const char *zone,
                                         const char *sender, const char *result)
{
    fixture_init(fixture, zone);
    const struct spf_outcome *outcome =
        fixture_evaluate(fixture, "192.0.2.1", "mail.example.com", sender);
    assert_string_equal(spf_result_word(outcome->result), result);
    return outcome;
}
