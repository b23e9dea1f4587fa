#include "tests/unit/spf/fixture.h"

#include <string.h>

#include "tests/suites/differential/generate.h"

static const char zone[] =
    "e.example. 60 IN TXT \"v=spf1 include:i1.example include:i2.example a mx -all\"\n"
    "e.example. 60 IN A 198.51.100.1\n"
    "e.example. 60 IN MX 1 m1.example.\ne.example. 60 IN MX 2 m2.example.\n"
    "m1.example. 60 IN A 198.51.100.2\nm2.example. 60 IN A 192.0.2.1\n"
    "i1.example. 60 IN TXT \"v=spf1 a:x1.example ~all\"\nx1.example. 60 IN A 198.51.100.3\n"
    "i2.example. 60 IN TXT \"v=spf1 a:x2.example ~all\"\nx2.example. 60 IN A 198.51.100.4\n";

static unsigned waits(struct fixture *fixture, bool prefetch, const char *sender)
{
    fixture->request.prefetch = prefetch;
    fixture->dns.delay_us = 20000;
    const struct spf_outcome *outcome = fixture_evaluate(fixture, "192.0.2.1", "h.example", sender);
    assert_int_equal(outcome->result, SPF_PASS);
    assert_int_equal(outcome->waited_us, (int64_t)fixture->dns.waits * 20000);
    return fixture->dns.waits;
}

static void two_includes_a_and_mx_take_three_round_trips(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, zone);
    assert_int_equal(waits(&fixture, true, "u@e.example"), 3);
    assert_int_equal(waits(&fixture, false, "u@e.example"), 8);
    fixture_fini(&fixture);
}

/* HELO and MAIL FROM: both records are under way before the first wait. */
static void started_checks_wait_together(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "e.example. 60 IN TXT \"v=spf1 +all\"\nh.example. 60 IN TXT \"v=spf1 "
                           "-all\"\n");
    fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    fixture.dns.delay_us = 20000;
    fixture.dns.now_us = 0;
    fixture.dns.waits = 0;
    struct spf_request helo = fixture.request;
    helo.identity = SPF_HELO;
    struct spf_check *first = spf_check_start(fixture.arena, &helo);
    struct spf_check *second = spf_check_start(fixture.arena, &fixture.request);
    assert_int_equal(spf_check_finish(first)->result, SPF_FAIL);
    assert_int_equal(spf_check_finish(second)->result, SPF_PASS);
    assert_int_equal(fixture.dns.waits, 1);
    fixture_fini(&fixture);
}

static void the_names_of_mx_and_ptr_are_asked_together(void **state)
{
    struct fixture fixture;
    struct am_buf text;
    (void)state;
    am_buf_init(&text, 0);
    am_buf_add_str(&text, "e.example. 60 IN TXT \"v=spf1 mx ptr:z.example -all\"\n");
    for (int i = 0; i < 10; i++)
        am_buf_printf(&text,
                      "e.example. 60 IN MX %d m%d.example.\nm%d.example. 60 IN A 198.51.100.1\n"
                      "1.2.0.192.in-addr.arpa. 60 IN PTR p%d.z.example.\n"
                      "p%d.z.example. 60 IN A 192.0.2.%d\n",
                      i, i, i, i, i, 10 - i);
    fixture_init(&fixture, am_buf_str(&text));
    assert_int_equal(waits(&fixture, false, "u@e.example"), 5);
    fixture_fini(&fixture);
    am_buf_fini(&text);
}

static void prefetch_is_bounded_and_changes_nothing(void **state)
{
    struct fixture fixture;
    struct am_buf text;
    (void)state;
    am_buf_init(&text, 0);
    am_buf_add_str(&text, "e.example. 60 IN TXT \"v=spf1 a:first.example");
    for (int i = 0; i < 9; i++)
        am_buf_printf(&text, " exists:n%d.example", i);
    am_buf_add_str(&text, " -all\"\nfirst.example. 60 IN A 192.0.2.1\n");
    fixture_init(&fixture, am_buf_str(&text));
    fixture.request.prefetch = true;
    fixture.dns.delay_us = 1000;
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_PASS); /* nine void names were asked, and do not count */
    assert_int_equal(outcome->voids_used, 0);
    assert_int_equal(outcome->terms_used, 1);
    assert_int_equal(outcome->queries, 11);
    fixture_fini(&fixture);
    am_buf_fini(&text);
}

/* When every answer is there at once nothing is foreseen. */
static void a_warm_cache_is_asked_no_more_than_needed(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, zone);
    fixture.request.prefetch = true;
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "198.51.100.3", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_PASS);
    assert_int_equal(outcome->queries, 3);
    fixture_fini(&fixture);
}

/* Over random zones, with answers that take their time: the same result, term and counts. */
static void random_zones_show_no_difference(void **state)
{
    struct generator generator = {.state = 8616};
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct fixture fixture;
        struct am_buf text;
        am_buf_init(&text, 0);
        generate_zone(&generator, &text);
        fixture_init(&fixture, am_buf_str(&text));
        for (int k = 0; k < 10; k++) {
            const char *client = generate_client(&generator), *from = generate_sender(&generator);
            fixture.dns.delay_us = 0;
            fixture.request.prefetch = false;
            const struct spf_outcome *outcome =
                fixture_evaluate(&fixture, client, "h0.d0.example", from);
            enum spf_result result = outcome->result;
            unsigned terms = outcome->terms_used, voids = outcome->voids_used;
            unsigned queries = outcome->queries;
            fixture.dns.delay_us = 1000;
            fixture.request.prefetch = true;
            outcome = fixture_evaluate(&fixture, client, "h0.d0.example", from);
            assert_int_equal(outcome->result, result);
            assert_int_equal(outcome->terms_used, terms);
            assert_int_equal(outcome->voids_used, voids);
            assert_in_range(outcome->queries, 1, queries + 20);
        }
        fixture_fini(&fixture);
        am_buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_includes_a_and_mx_take_three_round_trips),
        cmocka_unit_test(started_checks_wait_together),
        cmocka_unit_test(the_names_of_mx_and_ptr_are_asked_together),
        cmocka_unit_test(prefetch_is_bounded_and_changes_nothing),
        cmocka_unit_test(a_warm_cache_is_asked_no_more_than_needed),
        cmocka_unit_test(random_zones_show_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
