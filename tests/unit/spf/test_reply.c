#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spf-milter/spf_received.h"
#include "spf-milter/spf_reply.h"
#include "tests/support/arena_fixture.h"

/* Replies (RFC 7372) and Received-SPF fields (RFC 7208 section 9.1). */

static struct am_ip ip_of(const char *text)
{
    struct am_ip ip;

    assert_true(am_ip_parse(&ip, am_span_str(text)));
    return ip;
}

/* Facts of a MAIL FROM result from 192.0.2.1. */
static struct spf_reply_facts facts_of(enum spf_result result)
{
    static struct spf_outcome outcome;
    static struct spf_finding finding;
    static struct am_ip client;

    outcome = (struct spf_outcome){.result = result, .domain = "example.org"};
    finding = (struct spf_finding){SPF_MAILFROM, &outcome};
    client = ip_of("192.0.2.1");
    return (struct spf_reply_facts){&finding, am_span_str("user@example.org"), &client, "", false};
}

static void test_errors_have_a_code_of_their_own(void **state)
{
    static const struct {
        enum spf_result result;
        const char *status;
    } cases[] = {
        {SPF_FAIL, "7.23"}, {SPF_SOFTFAIL, "7.23"},  {SPF_NEUTRAL, "7.23"},
        {SPF_NONE, "7.23"}, {SPF_PERMERROR, "7.24"}, {SPF_TEMPERROR, "7.24"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct spf_reply_facts facts = facts_of(cases[i].result);
        struct spf_reply reply;

        assert_true(spf_reply_make(&reply, arena, &facts));
        assert_string_equal(reply.status, cases[i].status);
    }
}

static void test_text_says_who_what_and_why(void **state)
{
    struct spf_reply_facts facts = facts_of(SPF_FAIL);
    struct spf_reply reply;

    (void)state;
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_string_equal(reply.text, "SPF fail for MAIL FROM user@example.org from 192.0.2.1: not "
                                    "permitted by example.org");
    facts.text = "Questions: +49 123 456";
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_non_null(strstr(reply.text, "example.org\nQuestions: +49 123 456"));
}

static void test_explanation_only_when_asked_for(void **state)
{
    struct spf_reply_facts facts = facts_of(SPF_FAIL);
    struct spf_outcome outcome = *facts.finding->outcome;
    struct spf_finding finding = {SPF_MAILFROM, &outcome};
    struct spf_reply reply;

    (void)state;
    outcome.explanation = "192.0.2.1 is not one of ours";
    facts.finding = &finding;
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_null(strstr(reply.text, "not one of ours"));
    facts.explanation = true;
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_non_null(
        strstr(reply.text, "\nThe domain example.org explains: 192.0.2.1 is not one of ours"));
}

static void test_identity_of_a_stranger_is_harmless(void **state)
{
    struct spf_reply_facts facts = facts_of(SPF_FAIL);
    struct spf_reply reply;
    static char longest[10000];

    (void)state;
    facts.identity = am_span_of("a\r\n250 ok\0\xff@b", 13);
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_non_null(strstr(reply.text, "MAIL FROM a??250 ok??@b from"));
    memset(longest, 'x', sizeof(longest));
    facts.identity = am_span_of(longest, sizeof(longest));
    assert_true(spf_reply_make(&reply, arena, &facts));
    assert_non_null(strstr(reply.text, "xxx[...] from 192.0.2.1"));
    assert_true(strlen(reply.text) < 400);
}

/* --- Received-SPF --- */

static struct spf_received_facts received_of(const char *sender, const char *client)
{
    static struct spf_outcome outcome;
    static struct spf_finding finding;
    static struct am_ip ip;

    outcome = (struct spf_outcome){
        .result = SPF_PASS, .domain = "example.org", .term = "ip4:192.0.2.0/24"};
    finding = (struct spf_finding){SPF_MAILFROM, &outcome};
    ip = ip_of(client);
    return (struct spf_received_facts){.finding = &finding,
                                       .client = &ip,
                                       .sender = am_span_str(sender),
                                       .helo = am_span_str("mail.example.org"),
                                       .receiver = "mx.example.com"};
}

static void test_received_spf(void **state)
{
    struct spf_received_facts facts = received_of("user@example.org", "192.0.2.1");

    (void)state;
    assert_string_equal(spf_received_value(arena, &facts),
                        "pass (mx.example.com: example.org permits 192.0.2.1)\n"
                        "\treceiver=mx.example.com;\n"
                        "\tidentity=mailfrom;\n"
                        "\tclient-ip=192.0.2.1;\n"
                        "\tenvelope-from=\"user@example.org\";\n"
                        "\thelo=mail.example.org;\n"
                        "\tmechanism=\"ip4:192.0.2.0/24\"");
}

static void test_received_spf_quotes(void **state)
{
    struct spf_received_facts facts = received_of("\"a\\\" b\"@example.org", "2001:db8::1");
    const char *value;

    (void)state;
    facts.helo = am_span_of("x\r\nSubject: y\0z", 15);
    facts.receiver = "mx (1)";
    value = spf_received_value(arena, &facts);
    assert_non_null(strstr(value, "client-ip=\"2001:db8::1\";"));
    assert_non_null(strstr(value, "envelope-from=\"\\\"a\\\\\\\" b\\\"@example.org\";"));
    assert_non_null(strstr(value, "helo=\"x??Subject: y?z\";"));
    assert_non_null(strstr(value, "pass (mx \\(1\\): "));
    /* Folds are LF + tab and nothing else. */
    for (const char *c = value; *c != '\0'; c++) {
        assert_true(*c != '\r');
        if (*c == '\n')
            assert_int_equal(c[1], '\t');
    }
}

static void test_received_spf_utf8(void **state)
{
    struct spf_received_facts facts = received_of("j\xc3\xb6rg\xc3@example.org", "192.0.2.1");

    (void)state;
    assert_non_null(strstr(spf_received_value(arena, &facts), "\"j??rg?@example.org\""));
    facts.smtputf8 = true;
    assert_non_null(strstr(spf_received_value(arena, &facts), "\"j\xc3\xb6rg?@example.org\""));
}

static void test_received_spf_bounded(void **state)
{
    static char longest[10001];
    memset(longest, 'x', sizeof(longest) - 1);
    struct spf_received_facts facts = received_of(longest, "192.0.2.1");

    (void)state;
    facts.helo = am_span_str(longest);
    const char *value = spf_received_value(arena, &facts);
    assert_null(strstr(value, "envelope-from"));
    assert_null(strstr(value, "helo="));
    assert_true(strlen(value) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_errors_have_a_code_of_their_own, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_text_says_who_what_and_why, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_explanation_only_when_asked_for, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_identity_of_a_stranger_is_harmless, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_received_spf, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_received_spf_quotes, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_received_spf_utf8, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_received_spf_bounded, make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
