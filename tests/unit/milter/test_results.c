#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/milter/results.h"

static void results_are_deep_copies_in_order(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_results results = {0};
    char value[] = "a\0b";
    char word[] = "pass";
    struct am_result result = {.method = "spf", .result = word, .reason = "because"};

    (void)state;
    assert_true(am_result_add_property(&result, "smtp", "mailfrom", am_span_of(value, 3)));
    assert_true(am_results_add(&results, arena, "m", &result));
    value[0] = 'X';
    word[0] = 'X';
    assert_int_equal(results.count, 1);
    assert_string_equal(results.items[0].result, "pass");
    assert_string_equal(results.items[0].reason, "because");
    assert_int_equal(results.items[0].properties[0].value.len, 3);
    assert_memory_equal(results.items[0].properties[0].value.ptr, "a\0b", 3);
    assert_string_equal(results.modules[0], "m");
    am_arena_free(arena);
}

static void the_table_is_bounded(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_results results = {0};
    const struct am_result result = {.method = "dkim", .result = "fail"};

    (void)state;
    for (int i = 0; i < AM_RESULTS_MAX; i++)
        assert_true(am_results_add(&results, arena, "m", &result));
    assert_false(am_results_add(&results, arena, "m", &result));
    assert_int_equal(results.count, AM_RESULTS_MAX);
    assert_int_equal(results.dropped, 1);
    am_arena_free(arena);
}

static void memory_that_ends_drops_a_result(void **state)
{
    struct am_arena *arena = am_arena_new(64, 128);
    struct am_results results = {0};
    const struct am_result result = {.method = "dkim", .result = "fail"};

    (void)state;
    assert_false(am_results_add(&results, arena, "m", &result));
    assert_int_equal(results.count, 0);
    assert_int_equal(results.dropped, 1);
    am_arena_free(arena);
}

static void properties_are_bounded(void **state)
{
    struct am_result result = {.method = "x", .result = "y"};

    (void)state;
    for (int i = 0; i < AM_RESULT_PROPERTIES_MAX; i++)
        assert_true(am_result_add_property(&result, "a", "b", am_span_str("c")));
    assert_false(am_result_add_property(&result, "a", "b", am_span_str("c")));
}

static void results_of_a_method_are_found(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_results results = {0};
    const struct am_result rows[] = {{.method = "spf", .result = "1"},
                                     {.method = "dkim", .result = "2"},
                                     {.method = "SPF", .result = "3"}};
    size_t index = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_true(am_results_add(&results, arena, "m", &rows[i]));
    assert_string_equal(am_results_next(&results, "spf", &index)->result, "1");
    assert_string_equal(am_results_next(&results, "spf", &index)->result, "3");
    assert_null(am_results_next(&results, "spf", &index));
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_deep_copies_in_order),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(memory_that_ends_drops_a_result),
        cmocka_unit_test(properties_are_bounded),
        cmocka_unit_test(results_of_a_method_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
