#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/base/table.h"
#include "tests/support/arena_fixture.h"

static void test_first_value_of_a_key_stays(void **state)
{
    struct am_table *table = am_table_new(arena, 4);

    (void)state;
    assert_int_equal(am_table_put(table, 0, am_span_str("a"), 7), 7);
    assert_int_equal(am_table_put(table, 0, am_span_str("a"), 8), 7);
    assert_int_equal(am_table_put(table, 1, am_span_str("a"), 9), 9);
    assert_int_equal(am_table_put(table, 0, am_span_of("", 0), 10), 10);
    assert_int_equal(am_table_get(table, 0, am_span_str("a")), 7);
    assert_int_equal(am_table_get(table, 1, am_span_str("a")), 9);
    assert_int_equal(am_table_get(table, 0, am_span_of("", 0)), 10);
    assert_int_equal(am_table_get(table, 1, am_span_of("", 0)), AM_TABLE_NONE);
    assert_int_equal(am_table_get(table, 0, am_span_of("a\0", 2)), AM_TABLE_NONE);
}

static void test_a_full_table_says_so(void **state)
{
    enum { KEYS = 1000 };
    struct am_table *table = am_table_new(arena, KEYS);
    char key[16];

    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key-%u", i);
        assert_int_equal(am_table_put(table, 0, am_span_str(key), i), i);
    }
    assert_int_equal(am_table_put(table, 0, am_span_str("one more"), 0), AM_TABLE_NONE);
    assert_int_equal(am_table_get(table, 0, am_span_str("one more")), AM_TABLE_NONE);
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key-%u", i);
        assert_int_equal(am_table_get(table, 0, am_span_str(key)), i);
    }
}

static void test_hashes_are_made_from_the_end(void **state)
{
    struct am_table *table = am_table_new(arena, 2);
    const char name[] = "a.example";
    uint64_t hash = am_table_seed(3);

    (void)state;
    assert_int_equal(am_table_put(table, 3, am_span_str("example"), 1), 1);
    assert_int_equal(am_table_put(table, 3, am_span_str(name), 2), 2);
    for (size_t i = sizeof(name) - 1; i > 2; i--)
        hash = am_table_step(hash, name[i - 1]);
    assert_int_equal(am_table_find(table, 3, hash, am_span_str("example")), 1);
    hash = am_table_step(am_table_step(hash, '.'), 'a');
    assert_int_equal(am_table_find(table, 3, hash, am_span_str(name)), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_value_of_a_key_stays, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_a_full_table_says_so, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_hashes_are_made_from_the_end, make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
