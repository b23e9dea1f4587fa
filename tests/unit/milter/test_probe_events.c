/* Every event with its data, what is asked of the MTA, and how a message can end. */

#include <stdio.h>
#include <string.h>

#include "tests/unit/milter/probe_rig.h"

#define NO_SCRUB .authres = "scrub = none add_header = no"

static void every_event_arrives_with_its_data(void **state)
{
    struct probe_rig *rig = *state;
    static const char *const mail_params[] = {"SIZE=1000", "SMTPUTF8", "BODY=8BITMIME"};
    static const char *const rcpt_params[] = {"NOTIFY=NEVER", "ORCPT=rfc822;x"};
    probe_start(rig, &(struct probe_setup){NO_SCRUB});
    struct mta_session *s = probe_open(rig, NULL);
    struct mta_peer peer = {"mail.example.com", '4', 2525, "192.0.2.1"};
    mta_set_macro(s, MTA_CMD_CONNECT, "{daemon_name}", "smtpd");
    mta_set_macro(s, MTA_CMD_MAIL, "{auth_authen}", "user");
    mta_set_macro(s, MTA_CMD_DATA, "i", "QUEUE1");
    mta_set_macro(s, MTA_CMD_EOM, "{eom}", "late");
    mta_connect(s, &peer);
    mta_helo(s, "first.example.com");
    mta_helo(s, "second.example.com");
    mta_unknown(s, "XYZZY 1");
    probe_say(s, "{probe}", "eom macro {eom}\neom macro {nothing}");
    mta_mail(s, "<\"a b\"@example.com>", mail_params, 3);
    mta_rcpt(s, "<b@example.net>", rcpt_params, 2);
    mta_set_macro(s, MTA_CMD_RCPT, "{rcpt_mailer}", "error");
    mta_rcpt(s, "<nobody@example.net>", NULL, 0);
    mta_data(s);
    mta_header(s, "Received", "  two blanks");
    mta_header(s, "X-Fold", " one\n\ttwo\r\n three");
    mta_header(s, "X-Bare", "none");
    mta_header(s, "received", "");
    mta_eoh(s);
    mta_body(s, am_span_str("one\r\n"));
    mta_body(s, am_span_str("two\r\n"));
    assert_int_equal(mta_eom(s).outcome, MTA_CONTINUE);
    probe_close(rig);
    probe_expect(rig, "1 probe connect family 4 [192.0.2.1] mail.example.com at smtpd\n"
                      "1 probe helo first.example.com\n"
                      "1 probe helo second.example.com\n"
                      "1 probe unknown XYZZY 1\n"
                      "1 probe mail <\"a b\"@example.com> \"a b\"@example.com SIZE=1000 SMTPUTF8 "
                      "BODY=8BITMIME (utf8) by user\n"
                      "1 probe rcpt b@example.net NOTIFY=NEVER ORCPT=rfc822;x\n"
                      "1 probe rcpt nobody@example.net (refused)\n"
                      "1 probe data QUEUE1\n"
                      "1 probe header Received 1 [  two blanks]\n"
                      "1 probe header X-Fold 1 [ one\\x0a\\x09two\\x0d\\x0a three]\n"
                      "1 probe header X-Bare 1 [none]\n"
                      "1 probe header received 2 []\n"
                      "1 probe eoh 4\n"
                      "1 probe body 5 [one\\x0d\\x0a]\n"
                      "1 probe body 5 [two\\x0d\\x0a]\n"
                      "1 probe eom 1\n"
                      "1 probe macro {eom}=late\n"
                      "1 probe macro {nothing}=(none)\n"
                      "1 probe msg_end after 12\n"
                      "1 probe conn_end after 16\n");
    probe_stop(rig);
}

