#include "tests/unit/spf/fixture.h"

#include <string.h>

static void null_sender_takes_the_helo(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "mail.example.com. 60 IN TXT \"v=spf1 exists:%{l}.%{o} -all\"\n"
                           "postmaster.mail.example.com. 60 IN A 127.0.0.2\n");
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "mail.example.com", "");
    assert_int_equal(outcome->result, SPF_PASS);
    assert_string_equal(outcome->sender, "postmaster@mail.example.com");
    assert_string_equal(outcome->domain, "mail.example.com");
    fixture.request.identity = SPF_HELO;
    outcome = fixture_evaluate(&fixture, "192.0.2.1", "MAIL.Example.COM.", "x@other.example");
    assert_int_equal(outcome->result, SPF_PASS);
    fixture_fini(&fixture);
}

static void what_is_no_domain_gives_none(void **state)
{
    static const char *const senders[] = {"user",         "u@localhost", "u@[192.0.2.1]",
                                          "u@a..example", "u@-",         "u@"};
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "");
    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        const struct spf_outcome *outcome =
            fixture_evaluate(&fixture, "192.0.2.1", "mail.example.com", senders[i]);
        assert_int_equal(outcome->result, SPF_NONE);
        assert_non_null(outcome->reason);
        assert_int_equal(fixture.dns.queries, 0);
    }
    fixture_fini(&fixture);
}

static void reasons_name_the_place(void **state)
{
    static const struct {
        const char *zone, *result, *reason;
    } cases[] = {
        {"", "none", "no such domain: e.example"},
        {"e.example. 60 IN TXT \"hello\"\n", "none", "no SPF record: e.example"},
        {";!servfail e.example TXT\n", "temperror", "TXT look-up of e.example: servfail"},
        {";!timeout e.example TXT\n", "temperror", "TXT look-up of e.example: timeout"},
        {"e.example. 60 IN TXT \"v=spf1\"\ne.example. 60 IN TXT \"v=spf1 -all\"\n", "permerror",
         "more than one SPF record at e.example"},
        {"e.example. 60 IN TXT \"v=spf1 -all bad\\255\"\n", "permerror",
         "syntax error in term 'bad?' at e.example"},
        {"e.example. 60 IN TXT \"v=spf1 exp=a.b exp=a.b -all\"\n", "permerror",
         "second modifier 'exp=a.b' at e.example"},
        {"e.example. 60 IN TXT \"v=spf1 include:x.example -all\"\n", "permerror",
         "no SPF record for include:x.example"},
        {"e.example. 60 IN TXT \"v=spf1 redirect=x.example\"\n", "permerror",
         "no SPF record for redirect=x.example"},
        {"e.example. 60 IN TXT \"v=spf1 a:x.example -all\"\n;!servfail x.example\n", "temperror",
         "A look-up of x.example: servfail"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        const struct spf_outcome *outcome =
            fixture_expect(&fixture, cases[i].zone, "u@e.example", cases[i].result);
        assert_string_equal(outcome->reason, cases[i].reason);
        assert_null(outcome->term);
        fixture_fini(&fixture);
    }
}

static void term_shows_the_path(void **state)
{
    struct fixture fixture;
    (void)state;
    const struct spf_outcome *outcome =
        fixture_expect(&fixture,
                       "e.example. 60 IN TXT \"v=spf1 include:n.example redirect=r.example\"\n"
                       "n.example. 60 IN TXT \"v=spf1 ip4:203.0.113.9 -all\"\n"
                       "r.example. 60 IN TXT \"v=spf1 include:i.example -all\"\n"
                       "i.example. 60 IN TXT \"v=spf1 ip4:192.0.2.0/24\"\n",
                       "u@e.example", "pass");
    assert_string_equal(outcome->term, "redirect=r.example > include:i.example > ip4:192.0.2.0/24");
    assert_string_equal(outcome->record, "v=spf1 include:n.example redirect=r.example");
    assert_int_equal(outcome->terms_used, 3);
    assert_int_equal(outcome->queries, 4);
    outcome = fixture_evaluate(&fixture, "203.0.113.5", "mail.example.com", "u@e.example");
    assert_int_equal(outcome->result, SPF_FAIL);
    assert_string_equal(outcome->term, "redirect=r.example > -all");
    fixture_fini(&fixture);
}

static void steps_tell_what_the_dns_said(void **state)
{
    struct fixture fixture;
    struct am_buf text;
    (void)state;
    const struct spf_outcome *outcome =
        fixture_expect(&fixture,
                       "e.example. 60 IN TXT \"v=spf1 mx a:x.example -all\"\n"
                       "e.example. 60 IN MX 10 m1.example.\ne.example. 60 IN MX 20 m2.example.\n"
                       "m1.example. 60 IN A 198.51.100.1\nm2.example. 60 IN A 198.51.100.2\n",
                       "u@e.example", "fail");
    static const struct {
        const char *term, *dns, *outcome;
    } steps[] = {
        {"record", "TXT \"v=spf1 mx a:x.example -all\"", "found"},
        {"mx", "MX m1.example (+1)", "no match"},
        {"mx", "A 198.51.100.1", "no match"},
        {"mx", "A 198.51.100.2", "no match"},
        {"a:x.example", "A nxdomain", "void"},
        {"-all", "", "match"},
    };
    assert_int_equal(outcome->step_count, sizeof(steps) / sizeof(steps[0]));
    am_buf_init(&text, 0);
    for (size_t i = 0; i < outcome->step_count; i++) {
        am_buf_clear(&text);
        spf_step_dns(&outcome->steps[i], &text);
        assert_true(am_span_equal(outcome->steps[i].term, am_span_str(steps[i].term)));
        assert_string_equal(am_buf_str(&text), steps[i].dns);
        assert_string_equal(outcome->steps[i].outcome, steps[i].outcome);
    }
    am_buf_fini(&text);
    fixture_fini(&fixture);
}

static void explanation_is_clean_and_short(void **state)
{
    struct fixture fixture;
    char from[700] = "";
    (void)state;
    fixture_init(&fixture,
                 "e.example. 60 IN TXT \"v=spf1 -all exp=x.example\"\n"
                 "x.example. 60 IN TXT \"%{l} from %{c} at %{t} seen by %{r} %{L} 100%%\"\n");
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "mail.example.com", "j\303\266rg@e.example");
    assert_string_equal(outcome->explanation, "j??rg from 192.0.2.1 at 1700000000 seen by "
                                              "mx.receiver.example j%C3%B6rg 100%");
    memset(from, 'a', 600);
    strcat(from, "@e.example");
    outcome = fixture_evaluate(&fixture, "192.0.2.1", "mail.example.com", from);
    assert_int_equal(strlen(outcome->explanation), 512);
    fixture.request.want_explanation = false;
    fixture.request.default_explanation = "see us";
    outcome = fixture_evaluate(&fixture, "192.0.2.1", "mail.example.com", "u@e.example");
    assert_string_equal(outcome->explanation, "see us");
    assert_int_equal(outcome->queries, 1);
    fixture_fini(&fixture);
}

