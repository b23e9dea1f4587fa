#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/option.h"
#include "tests/support/sample_schema.h"

static struct am_arena *arena;
static struct sample_main values;

static int set_up(void **state)
{
    struct am_problem problem;

    (void)state;
    arena = am_arena_new(4096, 0);
    return arena == NULL || !am_option_defaults(sample_main_rows, &values, arena, &problem);
}

static int tear_down(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static const struct am_option *row(const char *name)
{
    const struct am_option *found = sample_main_rows;

    while (strcmp(found->name, name) != 0)
        found++;
    return found;
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    assert_false(values.flag);
    assert_int_equal(values.count, 3);
    assert_int_equal(values.size, 65536);
    assert_int_equal(values.wait_ms, 2000);
    assert_int_equal(values.mode, 0660);
    assert_string_equal(values.text, "");
    assert_int_equal(values.list.count, 2);
    assert_string_equal(values.list.items[1], "two");
    assert_int_equal(values.nets.count, 2);
}

static void good_values_print_as_they_are_read(void **state)
{
    static const char *const cases[][3] = {
        {"flag", "YES", "yes"},
        {"flag", "off", "no"},
        {"flag", "true", "yes"},
        {"count", "-5", "-5"},
        {"count", "100", "100"},
        {"count", "007", "7"},
        {"size", "1048576", "1M"},
        {"size", "1025", "1025"},
        {"size", "1g", "1G"},
        {"size", "2K", "2k"},
        {"wait", "60s", "1m"},
        {"wait", "1500ms", "1500ms"},
        {"wait", "1m", "1m"},
        {"mode", "777", "0777"},
        {"mode", "0", "0"},
        {"text", " a b ", " a b "},
        {"choice", "HOLD", "hold"},
        {"list", "", ""},
        {"list", " a ,b c ", "a, b c"},
        {"list", "a\\,b,c\\\\d", "a\\,b, c\\\\d"},
        {"nets", "10.0.0.0/8,::1", "10.0.0.0/8, ::1"},
        {"nets", "", ""},
        {"secret", "word", "(secret)"},
    };
    struct am_problem problem;
    struct am_buf out;

    (void)state;
    am_buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(am_option_parse(row(cases[i][0]), cases[i][1], &values, arena, &problem));
        am_buf_clear(&out);
        am_option_print(row(cases[i][0]), &values, &out);
        assert_string_equal(am_buf_str(&out), cases[i][2]);
    }
    am_buf_fini(&out);
}

static void wrong_values_are_explained(void **state)
{
    static const char *const cases[][3] = {
        {"flag", "maybe", "flag: \"maybe\" is not yes or no; give yes or no"},
        {"flag", "", "flag: \"\" is not yes or no"},
        {"count", "x", "count: \"x\" is not a whole number; give -5 to 100"},
        {"count", "", "is not a whole number"},
        {"count", "-", "is not a whole number"},
        {"count", "+1", "is not a whole number"},
        {"count", "0x10", "is not a whole number"},
        {"count", "1 ", "is not a whole number"},
        {"count", "9223372036854775808", "is not a whole number"},
        {"count", "101", "count: \"101\" is out of range; give -5 to 100"},
        {"count", "-6", "out of range"},
        {"size", "1000000000000000000G", "is not a size"},
        {"size", "64kb",
         "size: \"64kb\" is not a size; give a number of bytes, also with k, M or G, "
         "1k to 1G"},
        {"size", "-1", "is not a size"},
        {"size", "1023", "out of range; give 1k to 1G"},
        {"wait", "20 parsecs",
         "wait: \"20 parsecs\" is not a duration; give a number and one of ms, s, m, h, d, 1ms to "
         "1m"},
        {"wait", "20", "is not a duration"},
        {"wait", "s", "is not a duration"},
        {"wait", "1M", "is not a duration"},
        {"wait", "61s", "out of range; give 1ms to 1m"},
        {"wait", "0", "out of range"},
        {"mode", "0888", "mode: \"0888\" is not an octal number; give digits 0 to 7, 0 to 0777"},
        {"mode", "01000", "out of range"},
        {"choice", "rejct",
         "choice: \"rejct\" is not one of its words; give accept, reject or hold"},
        {"text", "a!b", "text: \"a!b\" holds a \"!\""},
        {"text", "a\x1b", "text: byte 2 of the value is a control character"},
        {"text", "a\xff", "text: byte 2 of the value is not UTF-8"},
        {"list", "a,,b", "list: an item of the list is empty"},
        {"list", "a,", "list: an item of the list is empty"},
        {"list", "a,b!", "list: \"b!\" holds a \"!\""},
        {"nets", "10.0.0.1/8", "nets: \"10.0.0.1/8\" has bits set after the prefix"},
        {"nets", "10.0.0.0/8, x", "nets: \"x\" is not a network"},
    };
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(am_option_parse(row(cases[i][0]), cases[i][1], &values, arena, &problem));
        if (strstr(problem.text, cases[i][2]) == NULL)
            fail_msg("\"%s\" gave: %s", cases[i][1], problem.text);
    }
}

static void long_values_are_cut_in_sentences(void **state)
{
    struct am_problem problem;
    char big[5000];

    (void)state;
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_false(am_option_parse(row("flag"), big, &values, arena, &problem));
    assert_non_null(strstr(problem.text, "yyy[...]\" is not yes or no; give"));
}

static void values_are_copied_and_compared(void **state)
{
    struct sample_main other;
    struct am_problem problem;

    (void)state;
    assert_true(am_option_defaults(sample_main_rows, &other, arena, &problem));
    for (const struct am_option *each = sample_main_rows; each->name != NULL; each++)
        assert_true(am_option_equal(each, &values, &other));
    assert_true(am_option_parse(row("list"), "one, three", &other, arena, &problem));
    assert_true(am_option_parse(row("nets"), "::1, 127.0.0.0/8", &other, arena, &problem));
    assert_true(am_option_parse(row("text"), "x", &other, arena, &problem));
    assert_true(am_option_parse(row("choice"), "hold", &other, arena, &problem));
    for (const struct am_option *each = sample_main_rows; each->name != NULL; each++) {
        bool same = strcmp(each->name, "list") != 0 && strcmp(each->name, "nets") != 0 &&
                    strcmp(each->name, "text") != 0 && strcmp(each->name, "choice") != 0;
        assert_int_equal(am_option_equal(each, &values, &other), same);
        assert_true(am_option_copy(each, &other, &values, arena));
        assert_true(am_option_equal(each, &values, &other));
    }
    assert_ptr_not_equal(values.text, other.text);
    assert_ptr_not_equal(values.list.items, other.list.items);
}

static void a_full_arena_is_reported(void **state)
{
    struct am_arena *small = am_arena_new(16, 16);
    struct am_problem problem;

    (void)state;
    assert_false(am_option_parse(row("text"), "more than sixteen bytes", &values, small, &problem));
    assert_string_equal(problem.text, "text: memory is short");
    assert_false(am_option_parse(row("list"), "more, than, sixteen", &values, small, &problem));
    assert_string_equal(problem.text, "list: memory is short");
    assert_false(am_option_defaults(sample_main_rows, &values, small, &problem));
    am_arena_free(small);
}

int main(void)
{
#define WITH_VALUES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_VALUES(defaults_are_filled_in),
        WITH_VALUES(good_values_print_as_they_are_read),
        WITH_VALUES(wrong_values_are_explained),
        WITH_VALUES(long_values_are_cut_in_sentences),
        WITH_VALUES(values_are_copied_and_compared),
        WITH_VALUES(a_full_arena_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