static void every_family_of_address_is_told(void **state)
{
    struct probe_rig *rig = *state;
    static const struct {
        struct mta_peer peer;
        const char *told;
    } rows[] = {
        {{"six.example", '6', 25, "IPv6:2001:db8::1"}, "family 6 [2001:db8::1] six.example\n"},
        {{"[192.0.2.9]", '4', 25, "192.0.2.9"}, "family 4 [192.0.2.9] [192.0.2.9]\n"},
        {{"mapped", '6', 25, "IPv6:::ffff:192.0.2.1"}, "family 4 [192.0.2.1] mapped\n"},
        {{"localhost", '4', 25, "127.0.0.1"}, "family 4 [127.0.0.1] localhost local\n"},
        {{"localhost", 'L', 0, "/run/x"}, "family 0 [] localhost local\n"},
        {{"localhost", 'U', 0, ""}, "family 0 [] localhost local\n"},
    };
    probe_start(rig, &(struct probe_setup){NO_SCRUB, .probe = "wants = { connect }"});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[256];
        struct mta_session *s = probe_open(rig, NULL);
        assert_int_equal(mta_connect(s, &rows[i].peer).outcome, MTA_CONTINUE);
        probe_close(rig);
        snprintf(expected, sizeof(expected), "%zu probe connect %s%zu probe conn_end after 1\n",
                 i + 1, rows[i].told, i + 1);
        probe_expect(rig, expected);
    }
    probe_stop(rig);
}

static void assert_terms(const struct mta_session *session, uint32_t steps, uint32_t actions)
{
    const struct mta_terms *terms = mta_terms(session);
    if (terms->steps != steps || terms->actions != actions)
        fail_msg("steps %#x actions %#x, not %#x %#x", terms->steps, terms->actions, steps,
                 actions);
}

static void no_more_is_asked_than_is_needed(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){.authres = "scrub = none"});
    struct mta_session *s = probe_open(rig, NULL);
    assert_terms(s, MTA_STEP_SKIP | MTA_STEP_RCPT_REJECTED | MTA_STEP_HEADER_SPACE, MTA_ACT_ALL);
    static const char *const lists[] = {"{daemon_name} {probe}",
                                        "{tls_version}",
                                        "i {auth_authen} {probe}",
                                        "{rcpt_mailer} {probe} {rcpt_address}",
                                        "i",
                                        "i {eom} {eo}",
                                        "{eoh}"};
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(mta_terms(s)->macros[i], lists[i]);
    probe_stop(rig);

    probe_start(rig, &(struct probe_setup){.authres = "scrub = none",
                                           .probe = "wants = { mail, body, eom } "
                                                    "answers = { mail }"});
    s = probe_open(rig, NULL);
    const uint32_t few = MTA_STEP_NR_CONNECT | MTA_STEP_NR_HELO | MTA_STEP_NO_RCPT |
                         MTA_STEP_NO_DATA | MTA_STEP_NO_EOH | MTA_STEP_NO_UNKNOWN |
                         MTA_STEP_HEADER_SPACE;
    assert_terms(s, few | MTA_STEP_NO_HEADERS | MTA_STEP_NR_BODY | MTA_STEP_SKIP, MTA_ACT_ALL);
    probe_stop(rig);

    /* What only the framework needs: forged fields are removed and one field is written. */
    probe_start(rig, &(struct probe_setup){.probe = "wants = {}"});
    s = probe_open(rig, NULL);
    assert_terms(s, few | MTA_STEP_NR_MAIL | MTA_STEP_NO_BODY | MTA_STEP_NR_HEADER,
                 MTA_ACT_ADD_HEADERS | MTA_ACT_CHANGE_HEADERS | MTA_ACT_MACRO_LIST);
    assert_string_equal(mta_terms(s)->macros[0], "{daemon_name}");
    probe_stop(rig);
}

