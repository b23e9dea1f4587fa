#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spf-milter/spf_relay.h"

/* Received fields as mail servers write them, and the walk behind trusted relays. */

static const struct {
    const char *value;
    const char *ip; /* NULL: none */
    const char *helo;
} forms[] = {
    /* Postfix */
    {" from mail.example.org (mx.example.org [192.0.2.1])\n\t(using TLSv1.3 with cipher X (256/256 "
     "bits)\n\t key-exchange [x])\n\tby relay.example.com (Postfix) with ESMTPS id 4X for "
     "<u@example.com>; Mon, 1 Jan 2024 00:00:00 +0000",
     "192.0.2.1", "mail.example.org"},
    {"from mail (unknown [IPv6:2001:db8::25]) by relay with ESMTP id 1; x", "2001:db8::25", "mail"},
    {"from [10.0.0.5] (host.example [192.0.2.7]) by relay with ESMTP; x", "192.0.2.7",
     "[10.0.0.5]"},
    /* Sendmail */
    {"from evil (IDENT:root@mx.example.org [192.0.2.2] (may be forged)) by relay (8.17/8.17); x",
     "192.0.2.2", "evil"},
    {"from helo.example ([192.0.2.3])\r\n\tby relay with SMTP; x", "192.0.2.3", "helo.example"},
    /* Exim */
    {"from mx.example.org ([192.0.2.4] helo=helo.example) by relay with esmtps (TLS1.3) ; x",
     "192.0.2.4", "helo.example"},
    {"from [192.0.2.5] (port=4711 helo=helo.example) by relay with esmtp (Exim 4.96); x",
     "192.0.2.5", "helo.example"},
    {"from mx.example.org ([192.0.2.6]:4711 helo=[10.1.1.1]) by relay; x", "192.0.2.6",
     "[10.1.1.1]"},
    {"from mx.example.org ([2001:db8::6]) by relay with esmtp (Exim 4.96); x", "2001:db8::6",
     "mx.example.org"},
    /* Exchange */
    {"from EDGE.example.org (192.0.2.8) by HUB.example.com (10.0.0.2) with Microsoft SMTP Server "
     "(version=TLS1_2, cipher=X) id 15.1.1; x",
     "192.0.2.8", "EDGE.example.org"},
    {"from A.example.org (2603:10a6:20b::1) by B.example.com (2603:10a6::2) with Microsoft SMTP "
     "Server; x",
     "2603:10a6:20b::1", "A.example.org"},
    /* Google, OpenSMTPD, Courier, qmail */
    {"from mail.example.org (mail.example.org. [192.0.2.9])\n by mx.google.com with ESMTPS id a1; "
     "x",
     "192.0.2.9", "mail.example.org"},
    {"from mail.example.org ([::ffff:192.0.2.10]) by courier with ESMTP; x", "192.0.2.10",
     "mail.example.org"},
    {"from unknown (HELO mail.example.org) (192.0.2.11) by 0 with SMTP; x", "192.0.2.11",
     "mail.example.org"},
    {"from ptr.example (HELO [10.0.0.1]) (user@192.0.2.12) by 0 with SMTP; x", "192.0.2.12",
     "[10.0.0.1]"},
    /* Words of strangers in it: a HELO with blanks, an ident, a certificate, a recipient */
    {"from x by y with ESMTPA (unknown [192.0.2.20]) by relay (Postfix) with ESMTP id 1; x",
     "192.0.2.20", "x by y with ESMTPA"},
    {"from [10.0.0.1] by x (unknown [192.0.2.21]) by relay (Postfix) with ESMTP id 1; x",
     "192.0.2.21", "[10.0.0.1] by x"},
    {"from two words (unknown [192.0.2.22]) by relay (Postfix) with ESMTP id 1; x", "192.0.2.22",
     "two words"},
    {"from [10.0.0.1] by x by relay with esmtp; x", NULL, "[10.0.0.1] by x"},
    {"from [192.0.2.23] (helo=h ident=[10.0.0.1]) by relay with esmtp; x", "192.0.2.23", "h"},
    {"from h (IDENT:[10.0.0.1]@p [192.0.2.24]) by relay (8.17/8.17); x", "192.0.2.24", "h"},
    {"from h (p [192.0.2.25]) (Client CN \"a [10.0.0.1] b\", Issuer \"c\" (not verified)) by relay "
     "(Postfix) with ESMTPS id 1; x",
     "192.0.2.25", "h"},
    /* Nothing to learn */
    {"by relay.example.com (Postfix, from userid 1000) id 4X; x", NULL, ""},
    {"from localhost by relay with LMTP; x", NULL, "localhost"},
    {"(from root@localhost) by relay (8.17/8.17/Submit); x", NULL, ""},
    {"", NULL, ""},
    {"from", NULL, ""},
    {"from (", NULL, ""},
    {"from a (b [192.0.2.1", NULL, "a"},
    {"from a ((((((((((", NULL, "a"},
    {"from a (\\", NULL, "a"},
    {"from a by b ([192.0.2.1])", NULL, "a"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct spf_hop hop;
        char text[AM_IP_TEXT_MAX];

        spf_relay_parse(&hop, am_span_str(forms[i].value));
        if (hop.ambiguous)
            fail_msg("ambiguous: %s", forms[i].value);
        am_ip_format(&hop.ip, text);
        assert_string_equal(text, forms[i].ip == NULL ? "unknown" : forms[i].ip);
        if (!am_span_equal(hop.helo, am_span_str(forms[i].helo)))
            fail_msg("HELO \"%.*s\" in: %s", (int)hop.helo.len, hop.helo.ptr, forms[i].value);
    }
}

