#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dns/live_fixture.h"

#define NO_CACHE 0
#define SOME_CACHE 100
#define LONG_MS 5000
#define SHORT_MS 150

static int64_t now_ms(void)
{
    return am_clock_now_us(am_clock_system()) / 1000;
}

static void assert_text(const struct am_dns_record *record, const char *text)
{
    assert_int_equal(record->text.len, strlen(text));
    assert_memory_equal(record->text.ptr, text, record->text.len);
}

static void test_records_of_each_type(void **state)
{
    struct fixture f;
    const struct am_dns_answer *answer;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 2, SOME_CACHE);
    answer = fixture_ask(&f, "EXAMPLE.com.", AM_DNS_TXT);
    assert_int_equal(answer->outcome, AM_DNS_OK);
    assert_int_equal(answer->ttl_s, 300);
    assert_false(answer->from_cache);
    assert_text(&answer->records[0], "v=spf1 -all");
    answer = fixture_ask(&f, "example.com", AM_DNS_MX);
    assert_text(&answer->records[0], "mail.example.com");
    assert_int_equal(answer->records[0].preference, 10);
    answer = fixture_ask(&f, "mail.example.com", AM_DNS_A);
    assert_memory_equal(answer->records[0].a, "\300\000\002\001", 4);
    answer = fixture_ask(&f, "mail.example.com", AM_DNS_AAAA);
    assert_int_equal(answer->records[0].aaaa[15], 1);
    answer = fixture_ask(&f, "Example.COM", AM_DNS_TXT);
    assert_true(answer->from_cache);
    assert_text(&answer->records[0], "v=spf1 -all");
    assert_int_equal(dns_server_count(f.servers[0], "example.com"), 2);
    assert_int_equal(fixture_stats(&f).cache_hits, 1);
    fixture_fini(&f);
}

