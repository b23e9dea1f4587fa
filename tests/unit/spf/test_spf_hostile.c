#include "tests/unit/spf/fixture.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* Records and senders made to cost: each ends within its budget, with the right word. */

static void expect_limit(const char *zone, enum spf_limit limit, unsigned most_queries)
{
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        struct fixture fixture;
        fixture_init(&fixture, zone);
        fixture.request.prefetch = prefetch != 0;
        fixture.dns.delay_us = 1000;
        const struct spf_outcome *outcome =
            fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
        assert_int_equal(outcome->result, SPF_PERMERROR);
        assert_int_equal(outcome->limit, limit);
        assert_non_null(outcome->reason);
        assert_in_range(fixture.dns.queries, 1, most_queries + (prefetch ? 20 : 0));
        fixture_fini(&fixture);
    }
}

static void eleven_terms(void **state)
{
    (void)state;
    expect_limit("e.example. 60 IN TXT \"v=spf1 a:x.example a:x.example a:x.example a:x.example "
                 "a:x.example a:x.example a:x.example a:x.example a:x.example a:x.example "
                 "a:x.example ip4:192.0.2.1 -all\"\nx.example. 60 IN A 198.51.100.1\n",
                 SPF_LIMIT_TERMS, 2);
}

/* A tree of includes: the count runs over the whole evaluation, not anew in each of them. */
static char *include_tree(unsigned width, unsigned depth)
{
    struct am_buf zone;
    am_buf_init(&zone, 0);
    for (unsigned level = 0; level <= depth; level++) {
        for (unsigned node = 0; node < (level == 0 ? 1 : width); node++) {
            if (level == 0)
                am_buf_add_str(&zone, "e.example. 60 IN TXT \"v=spf1");
            else
                am_buf_printf(&zone, "n%u.l%u.example. 60 IN TXT \"v=spf1", node, level);
            for (unsigned child = 0; level < depth && child < width; child++)
                am_buf_printf(&zone, " include:n%u.l%u.example", child, level + 1);
            am_buf_add_str(&zone, " -ip4:203.0.113.1\"\n");
        }
    }
    char *text = strdup(am_buf_str(&zone));
    am_buf_fini(&zone);
    return text;
}

static void include_trees(void **state)
{
    char *wide = include_tree(10, 2), *deep = include_tree(3, 6);
    (void)state;
    expect_limit(wide, SPF_LIMIT_TERMS, 12);
    expect_limit(deep, SPF_LIMIT_TERMS, 12);
    free(wide);
    free(deep);
}

static void loops(void **state)
{
    (void)state;
    expect_limit("e.example. 60 IN TXT \"v=spf1 include:e.example -all\"\n", SPF_LIMIT_TERMS, 1);
    expect_limit("e.example. 60 IN TXT \"v=spf1 redirect=e.example\"\n", SPF_LIMIT_TERMS, 1);
    expect_limit("e.example. 60 IN TXT \"v=spf1 redirect=f.example\"\n"
                 "f.example. 60 IN TXT \"v=spf1 include:e.example\"\n",
                 SPF_LIMIT_TERMS, 2);
}

static void three_voids(void **state)
{
    (void)state;
    expect_limit("e.example. 60 IN TXT \"v=spf1 a:n1.example mx:n2.example exists:n3.example "
                 "ip4:192.0.2.1\"\n",
                 SPF_LIMIT_VOIDS, 4);
}

static void two_voids_are_allowed_and_more_by_option(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_expect(&fixture,
                   "e.example. 60 IN TXT \"v=spf1 a:n1.example a:n2.example ip4:192.0.2.1\"\n"
                   "f.example. 60 IN TXT \"v=spf1 a:n1.example a:n2.example a:n3.example +all\"\n",
                   "u@e.example", "pass");
    fixture.request.limits.voids = 3;
    assert_int_equal(fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@f.example")->result,
                     SPF_PASS);
    fixture_fini(&fixture);
}