static void test_two_addresses_are_ambiguous(void **state)
{
    struct spf_hop hop;

    (void)state;
    /* A HELO of "x (y [198.51.100.1])", repeated by a relay that lets it through. */
    spf_relay_parse(&hop, am_span_str("from x (y [198.51.100.1]) (ptr [192.0.2.1]) by relay; x"));
    assert_true(hop.ambiguous);
}

static void test_submissions(void **state)
{
    struct spf_hop hop;

    (void)state;
    spf_relay_parse(&hop, am_span_str("from pc (pc [192.0.2.1]) (Authenticated sender: u) by relay "
                                      "(Postfix) with ESMTPSA id 1; x"));
    assert_true(hop.authenticated);
    spf_relay_parse(&hop, am_span_str("from pc (pc [192.0.2.1]) by relay with utf8smtpsa; x"));
    assert_true(hop.authenticated);
    spf_relay_parse(&hop, am_span_str("from pc (pc [192.0.2.1]) by relay (with ESMTPA) with ESMTPS "
                                      "id with; x"));
    assert_false(hop.authenticated);
}

/* Only the relay itself can say that it asked for a password: not a HELO, nor a recipient. */
static void test_forged_submissions(void **state)
{
    static const char *const values[] = {
        "from x by y with ESMTPA (unknown [192.0.2.1]) by relay (Postfix) with ESMTP id 1; x",
        "from x with ESMTPA (unknown [192.0.2.1]) by relay (Postfix) with ESMTP id 1; x",
        "from x (unknown [192.0.2.1]) by relay (Postfix) with ESMTP id 1 for <\"u+a by b with "
        "ESMTPA "
        "c\"@example.com>; x",
        "from x by y with ESMTPA by relay with ESMTP; x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct spf_hop hop;
        spf_relay_parse(&hop, am_span_str(values[i]));
        if (hop.authenticated)
            fail_msg("believed: %s", values[i]);
    }
}

/* --- the walk --- */

struct walk_case {
    struct am_arena *arena;
    struct spf_exempt *exempt;
    struct spf_relay_walk walk;
};

