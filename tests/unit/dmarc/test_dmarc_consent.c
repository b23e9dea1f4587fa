#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/dns/dns_zone.h"
#include "dmarc-milter/dmarc_consent.h"

/* Who gets the reports of another domain (RFC 9990 section 4). */

static const char zone[] =
    "$ORIGIN .\n"
    "_dmarc.example.com. TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.other.example. TXT \"v=DMARC1; p=none\"\n"
    "example.com._report._dmarc.plain.example. TXT \"v=DMARC1\"\n"
    "example.com._report._dmarc.semicolon.example. TXT \"v=DMARC1;\"\n"
    "*._report._dmarc.wild.example. TXT \"v=DMARC1\"\n"
    "example.com._report._dmarc.text.example. TXT \"hello\"\n"
    "example.com._report._dmarc.late.example. TXT \"x=y; v=DMARC1\"\n"
    "example.com._report._dmarc.lower.example. TXT \"v=dmarc1\"\n"
    "example.com._report._dmarc.several.example. TXT \"hello\"\n"
    "example.com._report._dmarc.several.example. TXT \"v=DMARC1;\"\n"
    "example.com._report._dmarc.moved.example. TXT \"v=DMARC1; "
    "rua=mailto:new@moved.example,mailto:two@moved.example\"\n"
    "example.com._report._dmarc.away.example. TXT \"v=DMARC1; rua=mailto:x@victim.example\"\n"
    "example.com._report._dmarc.half.example. TXT \"v=DMARC1; "
    "rua=mailto:x@half.example,mailto:x@victim.example\"\n"
    "example.com._report._dmarc.broken.example. TXT \"v=DMARC1; rua=https://broken.example/\"\n"
    "example.com._report._dmarc.both.example. TXT \"v=DMARC1; rua=mailto:a@both.example\"\n"
    "example.com._report._dmarc.both.example. TXT \"v=DMARC1; rua=mailto:b@both.example\"\n"
    "example.com._report._dmarc.empty.example. A 192.0.2.1\n"
    ";!servfail example.com._report._dmarc.away-now.example TXT\n"
    ";!timeout _dmarc.silent.example TXT\n";

static struct am_resolver *resolver;
static struct am_arena *arena;

static int start(void **state)
{
    struct am_problem problem = {""};

    (void)state;
    resolver = am_dns_zone_parse(zone, "zone", &problem);
    if (resolver == NULL)
        print_error("%s\n", problem.text);
    arena = am_arena_new(65536, 0);
    return resolver == NULL || arena == NULL;
}

static int stop(void **state)
{
    (void)state;
    am_resolver_free(resolver);
    am_arena_free(arena);
    return 0;
}

static struct dmarc_consent ask(const char *policy_domain, const char *address)
{
    struct dmarc_names names = {
        .resolver = resolver,
        .arena = arena,
        .deadline_us = am_deadline_in_ms(am_clock_system(), 5000),
    };
    const struct dmarc_uri uri = {address, strchr(address, '@') + 1};
    struct dmarc_consent consent;

    assert_true(dmarc_consent_ask(&consent, &names, policy_domain, &uri));
    assert_int_equal(consent.count > 0,
                     consent.status == DMARC_CONSENT_OWN || consent.status == DMARC_CONSENT_GIVEN);
    assert_int_equal(consent.count == 0, consent.why != NULL);
    return consent;
}

static void one_organisation_needs_no_consent(void **state)
{
    (void)state;
    assert_int_equal(ask("example.com", "a@example.com").status, DMARC_CONSENT_OWN);
    assert_int_equal(ask("example.com", "a@mail.example.com").status, DMARC_CONSENT_OWN);
    assert_int_equal(ask("news.example.com", "a@example.com").status, DMARC_CONSENT_OWN);
    assert_int_equal(ask("news.example.com", "a@other.example").status, DMARC_CONSENT_REFUSED);
    assert_string_equal(ask("example.com", "a@mail.example.com").addresses[0],
                        "a@mail.example.com");
}

static void who_agrees_gets_reports(void **state)
{
    static const char *const cases[] = {"a@plain.example", "a@semicolon.example",
                                        "a@several.example", "a@wild.example"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dmarc_consent consent = ask("example.com", cases[i]);

        if (consent.status != DMARC_CONSENT_GIVEN)
            fail_msg("%s: %s", cases[i], consent.why);
        assert_int_equal(consent.count, 1);
        assert_string_equal(consent.addresses[0], cases[i]);
    }
}

static void who_does_not_agree_gets_none(void **state)
{
    static const char *const cases[] = {
        "a@other.example",
        "a@text.example",
        "a@late.example",
        "a@lower.example",
        "a@empty.example",
        /* The records of these send reports on to somebody else, or nowhere. */
        "a@away.example",
        "a@half.example",
        "a@broken.example",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ask("example.com", cases[i]).status != DMARC_CONSENT_REFUSED)
            fail_msg("%s gets reports", cases[i]);
    assert_non_null(strstr(ask("example.com", "a@other.example").why,
                           "example.com._report._dmarc.other.example"));
    /* The record is about another domain. */
    assert_int_equal(ask("example.net", "a@plain.example").status, DMARC_CONSENT_REFUSED);
}

static void a_destination_may_name_others_of_its_domain(void **state)
{
    struct dmarc_consent consent = ask("example.com", "old@moved.example");

    (void)state;
    assert_int_equal(consent.status, DMARC_CONSENT_GIVEN);
    assert_int_equal(consent.count, 2);
    assert_string_equal(consent.addresses[0], "new@moved.example");
    assert_string_equal(consent.addresses[1], "two@moved.example");
    consent = ask("example.com", "old@both.example");
    assert_int_equal(consent.count, 1);
}

static void no_answer_is_no_refusal(void **state)
{
    (void)state;
    assert_int_equal(ask("example.com", "a@away-now.example").status, DMARC_CONSENT_UNKNOWN);
    assert_int_equal(ask("example.com", "a@silent.example").status, DMARC_CONSENT_UNKNOWN);
}

static void a_name_too_long_to_ask_for_is_refused(void **state)
{
    char domain[230];

    (void)state;
    for (size_t i = 0; i < sizeof(domain) - 1; i++)
        domain[i] = i % 40 == 39 ? '.' : 'a';
    domain[sizeof(domain) - 1] = '\0';
    struct dmarc_consent consent = ask(domain, "a@a-long-enough-name.other.example");
    assert_int_equal(consent.status, DMARC_CONSENT_REFUSED);
    assert_non_null(strstr(consent.why, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_organisation_needs_no_consent),
        cmocka_unit_test(who_agrees_gets_reports),
        cmocka_unit_test(who_does_not_agree_gets_none),
        cmocka_unit_test(a_destination_may_name_others_of_its_domain),
        cmocka_unit_test(no_answer_is_no_refusal),
        cmocka_unit_test(a_name_too_long_to_ask_for_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
