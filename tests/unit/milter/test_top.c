#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
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

static void odd_octets_are_escaped(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(4);

    count(top, "spf",
          "u@b\xc3\xbc"
          "cher.example",
          "pass");
    count(top, "spf",
          "u@\xc2\x9b"
          "31m.example",
          "pass");
    count(top, "spf",
          "u@\xe2\x80\xae"
          "gro.example",
          "pass");
    count(top, "spf", "u@\xff\\x41", "pass");
    const char *text = print(top, NULL, NULL, 9);
    assert_non_null(strstr(text, "spf b\xc3\xbc"
                                 "cher.example 1 0"));
    assert_non_null(strstr(text, "spf \\xC2\\x9B31m.example 1 0"));
    assert_non_null(strstr(text, "gro.example 1 0"));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_non_null(strstr(text, "spf \\xFF?x41 1 0"));
    am_top_free(top);
}

/* A list that looks through all it has, to compare with: same rules, no ties in what is told. */
struct plain {
    char name[24];
    unsigned long long count, error;
};

static void plain_count(struct plain *list, size_t size, size_t *used, const char *name)
{
    size_t at = 0;

    while (at < *used && strcmp(list[at].name, name) != 0)
        at++;
    if (at == *used && *used < size) {
        *used += 1;
        list[at] = (struct plain){.count = 0};
    } else if (at == *used) {
        for (size_t i = at = 0; i < size; i++)
            if (list[i].count < list[at].count)
                at = i;
        list[at].error = list[at].count;
    }
    snprintf(list[at].name, sizeof(list[at].name), "%s", name);
    list[at].count++;
}

static unsigned long long smallest(const struct plain *list, size_t size)
{
    unsigned long long least = list[0].count;

    for (size_t i = 1; i < size; i++)
        least = list[i].count < least ? list[i].count : least;
    return least;
}

/* Sums and the smallest count are the same whichever of the rarest goes; so are those that never
 * went. */
static void counts_as_a_plain_list_does(void **state)
{
    enum { SIZE = 37, ROUNDS = 30000 };
    struct plain list[SIZE];
    size_t used = 0, lines = 0;
    unsigned long long sum = 0, least = ROUNDS;
    unsigned random = 1;
    char name[24], address[32];

    (void)state;
    struct am_top *top = am_top_new(SIZE);
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1103515245u + 12345u;
        unsigned draw = random >> 16 & 0x7fff;
        /* A few often, many seldom. */
        snprintf(name, sizeof(name), "n%u.example", draw % 4 != 0 ? draw % 11 : draw);
        snprintf(address, sizeof(address), "u@%s", name);
        plain_count(list, SIZE, &used, name);
        count(top, "spf", address, "pass");
    }
    for (const char *line = print(top, NULL, NULL, 1000); *line != '\0';
         line = strchr(line, '\n') + 1) {
        unsigned long long counted, error;

        assert_int_equal(sscanf(line, "spf %23s %llu %llu", name, &counted, &error), 3);
        lines++;
        sum += counted;
        least = counted < least ? counted : least;
        for (size_t i = 0; i < SIZE; i++)
            if (strcmp(list[i].name, name) == 0 && list[i].error == 0) {
                assert_int_equal(counted, list[i].count);
                assert_int_equal(error, 0);
            }
    }
    assert_int_equal(lines, SIZE);
    assert_int_equal(sum, ROUNDS);
    assert_int_equal(least, smallest(list, SIZE));
    am_top_free(top);
}

static void a_list_of_one(void **state)
{
    (void)state;
    struct am_top *top = am_top_new(1);

    for (int i = 0; i < 3; i++) {
        count(top, "spf", "u@one.example", "pass");
        count(top, "spf", "u@two.example", "fail");
    }
    assert_string_equal(print(top, NULL, NULL, 9), "spf two.example 6 5 fail=1\n");
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

/* A search goes in steps; what stands at their edges, and at the end of the ring, is found. */
static void a_search_over_many_steps(void **state)
{
    enum { BYTES = 1 << 20, EACH = 1000 };
    struct am_recent *recent = am_recent_new(BYTES);
    char line[EACH];
    struct am_buf out;
    unsigned found = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        int len = snprintf(line, sizeof(line),
                           "event=message queue_id=%s n=%d pad=", i % 3 == 0 ? "HERE" : "OTHER", i);
        memset(line + len, 'x', (size_t)(i % 700));
        am_recent_add(recent, i, am_span_of(line, (size_t)len + (size_t)(i % 700)));
    }
    am_buf_init(&out, 0);
    am_recent_find(recent, "queue_id=HERE", &out);
    long long former = -1;
    for (const char *at = am_buf_str(&out); *at != '\0'; at = strchr(at, '\n') + 1) {
        long long time_s = strtoll(at, NULL, 10);
        assert_int_equal(time_s % 3, 0);
        if (former >= 0)
            assert_int_equal(time_s, former + 3);
        former = time_s;
        found++;
    }
    assert_int_equal(former, 2997);
    assert_true(found > 700);
    am_buf_fini(&out);
    am_recent_free(recent);
}

static void *add_lines(void *user)
{
    for (int i = 0; i < 20000; i++)
        am_recent_add(user, i, am_span_str("event=message queue_id=NEW filler=xxxxxxxxxxxxxxxx"));
    return NULL;
}

/* Lines that are pushed out while it looks are no more than gone. */
static void a_search_while_lines_come(void **state)
{
    struct am_recent *recent = am_recent_new(600000);
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, add_lines, recent), 0);
    for (int i = 0; i < 20; i++) {
        struct am_buf out;

        am_buf_init(&out, 0);
        am_recent_find(recent, "queue_id=NEW", &out);
        for (const char *at = am_buf_str(&out); *at != '\0'; at = strchr(at, '\n') + 1)
            assert_non_null(strstr(at, " event=message queue_id=NEW filler=xxxxxxxxxxxxxxxx\n"));
        am_buf_fini(&out);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
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
        cmocka_unit_test(odd_octets_are_escaped),
        cmocka_unit_test(counts_as_a_plain_list_does),
        cmocka_unit_test(a_list_of_one),
        cmocka_unit_test(what_has_no_domain_is_not_counted),
        cmocka_unit_test(lines_come_and_go),
        cmocka_unit_test(a_search_over_many_steps),
        cmocka_unit_test(a_search_while_lines_come),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