static void test_outcomes_are_kept_apart(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, SHORT_MS, 1, SOME_CACHE);
    dns_server_script(f.servers[0], "mangled.example.com", DNS_FAULT_GARBAGE, 0);
    dns_server_script(f.servers[0], "refused.example.com", DNS_FAULT_REFUSED, 0);
    dns_server_script(f.servers[0], "lame.example.com", DNS_FAULT_REFERRAL, 0);
    for (int i = 0; i < 2; i++) { /* the second time from the cache, where it is kept */
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
        fixture_expect(&f, "mail.example.com", AM_DNS_TXT, AM_DNS_NODATA);
        fixture_expect(&f, "nothing.example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
        fixture_expect(&f, "broken.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
        fixture_expect(&f, "refused.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
        fixture_expect(&f, "lame.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
        fixture_expect(&f, "silent.example.com", AM_DNS_A, AM_DNS_TIMEOUT);
        fixture_expect(&f, "mangled.example.com", AM_DNS_A, AM_DNS_BAD);
    }
    assert_int_equal(dns_server_count(f.servers[0], "nothing.example.com"), 1);
    assert_int_equal(dns_server_count(f.servers[0], "broken.example.com"), 1);
    assert_int_equal(dns_server_count(f.servers[0], "silent.example.com"), 2);
    fixture_expect(&f, "a..example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
    fixture_fini(&f);
}

static void test_forged_answers_are_ignored(void **state)
{
    static const enum dns_fault faults[] = {
        DNS_FAULT_FORGED_ID,   DNS_FAULT_FORGED_QUESTION, DNS_FAULT_FORGED_TYPE,
        DNS_FAULT_FORGED_CASE, DNS_FAULT_FORGED_ADDRESS,  DNS_FAULT_FORGED_QUERY,
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint64_t before = fixture_stats(&f).spoofed;
        dns_server_script(f.servers[0], "mail.example.com", faults[i], 1);
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
        assert_memory_equal(f.query->answer->records[0].a, "\300\000\002\001", 4);
        /* A datagram from elsewhere is dropped by the kernel and never counted. */
        assert_int_equal(fixture_stats(&f).spoofed - before,
                         faults[i] == DNS_FAULT_FORGED_ADDRESS ? 0 : 1);
    }
    assert_int_equal(fixture_stats(&f).timeouts, 0);
    assert_int_equal(dns_server_count_tcp(f.servers[0]), 0);
    fixture_fini(&f);
}

static void test_answer_twice_harms_nobody(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
    dns_server_script(f.servers[0], "mail.example.com", DNS_FAULT_TWICE, 0);
    for (int i = 0; i < 50; i++)
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
    assert_int_equal(dns_server_count(f.servers[0], "mail.example.com"), 50);
    fixture_fini(&f);
}

static void test_server_that_changes_case_is_asked_over_tcp(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, SHORT_MS, 1, NO_CACHE);
    dns_server_set_fault(f.servers[0], DNS_FAULT_CASE);
    fixture_expect(&f, "name-with-many-letters.many.example.com", AM_DNS_A, AM_DNS_OK);
    assert_int_equal(dns_server_count_tcp(f.servers[0]), 1);
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    /* The second time no time is lost. */
    fixture_expect(&f, "another-with-many-letters.many.example.com", AM_DNS_A, AM_DNS_OK);
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    fixture_fini(&f);
}

static void test_truncated_answer_goes_to_tcp(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
    dns_server_script(f.servers[0], "example.com", DNS_FAULT_TRUNCATED, 0);
    const struct am_dns_answer *answer = fixture_ask(&f, "example.com", AM_DNS_TXT);
    assert_text(&answer->records[0], "v=spf1 -all");
    assert_int_equal(fixture_stats(&f).queries_udp, 1);
    assert_int_equal(fixture_stats(&f).queries_tcp, 1);
    fixture_fini(&f);
}

static size_t print_txt(char *at, const char *name, size_t rdata_len)
{
    size_t used = (size_t)sprintf(at, "%s 60 IN TXT", name);

    while (rdata_len > 0) {
        size_t piece = rdata_len > 256 ? 256 : rdata_len;
        used += (size_t)sprintf(at + used, " \"%0*d\"", (int)piece - 1, 7);
        rdata_len -= piece;
    }
    used += (size_t)sprintf(at + used, "\n");
    return used;
}

/* A message of exactly 65535 octets: header, question, two records with compressed owners. */
static void test_answer_of_64_kib(void **state)
{
    const size_t overhead = 12 + 5 + 4 + 2 * 12;
    const size_t first = 60000, second = 65535 - overhead - first;
    char *zone = malloc(80000);
    struct am_problem problem = {""};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    print_txt(zone + print_txt(zone, "big.", first), "big.", second);
    dns_server_free(f.servers[0]);
    f.servers[0] = dns_server_new(zone, 0, &problem);
    free(zone);
    assert_string_equal(problem.text, "");
    fixture_open(&f, 1, LONG_MS, 1, SOME_CACHE);
    const struct am_dns_answer *answer = fixture_ask(&f, "big", AM_DNS_TXT);
    assert_int_equal(answer->outcome, AM_DNS_OK);
    assert_int_equal(answer->count, 2);
    assert_int_equal(answer->records[0].text.len, first - (first + 255) / 256);
    assert_int_equal(answer->records[1].text.len, second - (second + 255) / 256);
    assert_true(fixture_ask(&f, "big", AM_DNS_TXT)->from_cache);
    fixture_fini(&f);
}

static void check_chains(struct fixture *f)
{
    const struct am_dns_answer *answer = fixture_ask(f, "c1.example.com", AM_DNS_A);

    assert_int_equal(answer->outcome, AM_DNS_OK);
    assert_int_equal(answer->ttl_s, 20); /* the smallest of the chain */
    fixture_expect(f, "c0.example.com", AM_DNS_A, AM_DNS_BAD);
    fixture_expect(f, "loop1.example.com", AM_DNS_A, AM_DNS_BAD);
    fixture_expect(f, "self.example.com", AM_DNS_A, AM_DNS_BAD);
    fixture_expect(f, "lost.example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
    fixture_expect(f, "bare.example.com", AM_DNS_A, AM_DNS_NODATA);
}

static void test_chains_in_one_answer(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
    check_chains(&f);
    assert_int_equal(dns_server_count(f.servers[0], "c2.example.com"), 0);
    fixture_fini(&f);
}

static void test_chains_name_by_name(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    dns_server_set_fault(f.servers[0], DNS_FAULT_ONE_ALIAS);
    fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
    check_chains(&f);
    assert_true(dns_server_count(f.servers[0], "c2.example.com") > 0);
    assert_int_equal(dns_server_count(f.servers[0], "loop1.example.com"), 1);
    fixture_fini(&f);
}

static void test_server_without_edns(void **state)
{
    static const enum dns_fault faults[] = {DNS_FAULT_FORMERR_EDNS, DNS_FAULT_FORMERR_BARE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_open(&f, 1, LONG_MS, 1, NO_CACHE);
        dns_server_set_fault(f.servers[0], faults[i]);
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
        assert_int_equal(dns_server_count(f.servers[0], NULL), 2);
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK); /* remembered */
        assert_int_equal(dns_server_count(f.servers[0], NULL), 3);
        fixture_fini(&f);
    }
}

static void test_secure_bit(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, SOME_CACHE);
    assert_false(fixture_ask(&f, "mail.example.com", AM_DNS_A)->secure);
    dns_server_set_secure(f.servers[0], true);
    assert_true(fixture_ask(&f, "alias.example.com", AM_DNS_A)->secure);
    assert_true(fixture_ask(&f, "alias.example.com", AM_DNS_A)->secure);
    assert_true(f.query->answer->from_cache);
    fixture_fini(&f);
}

static void test_next_server_after_servfail(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 2, LONG_MS, 2, NO_CACHE);
    dns_server_set_fault(f.servers[0], DNS_FAULT_SERVFAIL);
    fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
    assert_int_equal(dns_server_count(f.servers[1], NULL), 1);
    dns_server_set_fault(f.servers[1], DNS_FAULT_REFUSED);
    fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
    assert_int_equal(fixture_stats(&f).timeouts, 0);
    fixture_fini(&f);
}

static void test_refused_connection_is_servfail(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 2, NO_CACHE);
    dns_server_free(f.servers[0]);
    f.servers[0] = NULL;
    fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
    fixture_fini(&f);
}

