#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/printable.h"
#include "common/base/problem.h"
#include "common/base/span.h"
#include "common/base/utf8.h"

#define S(text) am_span_of((text), sizeof(text) - 1)

static void spans_compare(void **state)
{
    (void)state;
    assert_true(am_span_equal(S("a\0b"), S("a\0b")));
    assert_false(am_span_equal(S("a\0b"), S("a\0c")));
    assert_true(am_span_equal(am_span_of(NULL, 0), S("")));
    assert_true(am_span_equal_nocase(S("ExAmple"), S("eXaMPLE")));
    assert_false(am_span_equal_nocase(S("\xC3\x84"), S("\xC3\xA4")));
    assert_false(am_span_equal_nocase(S("@"), S("`")));
    assert_true(am_span_starts_nocase(S("V=SPF1 x"), S("v=spf1")));
    assert_false(am_span_starts_nocase(S("v="), S("v=spf1")));
    assert_true(am_span_ends_nocase(S("a.EXAMPLE"), S(".example")));
    assert_true(am_span_ends_nocase(am_span_of(NULL, 0), S("")));
}

static void spans_are_searched_and_trimmed(void **state)
{
    (void)state;
    assert_int_equal(am_span_find(S("a@b@c"), '@'), 1);
    assert_int_equal(am_span_find_last(S("a@b@c"), '@'), 3);
    assert_int_equal(am_span_find(S("abc"), '@'), 3);
    assert_int_equal(am_span_find_last(am_span_of(NULL, 0), '@'), 0);
    assert_true(am_span_equal(am_span_trim(S(" \t\r\n x y\n ")), S("x y")));
    assert_int_equal(am_span_trim(S(" \t ")).len, 0);
}

static void utf8_follows_the_rfc(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xC0\xAF",
                                      "\xC1\x80",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xC3",
                                      "\xE2\x82",
                                      "\xFF"};

    (void)state;
    assert_true(
        am_utf8_is_valid(S("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBD\xF4\x8F\xBF\xBF")));
    assert_true(am_utf8_is_valid(S("")));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(am_utf8_is_valid(am_span_str(bad[i])));
    assert_true(am_utf8_is_control("\x7F", 1));
    assert_true(am_utf8_is_control("\xC2\x9B", 2));
    assert_false(am_utf8_is_control("\xC2\xA0", 2));
    assert_true(am_utf8_is_control("\xE2\x80\xA8", 3));  /* line separator */
    assert_true(am_utf8_is_control("\xE2\x80\xAE", 3));  /* right-to-left override */
    assert_true(am_utf8_is_control("\xE2\x81\xA6", 3));  /* left-to-right isolate */
    assert_true(am_utf8_is_control("\xE2\x80\x8F", 3));  /* right-to-left mark */
    assert_false(am_utf8_is_control("\xE2\x80\xAF", 3)); /* a blank */
    assert_false(am_utf8_is_control("\xE2\x82\xAC", 3)); /* the Euro sign */
}

static void sentences_are_cut_visibly(void **state)
{
    struct am_problem problem;
    char big[3000];

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_false(am_problem_set(&problem, "%s", big));
    assert_int_equal(strlen(problem.text), sizeof(problem.text) - 1);
    assert_true(am_span_ends_nocase(am_span_str(problem.text), S("x[...]")));
    for (size_t i = 0; i + 1 < sizeof(big) - 1; i += 2)
        memcpy(big + i, "\xC3\xBC", 2);
    am_problem_set(&problem, "z%s", big);
    assert_true(am_utf8_is_valid(am_span_str(problem.text)));
    am_problem_set(&problem, "a\nb\x1B%s", "c");
    assert_string_equal(problem.text, "a?b?c");
    assert_false(am_problem_set(NULL, "nobody listens"));
}

static void text_of_strangers_is_made_harmless(void **state)
{
    struct am_arena *arena = am_arena_new(256, 0);

    (void)state;
    assert_string_equal(am_printable_copy(arena, S("a b~!"), 5), "a b~!");
    assert_string_equal(am_printable_copy(arena, S("a\r\n\0\x7f\x80\xff\tz"), 20), "a???????z");
    assert_string_equal(am_printable_copy(arena, S("abcdef"), 5), "abcde[...]");
    assert_string_equal(am_printable_copy(arena, am_span_of(NULL, 0), 5), "");
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare),
        cmocka_unit_test(spans_are_searched_and_trimmed),
        cmocka_unit_test(utf8_follows_the_rfc),
        cmocka_unit_test(sentences_are_cut_visibly),
        cmocka_unit_test(text_of_strangers_is_made_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
