#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/ip.h"

static struct am_ip ip(const char *text)
{
    struct am_ip result;

    assert_true(am_ip_parse(&result, am_span_str(text)));
    return result;
}

static void addresses_come_back_as_text(void **state)
{
    static const char *const same[] = {"192.0.2.1", "2001:db8::1", "::", "::1", "0.0.0.0"};
    static const char *const bad[] = {"",           "192.0.2",   "192.0.2.256",
                                      "192.0.2.1 ", "01.2.3.4x", "fe80::1%eth0",
                                      "1::2::3",    "[::1]",     "localhost"};
    char text[AM_IP_TEXT_MAX];
    struct am_ip parsed;

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        parsed = ip(same[i]);
        assert_string_equal(am_ip_format(&parsed, text), same[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(am_ip_parse(&parsed, am_span_str(bad[i])));
    assert_false(am_ip_parse(&parsed, am_span_of("1.2.3.4\0", 8)));
    assert_string_equal(am_ip_format(&parsed, text), "unknown");
}

static void mapped_addresses_are_ipv4(void **state)
{
    struct am_ip mapped = ip("::ffff:192.0.2.1"), plain = ip("192.0.2.1"), from;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xC0000201)};
    struct sockaddr local = {.sa_family = AF_UNIX};

    (void)state;
    assert_int_equal(mapped.family, 4);
    assert_true(am_ip_equal(&mapped, &plain));
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
    am_ip_from_sockaddr(&from, (const struct sockaddr *)&in6);
    assert_true(am_ip_equal(&from, &plain));
    am_ip_from_sockaddr(&from, (const struct sockaddr *)&in);
    assert_true(am_ip_equal(&from, &plain));
    am_ip_from_sockaddr(&from, &local);
    assert_int_equal(from.family, 0);
    am_ip_from_sockaddr(&from, NULL);
    assert_int_equal(from.family, 0);
}

static void private_networks_are_known(void **state)
{
    static const struct {
        const char *text;
        bool is_private;
    } cases[] = {{"10.255.0.1", true},
                 {"172.15.255.255", false},
                 {"172.16.0.0", true},
                 {"172.31.255.255", true},
                 {"172.32.0.0", false},
                 {"192.168.1.1", true},
                 {"100.63.255.255", false},
                 {"100.64.0.1", true},
                 {"100.128.0.0", false},
                 {"127.0.0.1", true},
                 {"169.254.1.1", true},
                 {"0.0.0.0", true},
                 {"192.0.2.1", false},
                 {"8.8.8.8", false},
                 {"::1", true},
                 {"::", true},
                 {"::2", false},
                 {"fd00::1", true},
                 {"fe80::1", true},
                 {"fec0::1", false},
                 {"2001:db8::1", false},
                 {"::ffff:10.0.0.1", true}};
    struct am_ip unknown = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_ip parsed = ip(cases[i].text);
        assert_int_equal(am_ip_is_private(&parsed), cases[i].is_private);
    }
    assert_false(am_ip_is_private(&unknown));
    assert_false(am_ip_is_loopback(&unknown));
}

static void networks_contain(void **state)
{
    static const struct {
        const char *net, *ip;
        bool in;
    } cases[] = {{"192.0.2.0/24", "192.0.2.255", true},
                 {"192.0.2.0/24", "192.0.3.0", false},
                 {"192.0.2.128/25", "192.0.2.127", false},
                 {"0.0.0.0/0", "255.1.2.3", true},
                 {"0.0.0.0/0", "2001:db8::", false},
                 {"::/0", "2001:db8::", true},
                 {"::/0", "192.0.2.1", false},
                 {"2001:db8::/33", "2001:db8:8000::", false},
                 {"2001:db8::/33", "2001:db8:7fff::1", true},
                 {"192.0.2.1", "192.0.2.1", true},
                 {"::ffff:192.0.2.0/120", "192.0.2.7", true},
                 {"::ffff:0:0/96", "1.2.3.4", true},
                 {"::1/128", "::1", true},
                 {"10.0.0.0/31", "10.0.0.2", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_net net;
        struct am_ip address = ip(cases[i].ip);
        assert_true(am_net_parse(&net, am_span_str(cases[i].net), NULL));
        assert_int_equal(am_net_contains(&net, &address), cases[i].in);
    }
}

static void wrong_networks_are_explained(void **state)
{
    static const char *const cases[][2] = {{"10.0.0.1/8", "the network is 10.0.0.0/8"},
                                           {"192.0.2.0/33", "0 to 32"},
                                           {"2001:db8::/129", "0 to 128"},
                                           {"192.0.2.0/", "0 to 32"},
                                           {"192.0.2.0/024", "0 to 32"},
                                           {"192.0.2.0/-1", "0 to 32"},
                                           {"::ffff:192.0.2.0/24", "mixes"},
                                           {"example.com", "is not a network"},
                                           {"", "is not a network"},
                                           {"/8", "is not a network"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_problem problem;
        struct am_net net;
        assert_false(am_net_parse(&net, am_span_str(cases[i][0]), &problem));
        assert_non_null(strstr(problem.text, cases[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_back_as_text),  cmocka_unit_test(mapped_addresses_are_ipv4),
        cmocka_unit_test(private_networks_are_known),   cmocka_unit_test(networks_contain),
        cmocka_unit_test(wrong_networks_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
