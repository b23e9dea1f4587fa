#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mail/pattern.h"
#include "tests/support/arena_fixture.h"

static uint32_t find(const struct am_patterns *set, const char *address)
{
    struct am_address parsed;

    am_address_parse(&parsed, am_span_str(address));
    return am_patterns_find(set, arena, &parsed);
}

static void test_patterns_most_specific_wins(void **state)
{
    const char *items[] = {".example.org",
                           "example.org",
                           "user@example.org",
                           ".sub.example.org",
                           "postmaster",
                           "@example.net",
                           "<>",
                           "abuse@"};
    struct am_strlist list = {items, 8};
    struct am_problem problem;
    struct am_patterns *set = am_patterns_of(arena, &list, &problem);

    (void)state;
    assert_non_null(set);
    assert_int_equal(find(set, "<USER@Example.ORG>"), 2);
    assert_int_equal(find(set, "other@example.org"), 1);
    assert_int_equal(find(set, "user@a.example.org"), 0);
    assert_int_equal(find(set, "user@a.b.sub.example.org"), 3);
    assert_int_equal(find(set, "user@sub.example.org."), 3);
    assert_int_equal(find(set, "Postmaster@whatever.example"), 4);
    assert_int_equal(find(set, "<postmaster>"), 4);
    assert_int_equal(find(set, "x@example.net"), 5);
    assert_int_equal(find(set, "<>"), 6);
    assert_int_equal(find(set, "abuse@elsewhere.example"), 7);
    assert_int_equal(find(set, "x@notexample.org"), AM_TABLE_NONE);
    assert_int_equal(find(set, "x@sub.example.net"), AM_TABLE_NONE);
    assert_int_equal(find(set, "x@org"), AM_TABLE_NONE);
}

static void test_patterns_know_u_labels(void **state)
{
    const char *items[] = {"b\xc3\xbc"
                           "cher.example"};
    struct am_strlist list = {items, 1};
    struct am_problem problem;
    struct am_patterns *set = am_patterns_of(arena, &list, &problem);

    (void)state;
    assert_non_null(set);
    assert_int_equal(find(set, "x@xn--bcher-kva.example"), 0);
    assert_int_equal(find(set, "x@B\xc3\x9c"
                               "CHER.example"),
                     0);
}

static void test_patterns_survive_absurd_addresses(void **state)
{
    const char *items[] = {".example.org", "user@example.org", "postmaster"};
    struct am_strlist list = {items, 3};
    struct am_problem problem;
    struct am_patterns *set = am_patterns_of(arena, &list, &problem);
    static char longest[10002];

    (void)state;
    memset(longest, 'a', 10000);
    assert_int_equal(find(set, longest), AM_TABLE_NONE);
    longest[5000] = '@';
    assert_int_equal(find(set, longest), AM_TABLE_NONE);
    memset(longest + 5001, '.', 4999);
    assert_int_equal(find(set, longest), AM_TABLE_NONE);
    assert_int_equal(find(set, "x@.."), AM_TABLE_NONE);
    assert_int_equal(find(set, "x@\xff\xfe"), AM_TABLE_NONE);
}

static void test_bad_patterns(void **state)
{
    static const char *const bad[] = {"",     "a b",  "@",      "user@.",       ".",
                                      "a..b", "x@y@", "a\tb.c", "x@[192.0.2.1]"};
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (am_pattern_check(bad[i], &problem))
            fail_msg("\"%s\" was taken for a pattern", bad[i]);
    assert_true(am_pattern_check(" example.org ", &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_patterns_most_specific_wins, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_patterns_know_u_labels, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_patterns_survive_absurd_addresses, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_bad_patterns, make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