static void test_dead_server_costs_one_timeout_and_comes_back(void **state)
{
    struct fixture f;
    char name[64];

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 2, 300, 2, NO_CACHE);
    dns_server_set_fault(f.servers[0], DNS_FAULT_SILENT);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "n%d.many.example.com", i);
        fixture_expect(&f, name, AM_DNS_A, AM_DNS_OK);
    }
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    assert_int_equal(dns_server_count(f.servers[0], NULL), 1);
    /* It is aside for a second; then look-ups go on while a probe finds it well. */
    dns_server_set_fault(f.servers[0], DNS_FAULT_NONE);
    for (int i = 0; dns_server_count(f.servers[0], NULL) < 5; i++) {
        assert_true(i < 1000);
        snprintf(name, sizeof(name), "m%d.many.example.com", i);
        fixture_expect(&f, name, AM_DNS_A, AM_DNS_OK);
        usleep(10000);
    }
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    fixture_fini(&f);
}

static void test_rounds_end_before_the_deadline(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 2, SHORT_MS, 3, NO_CACHE);
    dns_server_set_fault(f.servers[0], DNS_FAULT_SILENT);
    dns_server_set_fault(f.servers[1], DNS_FAULT_SILENT);
    fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_TIMEOUT);
    assert_int_equal(dns_server_count(f.servers[0], NULL), 3);
    assert_int_equal(dns_server_count(f.servers[1], NULL), 3);
    fixture_fini(&f);
}

