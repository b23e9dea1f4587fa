#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "script_module.h"

/* The life of connections and messages, and how verdicts are settled. */

static struct fixture fixture;
static struct script a, b;
static struct am_buf calls;

static int setup(void **state)
{
    (void)state;
    fixture_init(&fixture);
    am_buf_init(&calls, 0);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    am_buf_fini(&calls);
    return 0;
}

static void use_both(unsigned answers)
{
    script_add(&fixture, &script_a, &a, &calls, ALL_STAGES, answers);
    script_add(&fixture, &script_b, &b, &calls, ALL_STAGES, answers);
}

static void use_a(unsigned wants, unsigned answers)
{
    script_add(&fixture, &script_a, &a, &calls, wants, answers);
}

static enum am_verdict mail(struct am_session *session)
{
    return am_session_mail(session, "<s@example.com>", NULL, 0, false);
}

static enum am_verdict rcpt(struct am_session *session)
{
    return am_session_rcpt(session, "<r@example.org>", NULL, 0);
}

static enum am_verdict rest(struct am_session *session)
{
    assert_int_equal(am_session_data(session), AM_CONTINUE);
    assert_int_equal(am_session_header(session, "Subject", " hi"), AM_CONTINUE);
    assert_int_equal(am_session_eoh(session), AM_CONTINUE);
    assert_int_equal(am_session_body(session, am_span_str("text\r\n")), AM_CONTINUE);
    return am_session_eom(session);
}

static int64_t counted(enum am_counter which)
{
    return am_counters_read(fixture.counters, which);
}

static void a_whole_message_in_order(void **state)
{
    (void)state;
    use_both(0);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_CONTINUE);
    assert_int_equal(rcpt(session), AM_CONTINUE);
    assert_int_equal(rest(session), AM_CONTINUE);
    am_session_free(session);
    assert_string_equal(am_buf_str(&calls),
                        "a.connect\nb.connect\na.helo\nb.helo\na.mail\nb.mail\na.rcpt\nb.rcpt\n"
                        "a.data\nb.data\na.header\nb.header\na.eoh\nb.eoh\na.body\nb.body\n"
                        "a.eom\nb.eom\na.msg_end\nb.msg_end\na.conn_end\nb.conn_end\n");
    assert_int_equal(counted(AM_COUNT_MESSAGES), 1);
    assert_int_equal(counted(AM_COUNT_ACCEPTED), 1);
    assert_int_equal(counted(AM_COUNT_ABORTED), 0);
}

