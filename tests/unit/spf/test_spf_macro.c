#include "tests/unit/spf/fixture.h"

#include <stdio.h>
#include <string.h>

/* Evaluates "exists:SPEC" and returns the name that was asked. */
static const char *asked(struct fixture *fixture, const char *client, const char *sender,
                         const char *spec)
{
    static char record[600];
    snprintf(record, sizeof(record), "v=spf1 exists:%s ?all", spec);
    fixture->request.record = record;
    const struct spf_outcome *outcome = fixture_evaluate(fixture, client, "mx.example.org", sender);
    assert_int_equal(outcome->step_count, 3);
    return outcome->steps[1].target;
}

/* RFC 7208 section 7.4. */
static void examples_of_the_rfc(void **state)
{
    static const struct {
        const char *spec, *client, *name;
    } cases[] = {
        {"%{s}", "192.0.2.3", "strong-bad\\064email.example.com"},
        {"%{o}", "192.0.2.3", "email.example.com"},
        {"%{d}", "192.0.2.3", "email.example.com"},
        {"%{d4}", "192.0.2.3", "email.example.com"},
        {"%{d3}", "192.0.2.3", "email.example.com"},
        {"%{d2}", "192.0.2.3", "example.com"},
        {"%{d1}", "192.0.2.3", "com"},
        {"%{dr}", "192.0.2.3", "com.example.email"},
        {"%{d2r}", "192.0.2.3", "example.email"},
        {"%{l}", "192.0.2.3", "strong-bad"},
        {"%{l-}", "192.0.2.3", "strong.bad"},
        {"%{lr}", "192.0.2.3", "strong-bad"},
        {"%{lr-}", "192.0.2.3", "bad.strong"},
        {"%{l1r-}", "192.0.2.3", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "192.0.2.3", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3",
         "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "192.0.2.3",
         "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "192.0.2.3",
         "example.com.trusted-domains.example.net"},
        {"%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01",
         "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
    };
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(
            asked(&fixture, cases[i].client, "strong-bad@email.example.com", cases[i].spec),
            cases[i].name);
    fixture_fini(&fixture);
}

static void odd_texts(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "");
    const char *from = "a.b-c+d@e.example";
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%{l999r-+.}.x"), "d.c.b.a.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%{l99999999999999999999}.x"),
                        "a.b-c+d.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%{l2+-}.x"), "c.d.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%{L}.x"), "a.b-c%2Bd.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%%%_%-.x.y"), "%\\032%20.x.y");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "%{h}.%{p}.x"),
                        "mx.example.org.unknown.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", from, "x.example."), "x.example");
    assert_string_equal(asked(&fixture, "192.0.2.1", "\"a\\\\b\"@e.example", "%{l}.x"),
                        "\\034a\\092\\092b\\034.x");
    fixture_fini(&fixture);
}

static void long_names_lose_whole_labels(void **state)
{
    struct fixture fixture;
    char sender[400] = "";
    (void)state;
    for (int i = 0; i < 30; i++)
        strcat(sender, "aaaaaaaaa.");
    strcat(sender, "z@e.example");
    fixture_init(&fixture, "");
    const char *name = asked(&fixture, "192.0.2.1", sender, "%{l}.b.example");
    assert_in_range(strlen(name), 244, 253);
    assert_memory_equal(name, "aaaaaaaaa.", 10);
    assert_string_equal(name + strlen(name) - 11, "z.b.example");
    fixture_fini(&fixture);
}

/* 20,000 macros and a sender of 10 kB: what is cut away is never built. */
static void absurd_macros_cost_little(void **state)
{
    static char record[65000], sender[10100];
    struct fixture fixture;
    (void)state;
    strcpy(record, "v=spf1 exists:");
    char *end = record + strlen(record);
    for (int i = 0; i < 10000; i++)
        end = stpcpy(end, i % 2 ? "%{l1}" : "%{LR}");
    strcpy(end, ".x.example -all");
    memset(sender, 'a', 10000);
    strcpy(sender + 10000, ".@e.example");
    fixture_init(&fixture, "");
    fixture.request.record = record;
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "mx.example.org", sender);
    assert_int_equal(outcome->result, SPF_FAIL);
    assert_true(strlen(outcome->steps[1].target) <= 4 * 253 + 10100 * 3);
    assert_int_equal(fixture.dns.queries, 1);
    fixture_fini(&fixture);
}

static void validated_name_prefers_the_domain(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "1.2.0.192.in-addr.arpa. 60 IN PTR other.example.\n"
                           "1.2.0.192.in-addr.arpa. 60 IN PTR liar.e.example.\n"
                           "1.2.0.192.in-addr.arpa. 60 IN PTR sub.e.example.\n"
                           "other.example. 60 IN A 192.0.2.1\n"
                           "liar.e.example. 60 IN A 192.0.2.9\n"
                           "sub.e.example. 60 IN A 192.0.2.1\n");
    assert_string_equal(asked(&fixture, "192.0.2.1", "a@e.example", "%{p}.x"), "sub.e.example.x");
    assert_string_equal(asked(&fixture, "192.0.2.1", "a@f.example", "%{p}.x"), "other.example.x");
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(odd_texts),
        cmocka_unit_test(long_names_lose_whole_labels),
        cmocka_unit_test(absurd_macros_cost_little),
        cmocka_unit_test(validated_name_prefers_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