static void test_deadline_is_kept(void **state)
{
    const struct am_clock *clock = am_clock_system();
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 10, SOME_CACHE);
    struct am_dns_query *brief =
        am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, am_deadline_in_ms(clock, 100));
    struct am_dns_query *patient =
        am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, am_deadline_in_ms(clock, 400));
    int64_t start = now_ms();
    assert_int_equal(am_dns_wait(brief)->outcome, AM_DNS_TIMEOUT);
    assert_in_range(now_ms() - start, 90, 3000);
    assert_null(am_dns_answer_of(patient));
    assert_int_equal(am_dns_wait(patient)->outcome, AM_DNS_TIMEOUT);
    assert_in_range(now_ms() - start, 390, 4000);
    am_dns_release(brief);
    am_dns_release(patient);
    patient = am_dns_start(f.resolver, "other.example.com", AM_DNS_A, 0);
    assert_int_equal(am_dns_answer_of(patient)->outcome, AM_DNS_TIMEOUT);
    am_dns_release(patient);
    fixture_fini(&f);
}

static void test_wait_any(void **state)
{
    struct fixture f;
    int64_t deadline_us = am_deadline_in_ms(am_clock_system(), 1500);

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, SOME_CACHE);
    struct am_dns_query *queries[] = {
        am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, deadline_us),
        am_dns_start(f.resolver, "mail.example.com", AM_DNS_A, deadline_us),
        am_dns_start(f.resolver, "mail.example.com", AM_DNS_AAAA, deadline_us),
    };
    for (int shown = 0; shown < 2;
         shown = (am_dns_answer_of(queries[1]) != NULL) + (am_dns_answer_of(queries[2]) != NULL)) {
        am_dns_wait_any(queries, 3);
        assert_null(am_dns_answer_of(queries[0]));
    }
    am_dns_wait_any(queries, 3); /* nothing new until the deadline */
    assert_int_equal(am_dns_answer_of(queries[0])->outcome, AM_DNS_TIMEOUT);
    am_dns_wait_any(queries, 3); /* all shown: at once */
    for (int i = 0; i < 3; i++)
        am_dns_release(queries[i]);
    fixture_fini(&f);
}

static void test_nobody_waits_any_more(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, SHORT_MS, 10, SOME_CACHE);
    am_dns_release(am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, AM_NEVER));
    usleep(1000 * SHORT_MS * 4);
    assert_true(dns_server_count(f.servers[0], "silent.example.com") <= 1);
    /* And who comes back is served. */
    fixture_expect(&f, "silent.example.com", AM_DNS_A, AM_DNS_TIMEOUT);
    assert_true(dns_server_count(f.servers[0], "silent.example.com") >= 10);
    fixture_fini(&f);
}

static void test_ttl_0_is_not_kept(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, SOME_CACHE);
    fixture_expect(&f, "brief.example.com", AM_DNS_A, AM_DNS_OK);
    fixture_expect(&f, "brief.example.com", AM_DNS_A, AM_DNS_OK);
    assert_int_equal(dns_server_count(f.servers[0], "brief.example.com"), 2);
    fixture_fini(&f);
}

static void test_cache_is_bounded(void **state)
{
    enum { NAMES = 10000, BATCH = 100, KEPT = 1000 };
    struct am_dns_query *queries[BATCH];
    struct fixture f;
    char name[64];

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 3, KEPT);
    for (int i = 0; i < NAMES; i += BATCH) {
        for (int j = 0; j < BATCH; j++) {
            snprintf(name, sizeof(name), "n%d.many.example.com", i + j);
            queries[j] = am_dns_start(f.resolver, name, AM_DNS_A,
                                      am_deadline_in_ms(am_clock_system(), 30000));
        }
        for (int j = 0; j < BATCH; j++) {
            assert_int_equal(am_dns_wait(queries[j])->outcome, AM_DNS_OK);
            am_dns_release(queries[j]);
        }
    }
    struct am_dns_live_stats stats = fixture_stats(&f);
    assert_int_equal(stats.cache_entries, KEPT);
    assert_int_equal(stats.cache_evicted, NAMES - KEPT);
    assert_in_range(stats.cache_bytes, 1, KEPT * 1024);
    assert_true(fixture_ask(&f, "n9999.many.example.com", AM_DNS_A)->from_cache);
    assert_false(fixture_ask(&f, "n0.many.example.com", AM_DNS_A)->from_cache);
    fixture_fini(&f);
}