static void an_mta_of_version_2_is_served(void **state)
{
    struct probe_rig *rig = *state;
    const struct mta_options old = {.version = 2, .actions = 0x3f, .steps = 0x7f};
    probe_start(rig, &(struct probe_setup){.probe = "answers = { eom }"});
    struct mta_session *s = probe_open(rig, &old);
    assert_int_equal(mta_terms(s)->version, 2);
    assert_terms(s, 0, 0x3f);
    mta_set_macro(s, MTA_CMD_MAIL, "{probe}",
                  "body skip_body\neom add X-New there\neom change 1 Subject changed\n"
                  "eom add_rcpt <x@example.net>\neom add_rcpt <y@example.net> NOTIFY=NEVER\n"
                  "eom from <z@example.com>\neom publish x-probe pass");
    struct mta_peer peer = {"mail.example.com", '4', 2525, "192.0.2.1"};
    mta_connect(s, &peer);
    mta_helo(s, "mail.example.com");
    mta_mail(s, "<a@example.com>", NULL, 0);
    mta_rcpt(s, "<b@example.net>", NULL, 0);
    mta_header(s, "Subject", " hi");
    mta_header(s, "Authentication-Results", " mx.test; x-probe=pass");
    mta_eoh(s);
    mta_body(s, am_span_str("one\r\n"));
    mta_body(s, am_span_str("two\r\n"));
    assert_int_equal(mta_eom(s).outcome, MTA_CONTINUE);
    probe_expect_headers(s, "Authentication-Results: mx.test; x-probe=pass\n"
                            "Received: by the MTA itself\nSubject: changed\nX-New: there\n");
    assert_int_equal(mta_message(s)->recipients.count, 2);
    assert_string_equal(mta_message(s)->sender, "<a@example.com>");
    probe_close(rig);
    probe_expect(rig, "1 probe connect family 4 [192.0.2.1] mail.example.com\n"
                      "1 probe helo mail.example.com\n"
                      "1 probe mail <a@example.com> a@example.com\n"
                      "1 probe rcpt b@example.net\n"
                      "1 probe header Subject 1 [hi]\n"
                      "1 probe header Authentication-Results 1 [mx.test; x-probe=pass]\n"
                      "1 probe eoh 2\n"
                      "1 probe body 5 [one\\x0d\\x0a]\n"
                      "1 probe eom 1\n"
                      "1 probe refused add_rcpt\n"
                      "1 probe refused from\n"
                      "1 probe msg_end after 7\n"
                      "1 probe conn_end after 9\n");
    probe_wait_log(rig, "the MTA does not offer adding recipients with parameters");
    probe_wait_log(rig, "the MTA does not offer changing the sender");
    probe_stop(rig);
}

static void an_mta_that_always_waits_is_answered(void **state)
{
    struct probe_rig *rig = *state;
    /* One step of little use: libmilter takes none at all for version 1, which could skip some. */
    const struct mta_options offer = {.steps = MTA_STEP_SKIP};
    probe_start(rig, &(struct probe_setup){.probe = "wants = { mail, eom } answers = { eom }"});
    struct mta_session *s = probe_open(rig, &offer);
    assert_terms(s, 0, MTA_ACT_ALL);
    mta_set_macro(s, MTA_CMD_MAIL, "{probe}", "eom add X-New there\neom publish x-probe pass");
    struct probe_answer answer = probe_send_all(s);
    assert_string_equal(answer.stage, "");
    probe_expect_headers(s, "Authentication-Results: mx.test; x-probe=pass\n"
                            "Received: by the MTA itself\nSubject: hi\nX-New: there\n");
    probe_stop(rig);
}

static void any_choice_of_stages_gets_a_bare_message_through(void **state)
{
    struct probe_rig *rig = *state;
    static const char *const choices[] = {"data",       "rcpt, data", "mail, data, body",
                                          "data, eoh",  "body",       "header",
                                          "rcpt, body", "unknown",    "data, header"};
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        for (size_t j = 0; j < 2; j++) {
            char wants[64];
            snprintf(wants, sizeof(wants), "wants = { %s }", choices[i]);
            probe_start(rig, &(struct probe_setup){.probe = wants,
                                                   .authres = j == 0 ? "" : "scrub = none"});
            struct mta_session *s = probe_greet(rig, "");
            assert_string_equal(probe_send(s, "").stage, "");
            probe_expect_headers(s, "Authentication-Results: mx.test; none\n"
                                    "Received: by the MTA itself\n");
            assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
            probe_stop(rig);
        }
    }
}

