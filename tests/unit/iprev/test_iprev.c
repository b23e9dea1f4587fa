#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/dns/dns_zone.h"
#include "iprev-milter/iprev.h"

/* The four results of RFC 8601 section 2.7.3, and their reasons. */

static const char zone[] = "1.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
                           "mail.example. 60 IN A 192.0.2.1\n"
                           "2.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
                           "3.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
                           "3.2.0.192.in-addr.arpa. 60 IN PTR nowhere.example.\n"
                           "3.2.0.192.in-addr.arpa. 60 IN PTR six.example.\n"
                           "six.example. 60 IN AAAA 2001:db8::1\n"
                           "4.2.0.192.in-addr.arpa. 60 IN TXT \"no name\"\n"
                           "7.2.0.192.in-addr.arpa. 60 IN PTR nowhere.example.\n"
                           "7.2.0.192.in-addr.arpa. 60 IN PTR silent.example.\n"
                           "8.2.0.192.in-addr.arpa. 60 IN CNAME 8.2.0.192.in-addr.arpa.\n"
                           ";!servfail 6.2.0.192.in-addr.arpa\n"
                           ";!timeout silent.example\n";

static const struct {
    const char *client;
    size_t max_names;
    const char *word, *name, *reason;
} cases[] = {
    {"192.0.2.1", 10, "pass", "mail.example", NULL},
    {"192.0.2.2", 10, "fail", NULL, "the name does not lead back to the address"},
    {"192.0.2.3", 10, "fail", NULL, "none of 3 names leads back to the address"},
    {"192.0.2.3", 2, "fail", NULL, "none of the first 2 of 3 names leads back to the address"},
    {"192.0.2.4", 10, "permerror", NULL, "no PTR record"},
    {"192.0.2.5", 10, "permerror", NULL, "no PTR record"},
    {"2001:db8::1", 10, "permerror", NULL, "no PTR record"},
    {"192.0.2.6", 10, "temperror", NULL, "PTR look-up: servfail"},
    {"192.0.2.7", 10, "temperror", NULL, "address look-up: timeout"},
    {"192.0.2.7", 1, "fail", NULL, "none of the first 1 of 2 names leads back to the address"},
    {"192.0.2.8", 10, "temperror", NULL, "PTR look-up: bad"},
};

static void test_results(void **state)
{
    struct am_problem problem;
    struct am_resolver *resolver = am_dns_zone_parse(zone, "zone", &problem);
    struct am_arena *arena = am_arena_new(4096, 0);

    (void)state;
    assert_non_null(resolver);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct iprev_request request = {
            .max_names = cases[i].max_names,
            .deadline_us = am_deadline_in_ms(am_clock_system(), 2000),
        };

        assert_true(am_ip_parse(&request.client, am_span_str(cases[i].client)));
        struct iprev_outcome outcome = iprev_check(resolver, arena, &request);
        assert_string_equal(iprev_result_word(outcome.result), cases[i].word);
        if (cases[i].name == NULL)
            assert_null(outcome.name);
        else
            assert_string_equal(outcome.name, cases[i].name);
        if (cases[i].reason == NULL)
            assert_null(outcome.reason);
        else
            assert_string_equal(outcome.reason, cases[i].reason);
    }
    am_arena_free(arena);
    am_resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_results)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