static void test_freed_with_queries_under_way(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, LONG_MS, 1, SOME_CACHE);
    struct am_dns_query *query = am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, AM_NEVER);
    am_resolver_free(f.resolver);
    f.resolver = NULL;
    assert_int_equal(am_dns_answer_of(query)->outcome, AM_DNS_SERVFAIL);
    am_dns_release(query);
    fixture_fini(&f);
}

static size_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void test_no_descriptor_is_left(void **state)
{
    size_t before = open_descriptors();

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_open(&f, 2, SHORT_MS, 1, SOME_CACHE);
        dns_server_script(f.servers[0], "mail.example.com", DNS_FAULT_TRUNCATED, 0);
        fixture_expect(&f, "mail.example.com", AM_DNS_A, AM_DNS_OK);
        fixture_expect(&f, "silent.example.com", AM_DNS_A, AM_DNS_TIMEOUT);
        am_dns_release(am_dns_start(f.resolver, "silent.example.com", AM_DNS_TXT, AM_NEVER));
        fixture_fini(&f);
    }
    assert_int_equal(open_descriptors(), before);
}

static void test_bad_options_say_why(void **state)
{
    static const struct {
        const char *server, *expected;
    } cases[] = {
        {"ns.example.com", "the name server 'ns.example.com' is no IP address"},
        {"192.0.2.1:0", "the port of the name server '192.0.2.1:0' is not in 1 to 65535"},
        {"192.0.2.1:99999", "is not in 1 to 65535"},
        {"[2001:db8::1", "is no IP address"},
        {"", "is no IP address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_problem problem = {""};
        struct am_dns_live_options options = {.nameservers = &cases[i].server,
                                              .nameserver_count = 1};
        assert_null(am_dns_live_new(&options, &problem));
        if (strstr(problem.text, cases[i].expected) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", problem.text, cases[i].expected);
    }
    struct am_problem problem = {""};
    struct am_dns_live_options options = {.resolv_conf = "/nonexistent/resolv.conf"};
    assert_null(am_dns_live_new(&options, &problem));
    assert_non_null(strstr(problem.text, "/nonexistent/resolv.conf: cannot be read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_of_each_type),
        cmocka_unit_test(test_outcomes_are_kept_apart),
        cmocka_unit_test(test_forged_answers_are_ignored),
        cmocka_unit_test(test_answer_twice_harms_nobody),
        cmocka_unit_test(test_server_that_changes_case_is_asked_over_tcp),
        cmocka_unit_test(test_truncated_answer_goes_to_tcp),
        cmocka_unit_test(test_answer_of_64_kib),
        cmocka_unit_test(test_chains_in_one_answer),
        cmocka_unit_test(test_chains_name_by_name),
        cmocka_unit_test(test_server_without_edns),
        cmocka_unit_test(test_secure_bit),
        cmocka_unit_test(test_next_server_after_servfail),
        cmocka_unit_test(test_refused_connection_is_servfail),
        cmocka_unit_test(test_dead_server_costs_one_timeout_and_comes_back),
        cmocka_unit_test(test_rounds_end_before_the_deadline),
        cmocka_unit_test(test_deadline_is_kept),
        cmocka_unit_test(test_wait_any),
        cmocka_unit_test(test_nobody_waits_any_more),
        cmocka_unit_test(test_ttl_0_is_not_kept),
        cmocka_unit_test(test_cache_is_bounded),
        cmocka_unit_test(test_freed_with_queries_under_way),
        cmocka_unit_test(test_no_descriptor_is_left),
        cmocka_unit_test(test_bad_options_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
