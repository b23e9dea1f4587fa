#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dkim-milter/dkim_signing_table.h"

static struct am_arena *arena;
static struct dkim_signing_table *table;

static int set_up(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    table = arena == NULL ? NULL : dkim_signing_table_new(arena, 2000);
    return table == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static bool add(const char *pattern, uint32_t key, struct am_problem *problem)
{
    static size_t line;
    struct dkim_signing_row row = {.line = ++line, .count = 1, .keys = {key}};
    return dkim_signing_table_add(table, am_span_str(pattern), &row, problem);
}

static void put(const char *pattern, uint32_t key)
{
    struct am_problem problem = {.text = ""};
    if (!add(pattern, key, &problem))
        fail_msg("%s: %s", pattern, problem.text);
}

/* Returns the first key for an address; -1 for none. */
static int find(const char *text)
{
    struct am_address address;
    assert_true(am_address_parse(&address, am_span_str(text)));
    const struct dkim_signing_row *row = dkim_signing_table_find(table, arena, &address);
    return row == NULL ? -1 : (int)row->keys[0];
}

static void takes_the_most_specific(void **state)
{
    (void)state;
    put("*", 9);
    put("*@*.example.org", 8);
    put(".example.org", 3);
    put(".b.example.org", 4);
    put("c.b.example.org", 5);
    put("User@c.b.example.org", 6);
    assert_int_equal(find("user@c.b.example.org"), 6);
    assert_int_equal(find("USER@c.b.example.org"), 6);
    assert_int_equal(find("other@c.b.example.org"), 5);
    assert_int_equal(find("other@x.c.b.example.org"), 4);
    assert_int_equal(find("other@b.example.org"), 4);
    assert_int_equal(find("other@example.org"), 3);
    assert_int_equal(find("other@z.example.org"), 3);
    assert_int_equal(find("other@badexample.org"), 9);
    assert_int_equal(find("other@example.com"), 9);
}

static void serves_the_habits_of_opendkim(void **state)
{
    (void)state;
    put("*@example.org", 1);
    put("*@*.example.org", 2);
    put("news-*@example.net", 3);
    put("*@example.net", 4);
    put("*@.example.com", 5);
    assert_int_equal(find("a@example.org"), 1);
    assert_int_equal(find("a@b.example.org"), 2);
    assert_int_equal(find("a@bexample.org"), -1);
    /* A domain is more specific than a glob, wherever it stands. */
    assert_int_equal(find("news-1@example.net"), 4);
    assert_int_equal(find("a@example.com"), 5);
    assert_int_equal(find("a@b.example.com"), 5);
}

static void tries_globs_in_their_order(void **state)
{
    (void)state;
    put("a*@*.example.org", 1);
    put("*b@*.example.org", 2);
    put("*.example.*", 3);
    assert_int_equal(find("ab@x.example.org"), 1);
    assert_int_equal(find("xb@x.example.org"), 2);
    assert_int_equal(find("x@x.example.org"), 3);
    assert_int_equal(find("x@example.org"), -1);
    /* No star reaches over the "@". */
    assert_int_equal(find("\"a@x.example.org\"@example.com"), -1);
}

static void knows_u_labels(void **state)
{
    (void)state;
    put("bücher.example", 1);
    put("*@*.Bücher.example", 2);
    assert_int_equal(find("a@xn--bcher-kva.example"), 1);
    assert_int_equal(find("a@x.xn--bcher-kva.example"), 2);
    assert_false(add("*@b*ü.example", 3, NULL));
}

static void takes_a_bare_word_for_a_domain(void **state)
{
    (void)state;
    put("localhost", 1);
    assert_int_equal(find("a@localhost"), 1);
    assert_int_equal(find("localhost@example.org"), -1);
}

static void adds_keys_of_a_repeated_pattern(void **state)
{
    struct am_address address;
    struct am_problem problem;
    (void)state;
    put("*@example.org", 1);
    put("example.org", 2);
    put("EXAMPLE.ORG.", 2);
    assert_int_equal(dkim_signing_table_count(table), 1);
    am_address_parse(&address, am_span_str("a@example.org"));
    const struct dkim_signing_row *row = dkim_signing_table_find(table, arena, &address);
    assert_int_equal(row->count, 2);
    assert_string_equal(row->pattern, "*@example.org");
    for (uint32_t key = 3; key <= DKIM_KEYS_PER_MESSAGE_MAX; key++)
        put("example.org", key);
    assert_false(add("example.org", 99, &problem));
    assert_string_equal(problem.text, "*@example.org has more than 8 keys; the first 8 are used");
    assert_int_equal(row->count, DKIM_KEYS_PER_MESSAGE_MAX);
    put("x*@a.example.org", 1);
    put("X*@A.example.org", 2);
    assert_int_equal(dkim_signing_table_count(table), 2);
}

static void refuses_what_is_no_pattern(void **state)
{
    static const char *const bad[] = {
        "",      "@",         "<>",          "user@",  "*@",          "a@b..c",
        "a b@c", "@*.x",      "*@ex_am!ple", "..",     "a@[1.2.3.4]", ".",
        "a@b@c", "\xff*.org", "a@\xff.org",  "*@*:80",
    };
    struct am_problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (add(bad[i], 1, &problem))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(problem.text, "is no pattern: write user@example.org"));
    }
    assert_int_equal(dkim_signing_table_count(table), 0);
    assert_int_equal(find("<>"), -1);
}