/* --- the ends of a message --- */

static void begin(struct mta_session *session, const char *script)
{
    probe_say(session, "{probe}", script);
    mta_mail(session, "<a@example.com>", NULL, 0);
    mta_rcpt(session, "<b@example.net>", NULL, 0);
}

#define BEGUN "1 probe mail <a@example.com> a@example.com\n1 probe rcpt b@example.net\n"
#define GIVEN_UP "1 probe abort\n1 probe msg_end after 2\n"

static void a_message_ends_once_however_it_ends(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){NO_SCRUB,
                                           .probe = "wants = { connect, mail, rcpt, data, eom }"});
    struct mta_session *s = probe_greet(rig, "");
    begin(s, "");
    mta_eom(s);
    probe_expect(rig, "1 probe connect family 4 [192.0.2.1] mail.example.com\n" BEGUN
                      "1 probe eom 1\n1 probe msg_end after 3\n");
    mta_abort(s); /* Postfix sends it after a message, too */
    begin(s, "");
    mta_abort(s);
    begin(s, "");
    begin(s, ""); /* no end between two messages */
    mta_helo(s, "again.example.com");
    assert_true(mta_socket(s) >= 0); /* sends what nobody answers */
    probe_expect(rig, BEGUN GIVEN_UP BEGUN GIVEN_UP BEGUN GIVEN_UP);

    begin(s, "mail reject");
    mta_abort(s);
    begin(s, "rcpt discard");
    mta_abort(s);
    begin(s, "data accept");
    assert_int_equal(mta_data(s).outcome, MTA_ACCEPT);
    mta_abort(s);
    begin(s, "eom tempfail");
    assert_int_equal(mta_eom(s).outcome, MTA_TEMPFAIL);
    probe_expect(rig,
                 "1 probe mail <a@example.com> a@example.com\n1 probe msg_end after 1\n" BEGUN
                 "1 probe msg_end after 2\n" BEGUN "1 probe data \n1 probe msg_end after 3\n" BEGUN
                 "1 probe eom 1\n1 probe msg_end after 3\n");

    begin(s, "");
    (void)mta_socket(s);
    mta_drop(s);
    rig->session = NULL;
    probe_expect(rig, BEGUN GIVEN_UP "1 probe conn_end after 21\n");
    assert_int_equal(probe_figure(rig, "messages_open"), 0);
    assert_int_equal(probe_figure(rig, "connections_open"), 0);
    probe_stop(rig);
}

static void the_line_can_be_kept_for_another_client(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig,
                &(struct probe_setup){NO_SCRUB, .probe = "wants = { connect, mail, rcpt, eom }"});
    struct mta_session *s = probe_greet(rig, "");
    begin(s, "");
    mta_eom(s);
    /* What follows is out of our hands: libmilter 8.17 never answers another connect. */
    mta_quit_nc(s);
    probe_expect(rig, "1 probe connect family 4 [192.0.2.1] mail.example.com\n" BEGUN
                      "1 probe eom 1\n1 probe msg_end after 3\n1 probe conn_end after 4\n");
    probe_stop(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, probe_rig_set_up, probe_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_event_arrives_with_its_data),
        TEST(every_family_of_address_is_told),
        TEST(no_more_is_asked_than_is_needed),
        TEST(an_mta_of_version_2_is_served),
        TEST(an_mta_that_always_waits_is_answered),
        TEST(any_choice_of_stages_gets_a_bare_message_through),
        TEST(a_message_ends_once_however_it_ends),
        TEST(the_line_can_be_kept_for_another_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