static void mail_servers_without_the_family_are_one_void_term(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "e.example. 60 IN TXT \"v=spf1 mx ip6:2001:db8::1 -all\"\n"
                           "e.example. 60 IN MX 1 m1.example.\ne.example. 60 IN MX 2 m2.example.\n"
                           "e.example. 60 IN MX 3 m3.example.\nm1.example. 60 IN A 198.51.100.1\n"
                           "m2.example. 60 IN A 198.51.100.2\nm3.example. 60 IN A 198.51.100.3\n");
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "2001:db8::1", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_PASS);
    assert_int_equal(outcome->voids_used, 1);
    fixture_fini(&fixture);
}

static void eleven_mail_servers(void **state)
{
    struct am_buf zone;
    (void)state;
    am_buf_init(&zone, 0);
    am_buf_add_str(&zone, "e.example. 60 IN TXT \"v=spf1 mx -all\"\n");
    for (int i = 0; i < 11; i++)
        am_buf_printf(&zone,
                      "e.example. 60 IN MX %d m%d.example.\nm%d.example. 60 IN A 192.0.2.1\n", i, i,
                      i);
    expect_limit(am_buf_str(&zone), SPF_LIMIT_MX_NAMES, 2);
    am_buf_fini(&zone);
}

static void fifty_text_records(void **state)
{
    struct am_buf zone;
    struct fixture fixture;
    (void)state;
    am_buf_init(&zone, 0);
    for (int i = 0; i < 50; i++)
        am_buf_printf(&zone, "e.example. 60 IN TXT \"v=spf2 number %d\"\n", i);
    am_buf_add_str(&zone, "e.example. 60 IN TXT \"v=spf1 -all\"\n");
    fixture_expect(&fixture, am_buf_str(&zone), "u@e.example", "fail");
    fixture_fini(&fixture);
    for (int i = 0; i < 50; i++)
        am_buf_printf(&zone, "e.example. 60 IN TXT \"v=spf1 ip4:192.0.2.%d\"\n", i);
    fixture_expect(&fixture, am_buf_str(&zone), "u@e.example", "permerror");
    assert_int_equal(fixture.dns.queries, 1);
    fixture_fini(&fixture);
    am_buf_fini(&zone);
}

static void odd_octets_in_records(void **state)
{
    static const char *const texts[] = {"v=spf1 a:x.example\\000 +all", "v=spf1 \\200all +all",
                                        "v=spf1\\009+all a", "v=spf1 +all\\013\\010x",
                                        "v=spf1 \\000"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char zone[200];
        struct fixture fixture;
        snprintf(zone, sizeof(zone), "e.example. 60 IN TXT \"%s\"\n", texts[i]);
        const struct spf_outcome *outcome =
            fixture_expect(&fixture, zone, "u@e.example", i == 2 ? "none" : "permerror");
        for (const char *c = outcome->reason; *c != '\0'; c++)
            assert_in_range(*c, ' ', '~');
        fixture_fini(&fixture);
    }
}

static void a_record_of_64_kib(void **state)
{
    struct fixture fixture;
    (void)state;
    char *record = malloc(65536);
    assert_non_null(record);
    strcpy(record, "v=spf1");
    size_t len = strlen(record);
    while (len + 15 < 65530)
        len += (size_t)sprintf(record + len, " ip4:198.51.0.9");
    strcpy(record + len, " -all");
    fixture_init(&fixture, "");
    fixture.request.record = record;
    assert_int_equal(fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example")->result,
                     SPF_FAIL);
    fixture.request.limits.record_bytes = 8192;
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_PERMERROR);
    assert_int_equal(outcome->limit, SPF_LIMIT_RECORD);
    fixture_fini(&fixture);
    free(record);
}

static void helo_and_sender_of_10_kb(void **state)
{
    static char text[10100];
    struct fixture fixture;
    (void)state;
    memset(text, 'a', 10000);
    fixture_init(&fixture, "e.example. 60 IN TXT \"v=spf1 a:%{h}.x.example exists:%{l}.x.example "
                           "-all exp=%{H}.x.example\"\n");
    strcpy(text + 10000, "@e.example");
    assert_int_equal(fixture_evaluate(&fixture, "192.0.2.1", text, text)->result, SPF_FAIL);
    assert_in_range(fixture.dns.queries, 1, 4);
    const struct spf_outcome *outcome = fixture_evaluate(&fixture, "192.0.2.1", text, "");
    assert_int_equal(outcome->result, SPF_NONE);
    assert_in_range(strlen(outcome->reason), 1, 200);
    fixture_fini(&fixture);
}

