#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/dns/dns_zone.h"
#include "spf-milter/spf_exempt.h"
#include "tests/support/arena_fixture.h"

/* Who is exempt. */

static struct am_ip ip_of(const char *text)
{
    struct am_ip ip;

    assert_true(am_ip_parse(&ip, am_span_str(text)));
    return ip;
}

static struct am_net net_of(const char *text)
{
    struct am_problem problem;
    struct am_net net;

    assert_true(am_net_parse(&net, am_span_str(text), &problem));
    return net;
}

static struct spf_exempt *open_exempt(struct spf_conf *conf)
{
    struct am_problem problem;
    struct spf_exempt *exempt = spf_exempt_open(arena, conf, &problem);

    assert_non_null(exempt);
    return exempt;
}

static void test_clients(void **state)
{
    struct am_net net = net_of("192.0.2.0/24");
    struct spf_conf conf = {
        .exempt_networks = {&net, 1}, .exempt_local = true, .exempt_authenticated = true};
    struct spf_exempt *exempt = open_exempt(&conf);
    struct spf_client client = {.ip = ip_of("203.0.113.1")};

    (void)state;
    assert_null(spf_exempt_client(exempt, &client));
    client.is_local = true;
    assert_string_equal(spf_exempt_client(exempt, &client), "local");
    client.is_authenticated = true;
    assert_string_equal(spf_exempt_client(exempt, &client), "authenticated");
    client = (struct spf_client){.ip = ip_of("::ffff:192.0.2.1")};
    assert_string_equal(spf_exempt_client(exempt, &client), "network");

    conf.exempt_local = conf.exempt_authenticated = false;
    exempt = open_exempt(&conf);
    client =
        (struct spf_client){.ip = ip_of("203.0.113.1"), .is_local = true, .is_authenticated = true};
    assert_null(spf_exempt_client(exempt, &client));
    client.is_submitting = true;
    assert_string_equal(spf_exempt_client(exempt, &client), "submission");
}

static void test_address_kinds(void **state)
{
    struct am_net own = net_of("203.0.113.0/28");
    struct spf_conf conf = {.own_networks = {&own, 1}};
    struct spf_exempt *exempt = open_exempt(&conf);
    struct am_ip ips[] = {ip_of("172.17.0.1"),  ip_of("::1"),          ip_of("fd00::1"),
                          ip_of("203.0.113.3"), ip_of("203.0.113.30"), {.family = 0}};
    enum spf_address_kind kinds[] = {SPF_ADDRESS_PRIVATE, SPF_ADDRESS_PRIVATE, SPF_ADDRESS_PRIVATE,
                                     SPF_ADDRESS_OWN,     SPF_ADDRESS_PUBLIC,  SPF_ADDRESS_UNKNOWN};

    (void)state;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(spf_exempt_address(exempt, &ips[i]), kinds[i]);
}

static const char zone[] =
    "1.2.0.192.in-addr.arpa. 60 IN PTR evil.example.org.\n"
    "1.2.0.192.in-addr.arpa. 60 IN PTR mail.partner.example.\n"
    "mail.partner.example. 60 IN A 198.51.100.5\n"
    "mail.partner.example. 60 IN A 192.0.2.1\n"
    "2.2.0.192.in-addr.arpa. 60 IN PTR mail.partner.example.\n"
    "3.2.0.192.in-addr.arpa. 60 IN PTR a.partner.example.\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR "
    "six.partner.example.\n"
    "six.partner.example. 60 IN AAAA 2001:db8::1\n"
    ";!timeout a.partner.example\n";

static void test_ptr_names_are_confirmed(void **state)
{
    const char *items[] = {".partner.example"};
    struct spf_conf conf = {.exempt_ptr = {items, 1}};
    struct spf_exempt *exempt = open_exempt(&conf);
    struct am_problem problem;
    struct am_resolver *resolver = am_dns_zone_parse(zone, "zone", &problem);
    struct am_ip listed = ip_of("192.0.2.1"), forged = ip_of("192.0.2.2"),
                 silent = ip_of("192.0.2.3"), none = ip_of("192.0.2.4"), six = ip_of("2001:db8::1");

    (void)state;
    assert_non_null(resolver);
    assert_true(spf_exempt_wants_ptr(exempt));
    int64_t deadline_us = am_deadline_in_ms(am_clock_system(), 2000);
    assert_string_equal(spf_exempt_ptr(exempt, arena, resolver, &listed, deadline_us),
                        "mail.partner.example");
    assert_string_equal(spf_exempt_ptr(exempt, arena, resolver, &six, deadline_us),
                        "six.partner.example");
    assert_null(spf_exempt_ptr(exempt, arena, resolver, &forged, deadline_us));
    assert_null(spf_exempt_ptr(exempt, arena, resolver, &silent, deadline_us));
    assert_null(spf_exempt_ptr(exempt, arena, resolver, &none, deadline_us));
    am_resolver_free(resolver);
}

static void test_messages_and_recipients(void **state)
{
    const char *helo[] = {"mail.partner.example"}, *senders[] = {"lists@example.org"},
               *recipients[] = {"postmaster", "abuse"};
    struct spf_conf conf = {.exempt_helo = {helo, 1},
                            .exempt_senders = {senders, 1},
                            .exempt_recipients = {recipients, 2}};
    struct spf_exempt *exempt = open_exempt(&conf);
    struct am_address address;

    (void)state;
    am_address_parse(&address, am_span_str("<lists@example.org>"));
    assert_string_equal(
        spf_exempt_message(exempt, arena, am_span_str("MAIL.partner.example"), &address), "helo");
    assert_string_equal(spf_exempt_message(exempt, arena, am_span_str("x"), &address), "sender");
    am_address_parse(&address, am_span_str("<Abuse@example.com>"));
    assert_null(spf_exempt_message(exempt, arena, am_span_str("x"), &address));
    assert_true(spf_exempt_recipient(exempt, arena, &address));
    am_address_parse(&address, am_span_str("<bob@example.com>"));
    assert_false(spf_exempt_recipient(exempt, arena, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clients, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_address_kinds, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_ptr_names_are_confirmed, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_messages_and_recipients, make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