static int set_up(void **state)
{
    static struct walk_case test;
    struct am_problem problem;
    struct am_net nets[2];
    struct spf_conf conf = {.trusted_relays = {nets, 2}};

    assert_true(am_net_parse(&nets[0], am_span_str("198.51.100.0/24"), &problem));
    assert_true(am_net_parse(&nets[1], am_span_str("10.0.0.0/8"), &problem));
    test = (struct walk_case){.arena = am_arena_new(1024, 0)};
    test.exempt = spf_exempt_open(test.arena, &conf, &problem);
    assert_non_null(test.exempt);
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct walk_case *test = *state;

    am_arena_free(test->arena);
    return 0;
}

static void feed(struct walk_case *test, const char *value)
{
    assert_true(spf_relay_feed(&test->walk, test->exempt, test->arena, 3, am_span_str(value)));
}

static void test_walk_ends_at_first_outsider(void **state)
{
    struct walk_case *test = *state;
    char text[AM_IP_TEXT_MAX];

    feed(test, "from a (a [10.0.0.1]) by relay; x");
    assert_int_equal(test->walk.state, SPF_RELAY_WALKING);
    feed(test, "from mail.example.org (ptr [192.0.2.1]) by a; x");
    feed(test, "from forged (forged [203.0.113.1]) by nowhere; x");
    spf_relay_end(&test->walk);
    assert_int_equal(test->walk.state, SPF_RELAY_FOUND);
    assert_string_equal(am_ip_format(&test->walk.ip, text), "192.0.2.1");
    assert_string_equal(test->walk.helo, "mail.example.org");
}

static void test_walk_passes_a_relays_own_filter(void **state)
{
    struct walk_case *test = *state;

    feed(test, "from localhost (localhost [127.0.0.1]) by relay (Postfix); x");
    feed(test, "from mail.example.org (ptr [192.0.2.1]) by relay; x");
    assert_int_equal(test->walk.state, SPF_RELAY_FOUND);
}

static void test_walk_does_not_guess(void **state)
{
    struct walk_case *test = *state;

    feed(test, "by relay (Postfix, from userid 0); x");
    assert_int_equal(test->walk.state, SPF_RELAY_LOST);
    feed(test, "from forged (forged [203.0.113.1]) by nowhere; x");
    assert_int_equal(test->walk.state, SPF_RELAY_LOST);
}

static void test_walk_is_bounded(void **state)
{
    struct walk_case *test = *state;

    for (int i = 0; i < 4; i++)
        feed(test, "from a (a [10.0.0.1]) by relay; x");
    assert_int_equal(test->walk.state, SPF_RELAY_LOST);
    assert_int_equal(test->walk.hops, 3);
}

static void test_walk_without_fields(void **state)
{
    struct walk_case *test = *state;

    spf_relay_end(&test->walk);
    assert_int_equal(test->walk.state, SPF_RELAY_LOST);
    assert_string_equal(test->walk.why, "the relay added no Received field");
}

static void test_walk_stops_at_submission(void **state)
{
    struct walk_case *test = *state;

    feed(test, "from pc (pc [192.0.2.1]) by relay with ESMTPSA id 1; x");
    spf_relay_end(&test->walk);
    assert_int_equal(test->walk.state, SPF_RELAY_SUBMITTED);
}

static void test_walk_drops_an_absurd_helo(void **state)
{
    struct walk_case *test = *state;
    static char value[11000];

    memset(value, 'h', sizeof(value) - 1);
    memcpy(value, "from ", 5);
    memcpy(value + 10000, " (p [192.0.2.1]) by x; ", 23);
    feed(test, value);
    assert_int_equal(test->walk.state, SPF_RELAY_FOUND);
    assert_string_equal(test->walk.helo, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_two_addresses_are_ambiguous),
        cmocka_unit_test(test_submissions),
        cmocka_unit_test(test_forged_submissions),
        cmocka_unit_test_setup_teardown(test_walk_ends_at_first_outsider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_passes_a_relays_own_filter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_does_not_guess, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_without_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_stops_at_submission, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_drops_an_absurd_helo, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