static void silent_dns_ends_at_the_deadline(void **state)
{
    struct fixture fixture;
    (void)state;
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        fixture_init(&fixture, "");
        fixture.dns.silent = true;
        fixture.request.prefetch = prefetch != 0;
        fixture.request.deadline_us = 200000;
        fixture.request.record = "v=spf1 ptr:x.example include:a.example mx a:%{p}.b.example -all";
        const struct spf_outcome *outcome =
            fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
        assert_int_equal(outcome->result, SPF_TEMPERROR);
        assert_int_equal(outcome->limit, SPF_LIMIT_TIME);
        assert_int_equal(fixture.dns.now_us, 200000);
        assert_int_equal(outcome->waited_us, 200000);
        fixture_fini(&fixture);
    }
}

static void little_memory_is_a_temperror(void **state)
{
    struct fixture fixture;
    unsigned short_runs = 0, whole_runs = 0;
    (void)state;
    fixture_init(&fixture,
                 "e.example. 60 IN TXT \"v=spf1 mx ptr exists:%{ir}.%{p} include:f.example "
                 "-all exp=x.example\"\ne.example. 60 IN MX 1 m.example.\n"
                 "m.example. 60 IN A 198.51.100.1\nf.example. 60 IN TXT \"v=spf1 a ~all\"\n"
                 "1.2.0.192.in-addr.arpa. 60 IN PTR m.example.\n"
                 "x.example. 60 IN TXT \"not %{c} %{p}\"\n");
    fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    struct spf_request request = fixture.request;
    for (int prefetch = 0; prefetch < 2; prefetch++)
        for (size_t limit = 16; limit < 12000; limit += 16) {
            struct am_arena *arena = am_arena_new(256, limit);
            assert_non_null(arena);
            request.prefetch = prefetch != 0;
            const struct spf_outcome *outcome = spf_evaluate(arena, &request);
            if (outcome->result == SPF_TEMPERROR) {
                assert_int_equal(outcome->limit, SPF_LIMIT_MEMORY);
                short_runs++;
            } else {
                assert_int_equal(outcome->result, SPF_FAIL);
                whole_runs++;
            }
            am_arena_free(arena);
        }
    assert_true(short_runs > 10 && whole_runs > 10);
    fixture_fini(&fixture);
}

static void the_trace_is_bounded(void **state)
{
    struct fixture fixture;
    struct am_buf record;
    (void)state;
    am_buf_init(&record, 0);
    am_buf_add_str(&record, "v=spf1");
    for (int i = 0; i < 2000; i++)
        am_buf_add_str(&record, " ip4:198.51.100.1");
    am_buf_add_str(&record, " -all");
    fixture_init(&fixture, "");
    fixture.request.record = am_buf_str(&record);
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_FAIL);
    assert_int_equal(outcome->step_count, 256);
    fixture_fini(&fixture);
    am_buf_fini(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eleven_terms),
        cmocka_unit_test(include_trees),
        cmocka_unit_test(loops),
        cmocka_unit_test(three_voids),
        cmocka_unit_test(two_voids_are_allowed_and_more_by_option),
        cmocka_unit_test(mail_servers_without_the_family_are_one_void_term),
        cmocka_unit_test(eleven_mail_servers),
        cmocka_unit_test(fifty_text_records),
        cmocka_unit_test(odd_octets_in_records),
        cmocka_unit_test(a_record_of_64_kib),
        cmocka_unit_test(helo_and_sender_of_10_kb),
        cmocka_unit_test(silent_dns_ends_at_the_deadline),
        cmocka_unit_test(little_memory_is_a_temperror),
        cmocka_unit_test(the_trace_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