static void control_characters_make_no_explanation(void **state)
{
    struct fixture fixture;
    (void)state;
    const struct spf_outcome *outcome =
        fixture_expect(&fixture,
                       "e.example. 60 IN TXT \"v=spf1 -all exp=x.example\"\n"
                       "x.example. 60 IN TXT \"one\\013\\010X-Injected: two\"\n",
                       "u@e.example", "fail");
    assert_null(outcome->explanation);
    fixture_fini(&fixture);
}

/* RFC 8616 section 4. */
static void mail_in_other_alphabets(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture,
                 "xn--bcher-kva.example. 60 IN TXT \"v=spf1 exists:%{o}.ok.example -all\"\n"
                 "xn--bcher-kva.example.ok.example. 60 IN A 127.0.0.2\n"
                 "e.example. 60 IN TXT \"v=spf1 a:%{l}.x.example exists:%{s} include:%{l}.x.example"
                 " ip4:192.0.2.1 -all\"\n"
                 "r.example. 60 IN TXT \"v=spf1 redirect=%{l}.x.example\"\n");
    assert_int_equal(
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@b\303\274cher.example")->result,
        SPF_PASS);
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "\303\266@e.example");
    assert_int_equal(outcome->result, SPF_PASS);
    assert_int_equal(outcome->queries, 1); /* none of the three was asked */
    assert_int_equal(
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "\303\266@r.example")->result,
        SPF_PERMERROR);
    fixture_fini(&fixture);
}

static void mapped_addresses_are_ipv4(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "e.example. 60 IN TXT \"v=spf1 -ip6:::ffff:192.0.2.1 ip4:192.0.2.1\"\n");
    assert_int_equal(
        fixture_evaluate(&fixture, "::ffff:192.0.2.1", "h.example", "u@e.example")->result,
        SPF_PASS);
    fixture_fini(&fixture);
}

static void a_given_record_is_used(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture, "e.example. 60 IN TXT \"v=spf1 -all\"\n");
    fixture.request.record = "v=spf1 ip4:192.0.2.1";
    const struct spf_outcome *outcome =
        fixture_evaluate(&fixture, "192.0.2.1", "h.example", "u@e.example");
    assert_int_equal(outcome->result, SPF_PASS);
    assert_int_equal(fixture.dns.queries, 0);
    fixture_fini(&fixture);
}

static void a_match_beats_a_failed_mail_server(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_expect(&fixture,
                   "e.example. 60 IN TXT \"v=spf1 mx -all\"\n"
                   "e.example. 60 IN MX 1 m1.example.\ne.example. 60 IN MX 2 m2.example.\n"
                   ";!servfail m1.example\nm2.example. 60 IN A 192.0.2.1\n",
                   "u@e.example", "pass");
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_sender_takes_the_helo),
        cmocka_unit_test(what_is_no_domain_gives_none),
        cmocka_unit_test(reasons_name_the_place),
        cmocka_unit_test(term_shows_the_path),
        cmocka_unit_test(steps_tell_what_the_dns_said),
        cmocka_unit_test(explanation_is_clean_and_short),
        cmocka_unit_test(control_characters_make_no_explanation),
        cmocka_unit_test(mail_in_other_alphabets),
        cmocka_unit_test(mapped_addresses_are_ipv4),
        cmocka_unit_test(a_given_record_is_used),
        cmocka_unit_test(a_match_beats_a_failed_mail_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
