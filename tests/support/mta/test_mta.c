#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/fields.h"
#include "authmilter/mta/mta.h"

static void test_fields_are_bounded(void **state)
{
    (void)state;
    struct mta_fields fields = mta_fields_of(am_span_of("\0\0\1\2abc\0de", 10));
    assert_int_equal(mta_fields_u32(&fields), 258);
    assert_string_equal(mta_fields_string(&fields), "abc");
    assert_string_equal(mta_fields_string(&fields), "");
    assert_true(fields.bad);
    assert_int_equal(mta_fields_u32(&fields), 0);

    fields = mta_fields_of(am_span_of("\0\0\1", 3));
    assert_int_equal(mta_fields_u32(&fields), 0);
    assert_true(fields.bad);
}

static void assert_block(const struct mta_header_model *model, const char *expected)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    mta_headers_print(model, &text);
    assert_string_equal(am_buf_str(&text), expected);
    am_buf_fini(&text);
}

static void test_positions_are_those_of_postfix(void **state)
{
    (void)state;
    struct mta_header_model model = {0};
    mta_headers_append(&model, "Received", " own", true);
    mta_headers_append(&model, "Received", " theirs", false);
    mta_headers_append(&model, "A", " 1", false);
    mta_headers_append(&model, "A", " 2", false);
    mta_headers_insert(&model, 1, "Below", " own");
    mta_headers_insert(&model, 0, "Top", " x");
    mta_headers_insert(&model, 99, "Last", " x");
    mta_headers_change(&model, 1, "received", " changed");
    mta_headers_change(&model, 1, "a", "");
    mta_headers_change(&model, 2, "a", "");
    mta_headers_change(&model, 0, "a", " was 2");
    mta_headers_change(&model, 7, "New", " x");
    assert_block(
        &model,
        "Top: x\nReceived: own\nBelow: own\nreceived: changed\na: was 2\nLast: x\nNew: x\n");
    mta_headers_clear(&model);
}

struct rig {
    struct mta_daemon daemon;
    struct mta_session *session;
};

static void start(struct rig *rig, const char *mode, uint32_t steps)
{
    struct am_problem problem = {""};
    assert_true(mta_daemon_prepare(&rig->daemon, &problem));
    const char *argv[] = {EDIT_MILTER, rig->daemon.socket, mode, NULL};
    if (!mta_daemon_start(&rig->daemon, argv, &problem))
        fail_msg("%s", problem.text);
    struct mta_options options = {.socket = rig->daemon.socket, .steps = steps};
    rig->session = mta_open(&options, &problem);
    if (rig->session == NULL)
        fail_msg("%s", problem.text);
    struct mta_peer peer = {"mail.example.com", '4', 25, "192.0.2.1"};
    assert_int_equal(mta_connect(rig->session, &peer).outcome, MTA_CONTINUE);
    assert_int_equal(mta_helo(rig->session, "mail.example.com").outcome, MTA_CONTINUE);
}

static void stop(struct rig *rig)
{
    mta_close(rig->session);
    assert_true(mta_daemon_stop(&rig->daemon));
    mta_daemon_discard(&rig->daemon);
}

static struct mta_reply send_message(struct mta_session *session)
{
    mta_mail(session, "<a@example.com>", NULL, 0);
    mta_rcpt(session, "<first@example.com>", NULL, 0);
    mta_rcpt(session, "<second@example.com>", NULL, 0);
    assert_int_equal(mta_rcpt(session, "<nobody@example.com>", NULL, 0).outcome, MTA_REJECT);
    mta_data(session);
    mta_header(session, "X-Old", " one");
    mta_header(session, "X-Old", "  two\n\tfolded");
    mta_eoh(session);
    mta_body(session, am_span_str("text\r\n"));
    return mta_eom(session);
}

static void check_edits(struct mta_session *session, const char *block)
{
    const struct mta_message *message = mta_message(session);
    assert_block(&message->headers, block);
    assert_int_equal(message->recipients.count, 2);
    assert_string_equal(message->recipients.items[0], "<second@example.com>");
    assert_string_equal(message->recipients.items[1], "<added@example.com>");
    assert_string_equal(message->sender, "<changed@example.com>");
    assert_string_equal(message->quarantine, "held");
    assert_string_equal(am_buf_str(&message->body), "new\r\n");
    assert_int_equal(message->progress, 1);
}

static void test_every_edit_arrives(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, NULL, 0);
    mta_set_macro(rig.session, MTA_CMD_MAIL, "{auth_authen}", "user");
    mta_set_macro(rig.session, MTA_CMD_MAIL, "{mail_addr}", "not asked for");
    for (int i = 0; i < 3; i++) {
        struct mta_reply reply = send_message(rig.session);
        assert_string_equal(reply.text, "");
        assert_int_equal(reply.outcome, MTA_ACCEPT);
        check_edits(rig.session, "X-Top: top\nReceived: by the MTA itself\nX-Old: changed\n"
                                 "X-Bottom: user\nX-New: appended\n");
    }
    stop(&rig);
}

static void test_blank_is_the_mtas_without_leading_space(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, "no-leading-space", 0);
    assert_int_equal(send_message(rig.session).outcome, MTA_ACCEPT);
    check_edits(rig.session, "X-Top:  top\nReceived: by the MTA itself\nX-Old:  changed\n"
                             "X-Bottom:  none\nX-New:  appended\n");
    stop(&rig);
}

static void test_everything_is_answered_when_nothing_is_offered(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, "no-leading-space", MTA_OFFER_NOTHING);
    assert_int_equal(mta_terms(rig.session)->steps, 0);
    assert_int_equal(send_message(rig.session).outcome, MTA_ACCEPT);
    stop(&rig);
}

static void test_verdicts_carry_their_text(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, NULL, 0);
    struct mta_reply reply = mta_mail(rig.session, "<reject@example.com>", NULL, 0);
    assert_int_equal(reply.outcome, MTA_REJECT);
    assert_string_equal(reply.text, "550 5.7.23 100% refused");
    assert_int_equal(mta_rcpt(rig.session, "<a@example.com>", NULL, 0).outcome, MTA_REJECT);
    reply = mta_mail(rig.session, "<temp@example.com>", NULL, 0);
    assert_int_equal(reply.outcome, MTA_TEMPFAIL);
    assert_string_equal(reply.text, "451 4.7.1 Service unavailable - try again later");
    mta_abort(rig.session);
    assert_int_equal(send_message(rig.session).outcome, MTA_ACCEPT);
    stop(&rig);
}

static void test_a_dead_milter_is_an_error(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, NULL, 0);
    mta_daemon_signal(&rig.daemon, 9);
    assert_true(mta_daemon_wait(&rig.daemon, 20000));
    struct mta_reply reply = mta_mail(rig.session, "<a@example.com>", NULL, 0);
    assert_int_equal(reply.outcome, MTA_ERROR);
    assert_int_not_equal(strlen(reply.text), 0);
    assert_int_equal(mta_eom(rig.session).outcome, MTA_ERROR);
    mta_drop(rig.session);
    mta_daemon_discard(&rig.daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_bounded),
        cmocka_unit_test(test_positions_are_those_of_postfix),
        cmocka_unit_test(test_every_edit_arrives),
        cmocka_unit_test(test_blank_is_the_mtas_without_leading_space),
        cmocka_unit_test(test_everything_is_answered_when_nothing_is_offered),
        cmocka_unit_test(test_verdicts_carry_their_text),
        cmocka_unit_test(test_a_dead_milter_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
