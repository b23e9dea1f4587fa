#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dns/live_fixture.h"

static const char zone_text[] =
    "$TTL 300\n"
    "example.com. IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 60\n"
    "example.com. IN TXT \"v=spf1 \" \"-all\"\n"
    "example.com. IN MX 10 mail.example.com.\n"
    "mail.example.com. IN A 192.0.2.1\n"
    "mail.example.com. IN AAAA 2001:db8::1\n"
    "*.many.example.com. IN A 192.0.2.2\n"
    "brief.example.com. 0 IN A 192.0.2.3\n"
    "alias.example.com. IN CNAME mail.example.com.\n"
    "lost.example.com. IN CNAME nowhere.example.com.\n"
    "bare.example.com. IN CNAME example.com.\n"
    "loop1.example.com. 0 IN CNAME loop2.example.com.\n"
    "loop2.example.com. 0 IN CNAME loop1.example.com.\n"
    "self.example.com. IN CNAME self.example.com.\n"
    "c0.example.com. IN CNAME c1.example.com.\n"
    "c1.example.com. IN CNAME c2.example.com.\n"
    "c2.example.com. IN CNAME c3.example.com.\n"
    "c3.example.com. IN CNAME c4.example.com.\n"
    "c4.example.com. IN CNAME c5.example.com.\n"
    "c5.example.com. IN CNAME c6.example.com.\n"
    "c6.example.com. IN CNAME c7.example.com.\n"
    "c7.example.com. IN CNAME c8.example.com.\n"
    "c8.example.com. IN CNAME c9.example.com.\n"
    "c9.example.com. IN CNAME c10.example.com.\n"
    "c10.example.com. 20 IN CNAME c11.example.com.\n"
    "c11.example.com. IN A 192.0.2.11\n"
    ";!timeout silent.example.com\n"
    ";!servfail broken.example.com\n";

void fixture_init(struct fixture *fixture)
{
    struct am_problem problem = {""};

    *fixture = (struct fixture){0};
    for (size_t i = 0; i < FIXTURE_SERVERS; i++) {
        fixture->servers[i] = dns_server_new(zone_text, 0, &problem);
        if (fixture->servers[i] == NULL)
            fail_msg("%s", problem.text);
    }
}

void fixture_open(struct fixture *fixture, size_t server_count, int64_t timeout_ms,
                  unsigned attempts, size_t cache_entries)
{
    const char *addresses[FIXTURE_SERVERS];
    struct am_problem problem = {""};

    for (size_t i = 0; i < server_count; i++)
        addresses[i] = dns_server_address(fixture->servers[i]);
    struct am_dns_live_options options = {
        .nameservers = addresses,
        .nameserver_count = server_count,
        .timeout_ms = timeout_ms,
        .attempts = attempts,
        .cache_entries = cache_entries,
        .clock = am_clock_system(),
    };
    fixture->resolver = am_dns_live_new(&options, &problem);
    if (fixture->resolver == NULL)
        fail_msg("%s", problem.text);
}

void fixture_fini(struct fixture *fixture)
{
    am_dns_release(fixture->query);
    am_resolver_free(fixture->resolver);
    for (size_t i = 0; i < FIXTURE_SERVERS; i++)
        dns_server_free(fixture->servers[i]);
}

const struct am_dns_answer *fixture_ask(struct fixture *fixture, const char *name,
                                        enum am_dns_type type)
{
    am_dns_release(fixture->query);
    fixture->query =
        am_dns_start(fixture->resolver, name, type, am_deadline_in_ms(am_clock_system(), 20000));
    return am_dns_wait(fixture->query);
}

void fixture_expect(struct fixture *fixture, const char *name, enum am_dns_type type,
                    enum am_dns_outcome outcome)
{
    const struct am_dns_answer *answer = fixture_ask(fixture, name, type);

    if (answer->outcome != outcome)
        fail_msg("%s %s: %s, expected %s", name, am_dns_type_word(type),
                 am_dns_outcome_word(answer->outcome), am_dns_outcome_word(outcome));
}

struct am_dns_live_stats fixture_stats(const struct fixture *fixture)
{
    struct am_dns_live_stats stats;

    am_dns_live_read_stats(fixture->resolver, &stats);
    return stats;
}
