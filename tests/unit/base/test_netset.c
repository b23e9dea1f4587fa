#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/netset.h"
#include "tests/support/arena_fixture.h"

static struct am_ip ip_of(const char *text)
{
    struct am_ip ip;

    assert_true(am_ip_parse(&ip, am_span_str(text)));
    return ip;
}

static void test_netset(void **state)
{
    static const char *const nets[] = {"192.0.2.0/24",  "192.0.2.64/26", "0.0.0.0/0",
                                       "2001:db8::/33", "2001:db8::1",   "::/0"};
    struct am_netset *set = am_netset_new(arena, 6);
    struct am_problem problem;
    struct am_net net;

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(am_net_parse(&net, am_span_str(nets[i]), &problem));
        assert_int_equal(am_netset_add(set, &net, i), i);
    }
    static const struct {
        const char *ip;
        uint32_t number;
    } cases[] = {{"192.0.2.1", 0},       {"192.0.2.65", 1},        {"192.0.2.128", 0},
                 {"203.0.113.9", 2},     {"2001:db8:7fff::5", 3},  {"2001:db8::1", 4},
                 {"2001:db8:8000::", 5}, {"::ffff:192.0.2.127", 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_ip ip = ip_of(cases[i].ip);

        assert_int_equal(am_netset_find(set, &ip), cases[i].number);
    }
    struct am_ip unknown = {.family = 0};
    assert_int_equal(am_netset_find(set, &unknown), AM_TABLE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_netset, make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
