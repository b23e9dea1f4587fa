#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/milter/recent.h"
#include "common/milter/top.h"

/* Lists and lines in memory of a fixed size. */

static void count(struct am_top *top, const char *method, const char *value, const char *word)
{
    struct am_result result = {.method = method, .result = word};

    assert_true(am_result_add_property(&result, "smtp", "mailfrom", am_span_str(value)));
    am_top_count(top, &result);
}

static const char *print(struct am_top *top, const char *method, const char *result, size_t most)
{
    static char text[65536];
    struct am_buf out;

    am_buf_init(&out, 0);
    assert_true(am_top_print(top, method, result, most, &out));
    snprintf(text, sizeof(text), "%s", am_buf_str(&out));
    am_buf_fini(&out);
    return text;
}

static void counts_are_exact_while_there_is_room(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(4);

    count(top, "spf", "a@One.example", "pass");
    count(top, "spf", "b@one.example", "fail");
    count(top, "spf", "x@two.example", "fail");
    count(top, "spf", "y@two.example", "fail");
    count(top, "spf", "z@two.example", "fail");
    count(top, "dkim", "one.example", "pass");
    assert_string_equal(print(top, NULL, NULL, 9), "spf two.example 3 0 fail=3\n"
                                                   "spf one.example 2 0 pass=1 fail=1\n"
                                                   "dkim one.example 1 0 pass=1\n");
    assert_string_equal(print(top, "dkim", NULL, 9), "dkim one.example 1 0 pass=1\n");
    assert_string_equal(print(top, NULL, "pass", 9), "spf one.example 2 0 pass=1 fail=1\n"
                                                     "dkim one.example 1 0 pass=1\n");
    assert_string_equal(print(top, NULL, NULL, 1), "spf two.example 3 0 fail=3\n");
    am_top_free(top);
}

/* Whoever makes up names takes the places of rare ones only. */
static void a_flood_of_names_leaves_the_frequent_ones(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(50);
    char name[64];

    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "u@n%d.example", i);
        count(top, "spf", name, "none");
        if (i % 10 == 0)
            count(top, "spf", "u@often.example", "fail");
    }
    const char *text = print(top, NULL, NULL, 1);
    unsigned long long counted, error;
    assert_int_equal(sscanf(text, "spf often.example %llu %llu", &counted, &error), 2);
    assert_true(counted >= 2000);
    assert_true(counted - error <= 2000);
    am_top_free(top);
}

static void names_break_no_line(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(4);
    char longest[300];

    count(top, "spf", "u@a b\nspf evil 9 9\x7f", "pass");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    count(top, "spf", longest, "unheard-of");
    const char *text = print(top, NULL, NULL, 9);
    assert_non_null(strstr(text, "spf a?b?spf?evil?9?9? 1 0 pass=1\n"));
    assert_int_equal(strspn(strstr(text, "xxx"), "x"), AM_TOP_NAME_MAX);
    am_top_free(top);
}

static void what_has_no_domain_is_not_counted(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(4);
    const struct am_result result = {.method = "auth", .result = "pass"};

    am_top_count(top, &result);
    am_top_count(NULL, &result);
    count(top, "spf", "user@", "pass");
    assert_string_equal(print(top, NULL, NULL, 9), "");
    am_top_free(top);
}

static const char *find(struct am_recent *recent, const char *pair)
{
    static char text[65536];
    struct am_buf out;

    am_buf_init(&out, 0);
    am_recent_find(recent, pair, &out);
    snprintf(text, sizeof(text), "%s", am_buf_str(&out));
    am_buf_fini(&out);
    return text;
}

static void lines_come_and_go(void **state)
{
    (void)state;
    struct am_recent *recent = am_recent_new(1000);
    char line[200];

    for (int i = 0; i < 1000; i++) {
        int len =
            snprintf(line, sizeof(line), "event=message queue_id=Q%d n=%0*d", i, 1 + i % 90, i);
        am_recent_add(recent, i, am_span_of(line, (size_t)len));
    }
    assert_string_equal(find(recent, "queue_id=Q1"), "");
    assert_non_null(strstr(find(recent, "queue_id=Q999"), "999 event=message queue_id=Q999 n="));
    /* Whole words only. */
    assert_string_equal(find(recent, "queue_id=Q99"), "");
    am_recent_add(recent, 1, am_span_str("event=message queue_id=END"));
    assert_string_equal(find(recent, "queue_id=END"), "1 event=message queue_id=END\n");
    memset(line, 'x', sizeof(line));
    for (int i = 0; i < 3; i++)
        am_recent_add(recent, 1, am_span_of(line, 199));
    char large[300] = "";
    am_recent_add(recent, 1, am_span_of(large, sizeof(large)));
    assert_non_null(strstr(find(recent, "queue_id=END"), "END"));
    am_recent_free(recent);
}

static void without_memory_nothing_is_kept(void **state)
{
    (void)state;
    am_recent_add(NULL, 1, am_span_str("event=message queue_id=A"));
    assert_string_equal(find(NULL, "queue_id=A"), "");
    am_recent_free(NULL);
    am_top_free(NULL);
    assert_string_equal(print(NULL, NULL, NULL, 9), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_exact_while_there_is_room),
        cmocka_unit_test(a_flood_of_names_leaves_the_frequent_ones),
        cmocka_unit_test(names_break_no_line),
        cmocka_unit_test(what_has_no_domain_is_not_counted),
        cmocka_unit_test(lines_come_and_go),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
