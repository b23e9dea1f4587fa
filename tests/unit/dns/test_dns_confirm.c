#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/dns/dns_confirm.h"
#include "common/dns/dns_zone.h"

/* Names of an address, and whether they lead back to it. */

static const char zone[] =
    "1.2.0.192.in-addr.arpa. 60 IN PTR evil.example.org.\n"
    "1.2.0.192.in-addr.arpa. 60 IN PTR silent.example.\n"
    "1.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
    "1.2.0.192.in-addr.arpa. 60 IN PTR second.example.\n"
    "evil.example.org. 60 IN A 192.0.2.9\n"
    "evil.example.org. 60 IN AAAA 2001:db8::1\n"
    "mail.example. 60 IN A 198.51.100.5\n"
    "mail.example. 60 IN A 192.0.2.1\n"
    "second.example. 60 IN A 192.0.2.1\n"
    "2.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
    "3.2.0.192.in-addr.arpa. 60 IN PTR silent.example.\n"
    "3.2.0.192.in-addr.arpa. 60 IN PTR mail.example.\n"
    "4.2.0.192.in-addr.arpa. 60 IN TXT \"no name\"\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR "
    "six.example.\n"
    "six.example. 60 IN AAAA 2001:db8::1\n"
    ";!timeout silent.example\n"
    ";!servfail 6.2.0.192.in-addr.arpa\n";

static struct am_resolver *resolver;
static struct am_arena *arena;

static int set_up(void **state)
{
    struct am_problem problem;

    (void)state;
    resolver = am_dns_zone_parse(zone, "zone", &problem);
    arena = am_arena_new(4096, 0);
    return resolver == NULL || arena == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    am_resolver_free(resolver);
    am_arena_free(arena);
    return 0;
}

static struct am_dns_confirm_request request_for(const char *address)
{
    struct am_dns_confirm_request request = {
        .max_names = AM_DNS_CONFIRM_NAMES_MAX,
        .deadline_us = am_deadline_in_ms(am_clock_system(), 2000),
    };

    assert_true(am_ip_parse(&request.ip, am_span_str(address)));
    return request;
}

static struct am_dns_confirmation confirm(const char *address)
{
    struct am_dns_confirm_request request = request_for(address);

    return am_dns_confirm(resolver, arena, &request);
}

static void test_confirmed(void **state)
{
    struct am_dns_confirmation found = confirm("192.0.2.1");

    (void)state;
    assert_string_equal(found.name, "mail.example"); /* not second.example: the first in order */
    assert_int_equal(found.names, 4);
    assert_int_equal(found.reverse, AM_DNS_OK);
    assert_string_equal(confirm("2001:db8::1").name, "six.example");
    assert_string_equal(confirm("::ffff:192.0.2.1").name, "mail.example");
}

static void test_not_confirmed(void **state)
{
    struct am_dns_confirmation found = confirm("192.0.2.2");

    (void)state;
    assert_null(found.name);
    assert_int_equal(found.reverse, AM_DNS_OK);
    assert_int_equal(found.forward, AM_DNS_OK);
    found = confirm("192.0.2.3");
    assert_null(found.name);
    assert_int_equal(found.forward, AM_DNS_TIMEOUT);
}

static void test_no_names(void **state)
{
    struct am_dns_confirm_request request = {.max_names = 1};

    (void)state;
    assert_int_equal(confirm("192.0.2.4").reverse, AM_DNS_NODATA);
    assert_int_equal(confirm("192.0.2.5").reverse, AM_DNS_NXDOMAIN);
    assert_int_equal(confirm("192.0.2.6").reverse, AM_DNS_SERVFAIL);
    assert_int_equal(am_dns_confirm(resolver, arena, &request).reverse, AM_DNS_NXDOMAIN);
}

static bool is_second(void *user, struct am_span name)
{
    ++*(size_t *)user;
    return am_span_equal(name, am_span_str("second.example"));
}

static void test_only_wanted_and_first_names(void **state)
{
    struct am_dns_confirm_request request = request_for("192.0.2.1");
    size_t seen = 0;

    (void)state;
    request.wants = is_second;
    request.user = &seen;
    assert_string_equal(am_dns_confirm(resolver, arena, &request).name, "second.example");
    assert_int_equal(seen, 4);
    request.max_names = 3;
    struct am_dns_confirmation found = am_dns_confirm(resolver, arena, &request);
    assert_null(found.name);
    assert_int_equal(found.names, 4);
    assert_int_equal(found.forward, AM_DNS_OK); /* silent.example was not wanted */
}

static void test_short_memory_is_no_answer(void **state)
{
    struct am_dns_confirm_request request = request_for("192.0.2.2");
    struct am_arena *small = am_arena_new(8, 8);

    (void)state;
    assert_non_null(small);
    struct am_dns_confirmation found = am_dns_confirm(resolver, small, &request);
    assert_null(found.name);
    assert_int_equal(found.forward, AM_DNS_SERVFAIL);
    am_arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_confirmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_confirmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_wanted_and_first_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_memory_is_no_answer, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