static void stages_nobody_wants_call_nobody(void **state)
{
    (void)state;
    use_a(AM_STAGE_EOM, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    rcpt(session);
    rest(session);
    am_session_free(session);
    assert_string_equal(am_buf_str(&calls), "a.eom\na.msg_end\na.conn_end\n");
}

static void every_way_out_ends_a_message_once(void **state)
{
    (void)state;
    use_a(AM_STAGE_ENVFROM, 0);
    struct am_session *session = fixture_connected(&fixture);
    am_session_abort(session); /* nothing open */
    mail(session);
    am_session_abort(session);
    am_session_abort(session);
    mail(session);
    mail(session); /* the next MAIL without an end */
    am_session_eom(session);
    am_session_eom(session); /* nothing open */
    mail(session);
    am_session_helo(session, "again");
    mail(session);
    am_session_free(session); /* the client is gone */
    assert_string_equal(am_buf_str(&calls), "a.mail\na.abort\na.msg_end\n"
                                            "a.mail\na.abort\na.msg_end\n"
                                            "a.mail\na.msg_end\n"
                                            "a.mail\na.abort\na.msg_end\n"
                                            "a.mail\na.abort\na.msg_end\na.conn_end\n");
    assert_int_equal(counted(AM_COUNT_ABORTED), 4);
    assert_int_equal(counted(AM_COUNT_MESSAGES), 1);
}

static void events_without_a_message_are_harmless(void **state)
{
    (void)state;
    use_a(ALL_STAGES, ALL_STAGES);
    struct am_session *session = fixture_session(&fixture);
    assert_int_equal(rcpt(session), AM_CONTINUE);
    assert_int_equal(am_session_data(session), AM_CONTINUE);
    assert_int_equal(am_session_header(session, "A", "b"), AM_CONTINUE);
    assert_int_equal(am_session_eoh(session), AM_CONTINUE);
    assert_int_equal(am_session_body(session, am_span_str("x")), AM_CONTINUE);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    am_session_free(session); /* close without connect */
    assert_string_equal(am_buf_str(&calls), "");
}

static void a_second_connect_begins_anew(void **state)
{
    (void)state;
    use_a(AM_STAGE_CONNECT, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    fixture_connect(session, "203.0.113.9");
    assert_string_equal(session->info.client_text, "203.0.113.9");
    assert_string_equal(session->info.helo, "");
    am_session_free(session);
    assert_string_equal(am_buf_str(&calls),
                        "a.connect\na.abort\na.msg_end\na.conn_end\na.connect\na.conn_end\n");
}

static void facts_of_the_connection(void **state)
{
    (void)state;
    fixture.user = "alice";
    struct am_session *session = fixture_connected(&fixture);
    assert_string_equal(session->info.client_text, "192.0.2.1");
    assert_string_equal(session->info.client_name, "client.example.com");
    assert_string_equal(session->info.helo, "client.example.com");
    assert_false(session->info.is_local);
    mail(session);
    assert_string_equal(session->info.auth_user, "alice");
    fixture.user = NULL;
    mail(session);
    assert_string_equal(session->info.auth_user, "");
    fixture_connect(session, "127.0.0.1");
    assert_true(session->info.is_local);
    am_session_connect(session, "localhost", NULL);
    assert_true(session->info.is_local);
    assert_string_equal(session->info.client_text, "");
    am_session_free(session);
}

static void facts_of_the_message(void **state)
{
    static const char *const params[] = {"SIZE=10", "smtputf8"};

    (void)state;
    use_a(AM_STAGE_ENVRCPT, 0);
    struct am_session *session = fixture_connected(&fixture);
    am_session_mail(session, "<s@example.com>", params, 2, false);
    const struct am_msg_info *info = &session->message->info;
    assert_string_equal(info->sender_text, "<s@example.com>");
    assert_memory_equal(info->sender.domain.ptr, "example.com", 11);
    assert_int_equal(info->sender_params.count, 2);
    assert_true(info->smtputf8);
    assert_string_equal(info->queue_id, "");
    rcpt(session);
    fixture.rcpt_mailer = "error";
    rcpt(session);
    fixture.rcpt_mailer = "smtp";
    rcpt(session);
    assert_int_equal(info->recipient_count, 2);
    assert_int_equal(a.rejected_rcpts, 1);
    fixture.queue_id = "4XyZ";
    am_session_data(session);
    assert_string_equal(info->queue_id, "4XyZ");
    am_session_free(session);
}

static void repeated_helo_does_not_fill_memory(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    size_t used = am_arena_used(session->arena);
    for (int i = 0; i < 10000; i++)
        am_session_helo(session, i % 2 ? "a.example" : "other.name.example");
    assert_true(am_arena_used(session->arena) <= used + 256);
    assert_string_equal(session->info.helo, "a.example");
    am_session_free(session);
}

static void a_new_helo_replaces_what_was_found(void **state)
{
    (void)state;
    a.publish_at_helo = "spf=fail";
    a.publish_at_mail = "spf=softfail";
    a.at_helo = AM_REJECT;
    use_a(ALL_STAGES, 0);
    struct am_session *session = fixture_connected(&fixture);
    a.publish_at_helo = "spf=none";
    a.at_helo = AM_CONTINUE;
    for (int i = 0; i < 2 * AM_RESULTS_MAX; i++)
        am_session_helo(session, "again.example");
    mail(session);
    assert_int_equal(session->message->results.count, 2);
    assert_string_equal(session->message->results.items[0].result, "none");
    assert_string_equal(session->message->results.items[1].result, "softfail");
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    am_session_free(session);
}

static void an_idle_connection_is_small(void **state)
{
    (void)state;
    use_a(ALL_STAGES, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    assert_null(session->message);
    assert_true(sizeof(*session) + am_arena_used(session->arena) < 1024);
    am_session_free(session);
}

static void a_verdict_is_answered_where_agreed(void **state)
{
    (void)state;
    a.at_mail = AM_REJECT;
    a.code = 550;
    a.xcode = "5.7.23";
    a.text = "100% no";
    use_both(AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_REJECT);
    assert_string_equal(fixture_sent(&fixture), "reply 550 5.7.23 100%% no\n");
    assert_null(session->message); /* neither abort nor eom follows */
    assert_int_equal(counted(AM_COUNT_REJECTED), 1);
    a.at_mail = AM_CONTINUE;
    assert_int_equal(mail(session), AM_CONTINUE);
    am_session_free(session);
}

static void a_verdict_elsewhere_waits_for_the_end(void **state)
{
    (void)state;
    a.at_mail = AM_REJECT;
    a.code = 550;
    a.text = "no";
    use_a(AM_STAGE_ENVFROM, 0);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_CONTINUE);
    assert_int_equal(rest(session), AM_REJECT);
    assert_string_equal(fixture_sent(&fixture), "reply 550  no\n");
    am_session_free(session);
}

static void a_verdict_on_the_connection_waits_for_each_message(void **state)
{
    (void)state;
    a.at_helo = AM_TEMPFAIL;
    use_a(AM_STAGE_HELO, 0);
    struct am_session *session = fixture_connected(&fixture);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mail(session), AM_CONTINUE);
        assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    }
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static void a_recipient_is_refused_alone(void **state)
{
    (void)state;
    a.at_rcpt = AM_REJECT;
    a.code = 550;
    a.text = "not you";
    use_a(AM_STAGE_ENVRCPT, AM_STAGE_ENVRCPT);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(rcpt(session), AM_REJECT);
    a.at_rcpt = AM_TEMPFAIL;
    a.code = 0;
    assert_int_equal(rcpt(session), AM_TEMPFAIL);
    a.at_rcpt = AM_CONTINUE;
    assert_int_equal(rcpt(session), AM_CONTINUE);
    assert_int_equal(session->message->info.recipient_count, 1);
    assert_int_equal(rest(session), AM_CONTINUE);
    a.at_rcpt = AM_DISCARD;
    mail(session);
    assert_int_equal(rcpt(session), AM_DISCARD);
    assert_null(session->message);
    assert_int_equal(counted(AM_COUNT_DISCARDED), 1);
    am_session_free(session);
}

static void the_most_severe_module_wins(void **state)
{
    (void)state;
    a.at_eom = AM_TEMPFAIL;
    a.code = 451;
    a.text = "later";
    b.at_eom = AM_DISCARD;
    use_both(0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_DISCARD);
    assert_string_equal(fixture_sent(&fixture), "");
    b.at_eom = AM_ACCEPT;
    mail(session);
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    am_session_free(session);
}

static void a_reply_of_the_wrong_class_is_left_out(void **state)
{
    (void)state;
    a.at_mail = AM_REJECT;
    a.code = 451;
    a.text = "later";
    use_a(AM_STAGE_ENVFROM, AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_REJECT);
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static void after_reject_nobody_is_asked(void **state)
{
    (void)state;
    a.at_mail = AM_REJECT;
    use_both(AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    am_buf_clear(&calls);
    mail(session);
    assert_string_equal(am_buf_str(&calls), "a.mail\na.msg_end\nb.msg_end\n");
    am_session_free(session);
}

static void quarantine_waits_and_loses_to_worse(void **state)
{
    (void)state;
    a.at_mail = AM_QUARANTINE;
    a.quarantine = "looks\r\nbad";
    use_both(ALL_STAGES);
    struct am_session *session = fixture_connected(&fixture);
    fixture.authres.add_header = false;
    assert_int_equal(mail(session), AM_CONTINUE);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture), "quarantine looks??bad\n");
    assert_int_equal(counted(AM_COUNT_QUARANTINED), 1);
    fixture_forget(&fixture);
    b.at_eom = AM_TEMPFAIL;
    mail(session);
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static void done_and_skip_body(void **state)
{
    (void)state;
    a.at_mail = AM_DONE;
    b.at_body = AM_SKIP_BODY;
    use_both(AM_STAGE_BODY);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_buf_clear(&calls);
    rcpt(session);
    assert_int_equal(am_session_body(session, am_span_str("x")), AM_SKIP_BODY);
    assert_int_equal(am_session_body(session, am_span_str("x")), AM_SKIP_BODY); /* was on its way */
    am_session_eom(session);
    assert_string_equal(am_buf_str(&calls), "b.rcpt\nb.body\nb.eom\na.msg_end\nb.msg_end\n");
    am_session_free(session);
}

static void one_skip_of_two_goes_on(void **state)
{
    (void)state;
    a.at_body = AM_SKIP_BODY;
    use_both(AM_STAGE_BODY);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_buf_clear(&calls);
    assert_int_equal(am_session_body(session, am_span_str("x")), AM_CONTINUE);
    assert_int_equal(am_session_body(session, am_span_str("x")), AM_CONTINUE);
    assert_string_equal(am_buf_str(&calls), "a.body\nb.body\nb.body\n");
    am_session_free(session);
}

static void accept_still_scrubs_and_writes(void **state)
{
    (void)state;
    a.at_mail = AM_ACCEPT;
    use_both(AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_CONTINUE);
    am_buf_clear(&calls);
    am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(am_buf_str(&calls), "a.msg_end\nb.msg_end\n");
    assert_string_equal(fixture_sent(&fixture),
                        "delete 1 Authentication-Results\n"
                        "insert 0 Authentication-Results: mx.example.org; none\n");
    am_session_free(session);
}

static void accept_is_passed_on_when_nothing_is_left(void **state)
{
    (void)state;
    fixture.authres.scrub = AM_SCRUB_NONE;
    a.at_mail = AM_ACCEPT;
    use_a(AM_STAGE_ENVFROM, AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_ACCEPT);
    assert_null(session->message);
    assert_int_equal(counted(AM_COUNT_ACCEPTED), 1);
    am_session_free(session);
}

static void accept_of_a_connection(void **state)
{
    (void)state;
    a.at_connect = AM_ACCEPT;
    use_a(ALL_STAGES, ALL_STAGES);
    struct am_session *session = fixture_connected(&fixture); /* scrubbing: not passed on */
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(am_buf_str(&calls), "a.connect\na.msg_end\n");
    am_session_free(session);
    fixture.authres.scrub = AM_SCRUB_NONE;
    session = fixture_session(&fixture);
    assert_int_equal(fixture_connect(session, "192.0.2.1"), AM_ACCEPT);
    am_session_free(session);
}

static void accept_of_a_helo_ends_with_it(void **state)
{
    (void)state;
    a.at_helo = AM_ACCEPT;
    use_a(AM_STAGE_HELO | AM_STAGE_ENVFROM, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.at_helo = AM_CONTINUE;
    am_session_helo(session, "other.example");
    mail(session);
    assert_string_equal(am_buf_str(&calls), "a.helo\na.abort\na.msg_end\na.helo\na.mail\n");
    am_session_free(session);
}

static void observe_mode_changes_nothing(void **state)
{
    (void)state;
    a.at_mail = AM_REJECT;
    a.code = 550;
    a.text = "no";
    b.observe = "would have";
    use_both(AM_STAGE_ENVFROM);
    fixture.modules[0].observe = true;
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(mail(session), AM_CONTINUE);
    assert_string_equal(session->message->observed, "a:reject no; b:reject would have");
    assert_int_equal(counted(AM_COUNT_OBSERVED), 2);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_int_equal(counted(AM_COUNT_ACCEPTED), 1);
    fixture.modules[0].observe = false;
    fixture.milter.observe = true;
    b.observe = NULL;
    assert_int_equal(mail(session), AM_CONTINUE);
    am_session_free(session);
}

static void observed_verdicts_of_many_recipients_take_little_memory(void **state)
{
    (void)state;
    a.at_rcpt = AM_REJECT;
    a.code = 550;
    a.text = "a refusal with some words that explain it to people";
    use_a(AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT, AM_STAGE_ENVRCPT);
    fixture.modules[0].observe = true;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(am_session_rcpt(session, "<u@example.org>", NULL, 0), AM_CONTINUE);
    assert_int_equal(counted(AM_COUNT_OBSERVED), 5000);
    assert_in_range(strlen(session->message->observed), 2000, 2200);
    /* Each verdict takes its reply; the list of all must not take that much again. */
    assert_in_range(am_arena_used(session->message->arena), 0, (size_t)8 << 20);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    am_session_free(session);
}

static void unknown_commands_can_be_refused(void **state)
{
    (void)state;
    a.at_unknown = AM_REJECT;
    a.code = 500;
    a.xcode = "5.5.1";
    a.text = "what?";
    use_a(AM_STAGE_UNKNOWN, AM_STAGE_UNKNOWN);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_unknown(session, "XYZZY"), AM_REJECT);
    assert_string_equal(fixture_sent(&fixture), "reply 500 5.5.1 what?\n");
    assert_non_null(session->message);
    am_session_free(session);
}

static void a_stopping_program_takes_no_message(void **state)
{
    (void)state;
    use_a(ALL_STAGES, AM_STAGE_ENVFROM);
    struct am_session *session = fixture_connected(&fixture);
    am_buf_clear(&calls);
    assert_int_equal(am_session_mail(session, "<a@b.example>", NULL, 0, true), AM_TEMPFAIL);
    assert_string_equal(am_buf_str(&calls), "a.msg_end\n");
    assert_memory_equal(fixture_sent(&fixture), "reply 451 4.3.2 ", 16);
    session->agreement.answered = AM_STAGE_EOM;
    assert_int_equal(am_session_mail(session, "<a@b.example>", NULL, 0, true), AM_CONTINUE);
    assert_int_equal(counted(AM_COUNT_MESSAGES_OPEN), 0); /* nobody waits for it */
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    am_session_free(session);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_message_in_order),
        TEST(stages_nobody_wants_call_nobody),
        TEST(every_way_out_ends_a_message_once),
        TEST(events_without_a_message_are_harmless),
        TEST(a_second_connect_begins_anew),
        TEST(facts_of_the_connection),
        TEST(facts_of_the_message),
        TEST(repeated_helo_does_not_fill_memory),
        TEST(a_new_helo_replaces_what_was_found),
        TEST(an_idle_connection_is_small),
        TEST(a_verdict_is_answered_where_agreed),
        TEST(a_verdict_elsewhere_waits_for_the_end),
        TEST(a_verdict_on_the_connection_waits_for_each_message),
        TEST(a_recipient_is_refused_alone),
        TEST(the_most_severe_module_wins),
        TEST(a_reply_of_the_wrong_class_is_left_out),
        TEST(after_reject_nobody_is_asked),
        TEST(quarantine_waits_and_loses_to_worse),
        TEST(done_and_skip_body),
        TEST(one_skip_of_two_goes_on),
        TEST(accept_still_scrubs_and_writes),
        TEST(accept_is_passed_on_when_nothing_is_left),
        TEST(accept_of_a_connection),
        TEST(accept_of_a_helo_ends_with_it),
        TEST(observe_mode_changes_nothing),
        TEST(observed_verdicts_of_many_recipients_take_little_memory),
        TEST(unknown_commands_can_be_refused),
        TEST(a_stopping_program_takes_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