static void ends_globs_somewhere(void **state)
{
    char pattern[32];
    struct am_problem problem;
    (void)state;
    for (unsigned i = 0; i < DKIM_GLOBS_MAX; i++) {
        snprintf(pattern, sizeof(pattern), "*.d%u.example", i);
        put(pattern, i);
    }
    assert_false(add("*.more.example", 1, &problem));
    assert_non_null(strstr(problem.text, "more than 1000 patterns with \"*\""));
    assert_int_equal(find("a@b.d999.example"), 999);
}

static bool fits(const char *glob, const char *text)
{
    return dkim_glob_fits(am_span_str(glob), am_span_str(text));
}

/* The same by its definition. */
static bool fits_slowly(const char *glob, const char *text)
{
    if (*glob == '\0')
        return *text == '\0';
    if (*glob == '*')
        return fits_slowly(glob + 1, text) || (*text != '\0' && fits_slowly(glob, text + 1));
    return *glob == *text && fits_slowly(glob + 1, text + 1);
}

static void globs_are_what_they_are_defined_to_be(void **state)
{
    unsigned fitting = 0;
    (void)state;
    assert_true(fits("*", ""));
    assert_true(fits("a*b*c", "abxbc"));
    assert_false(fits("a*b*c", "abxb"));
    assert_false(fits("", "a"));
    srandom(1);
    for (unsigned round = 0; round < 20000; round++) {
        char glob[8] = "", text[10] = "";
        for (long i = random() % 7; i > 0; i--)
            strcat(glob, (const char *[]){"a", "b", "*"}[random() % 3]);
        for (long i = random() % 9; i > 0; i--)
            strcat(text, random() % 2 ? "a" : "b");
        fitting += fits_slowly(glob, text);
        if (fits(glob, text) != fits_slowly(glob, text))
            fail_msg("\"%s\" and \"%s\"", glob, text);
    }
    assert_true(fitting > 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_the_most_specific),
        TEST(serves_the_habits_of_opendkim),
        TEST(tries_globs_in_their_order),
        TEST(knows_u_labels),
        TEST(takes_a_bare_word_for_a_domain),
        TEST(adds_keys_of_a_repeated_pattern),
        TEST(refuses_what_is_no_pattern),
        TEST(ends_globs_somewhere),
        cmocka_unit_test(globs_are_what_they_are_defined_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
