#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/milter/counters.h"

static struct am_counters *counters;
static struct am_buf text;

static int set_up(void **state)
{
    (void)state;
    counters = am_counters_new();
    am_buf_init(&text, 0);
    return counters == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    am_counters_free(counters);
    am_buf_fini(&text);
    return 0;
}

static void expect_line(const char *line)
{
    char wanted[512];
    am_buf_clear(&text);
    am_counters_print(counters, &text, NULL, NULL);
    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(am_buf_str(&text), wanted) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, am_buf_str(&text));
}

static void counts_fixed_ones(void **state)
{
    (void)state;
    am_counters_add(counters, AM_COUNT_CONNECTIONS, 3);
    am_counters_add(counters, AM_COUNT_CONNECTIONS_OPEN, 2);
    am_counters_add(counters, AM_COUNT_CONNECTIONS_OPEN, -1);
    am_counters_add(NULL, AM_COUNT_MESSAGES, 1);
    assert_int_equal(am_counters_read(counters, AM_COUNT_CONNECTIONS_OPEN), 1);
    expect_line("authmilter_connections_total 3");
    expect_line("# TYPE authmilter_connections_open gauge");
    expect_line("authmilter_messages_total 0");
}

static void says_type_once_for_each_family(void **state)
{
    size_t heads = 0;
    (void)state;
    am_counters_result(counters, "spf", "pass");
    am_counters_result(counters, "dkim", "fail");
    am_counters_result(counters, "spf", "pass");
    am_counters_module(counters, "spf", "mapped", "a", 2);
    am_counters_module(counters, "spf", "mapped", "b", 1);
    am_counters_module(counters, "spf", "voids", NULL, 5);
    expect_line("authmilter_results_total{method=\"spf\",result=\"pass\"} 2");
    expect_line("authmilter_results_total{method=\"dkim\",result=\"fail\"} 1");
    expect_line("authmilter_spf_mapped_total{label=\"a\"} 2");
    expect_line("authmilter_spf_voids_total 5");
    for (const char *p = am_buf_str(&text); (p = strstr(p, "# TYPE authmilter_results_total")); p++)
        heads++;
    for (const char *p = am_buf_str(&text); (p = strstr(p, "# TYPE authmilter_spf_mapped")); p++)
        heads++;
    assert_int_equal(heads, 2);
}

static void escapes_label_values_and_names(void **state)
{
    (void)state;
    am_counters_module(counters, "my-mod", "odd name", "a\"b\\c\nd\x01", 1);
    expect_line("authmilter_my_mod_odd_name_total{label=\"a\\\"b\\\\c\\nd?\"} 1");
}

static void bounds_the_table_and_says_so(void **state)
{
    char label[AM_COUNTERS_TEXT_MAX + 2];
    (void)state;
    for (int i = 0; i < AM_COUNTERS_SERIES_MAX + 10; i++) {
        snprintf(label, sizeof(label), "l%d", i);
        am_counters_module(counters, "m", "n", label, 1);
    }
    am_counters_module(counters, "m", "n", "l5", 1);
    memset(label, 'x', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    am_counters_module(counters, "m", "n", label, 1);
    expect_line("authmilter_series_dropped_total 11");
    expect_line("authmilter_m_n_total{label=\"l5\"} 2");
}

static void builds_a_histogram(void **state)
{
    (void)state;
    am_counters_latency(counters, 50);
    am_counters_latency(counters, 51);
    am_counters_latency(counters, 1500000);
    am_counters_latency(counters, INT64_C(60000000));
    am_counters_latency(counters, -5);
    expect_line("authmilter_message_seconds_bucket{le=\"0.00005\"} 2");
    expect_line("authmilter_message_seconds_bucket{le=\"0.0001\"} 3");
    expect_line("authmilter_message_seconds_bucket{le=\"2.5\"} 4");
    expect_line("authmilter_message_seconds_bucket{le=\"30\"} 4");
    expect_line("authmilter_message_seconds_bucket{le=\"+Inf\"} 5");
    expect_line("authmilter_message_seconds_sum 61.500101");
    expect_line("authmilter_message_seconds_count 5");
}

static void *count_many(void *user)
{
    char label[16];
    (void)user;
    for (int i = 0; i < 20000; i++) {
        snprintf(label, sizeof(label), "l%d", i % 100);
        am_counters_module(counters, "m", "n", label, 1);
    }
    return NULL;
}

static void loses_nothing_among_threads(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    expect_line("authmilter_m_n_total{label=\"l0\"} 800");
    expect_line("authmilter_m_n_total{label=\"l99\"} 800");
    expect_line("authmilter_series_dropped_total 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_fixed_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_type_once_for_each_family, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_label_values_and_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_the_table_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(builds_a_histogram, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loses_nothing_among_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
