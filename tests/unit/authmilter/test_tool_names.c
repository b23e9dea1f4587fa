#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "authmilter/tool_clock.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_name.h"

static void times_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_s; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"1795249800", 1795249800},
        {"2026-11-21T08:30:00Z", 1795249800},
        {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"2023-02-29T00:00:00Z", -1},
        {"2026-11-21T08:30:00", -1},
        {"2026-11-21 08:30:00Z", -1},
        {"2026-11-21T08:30:00Zx", -1},
        {"", -1},
        {"-1", -1},
        {"12x", -1},
        {"now", -1},
        {"9223372036854775808", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_problem problem;
        struct tool_clock clock;
        tool_clock_init(&clock);
        assert_int_equal(tool_clock_set(&clock, rows[i].text, &problem), rows[i].time_s >= 0);
        if (rows[i].time_s >= 0)
            assert_int_equal(clock.clock.wall_s(&clock.clock), rows[i].time_s);
        else
            assert_non_null(strstr(problem.text, "is no time"));
    }
    char text[TOOL_CLOCK_TEXT_MAX];
    assert_string_equal(tool_clock_format(1795249800, text), "2026-11-21T08:30:00Z");
    assert_string_equal(tool_clock_format(253402300799, text), "9999-12-31T23:59:59Z");
    assert_string_equal(tool_clock_format(253402300800, text), "253402300800");
    assert_string_equal(tool_clock_format(INT64_MAX, text), "9223372036854775807");
}

static void names_are_checked_and_converted(void **state)
{
    (void)state;
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem problem;

    assert_string_equal(tool_name_domain(arena, "Example.ORG", &problem), "example.org");
    assert_string_equal(tool_name_domain(arena,
                                         "b\xc3\xbc"
                                         "cher.example",
                                         &problem),
                        "xn--bcher-kva.example");
    assert_string_equal(tool_name_selector(arena, "s1", &problem), "s1");
    assert_string_equal(tool_name_selector(arena, "s1.mail", &problem), "s1.mail");
    static const char *const bad[] = {"", "org", "a..b", "a b.c", "a.b.", "-a.b", "a/b.c", "a;b.c"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(tool_name_domain(arena, bad[i], &problem));
    static const char *const bad_selectors[] = {"", "a..b", "../a", "a b", "a;"};
    for (size_t i = 0; i < sizeof(bad_selectors) / sizeof(bad_selectors[0]); i++)
        assert_null(tool_name_selector(arena, bad_selectors[i], &problem));
    am_arena_free(arena);
}

static void identities_lie_in_the_domain(void **state)
{
    (void)state;
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem problem;
    static const char *const good[] = {"@example.org", "a@example.org", "@sub.example.org",
                                       "\"a b;c=\"@example.org", "a@EXAMPLE.org"};
    static const char *const bad[] = {
        "",     "example.org",    "a@example.net", "a b@example.org", "@xexample.org",
        "@org", "a@b@example.org"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(tool_name_check_identity(arena, good[i], "example.org", &problem));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(tool_name_check_identity(arena, bad[i], "example.org", &problem));
    am_arena_free(arena);
}

static void name_servers_are_counted(void **state)
{
    (void)state;
    struct tool_dns dns = {.count = 0};
    struct am_problem problem;

    for (size_t i = 0; i < TOOL_DNS_SERVERS_MAX; i++)
        assert_true(tool_dns_add_nameserver(&dns, "127.0.0.1:5353", &problem));
    assert_false(tool_dns_add_nameserver(&dns, "127.0.0.1", &problem));
    assert_non_null(strstr(problem.text, "more than 8"));
    dns.count = 0;
    assert_false(tool_dns_add_nameserver(&dns, "ns.example.org", &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(names_are_checked_and_converted),
        cmocka_unit_test(identities_lie_in_the_domain),
        cmocka_unit_test(name_servers_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
