/* Every verdict at every stage, replies, failures and budgets: what the MTA is told. */

#include <stdio.h>
#include <string.h>

#include "tests/unit/milter/probe_rig.h"

/* Nothing that keeps a message from being over at once. */
#define BARE .authres = "scrub = none add_header = no"

static const char *const stages[] = {"connect", "helo",   "mail", "rcpt", "unknown",
                                     "data",    "header", "eoh",  "body", "eom"};
#define STAGE_COUNT (sizeof(stages) / sizeof(stages[0]))

static bool is(const char *word, const char *other)
{
    return strcmp(word, other) == 0;
}

/* What the MTA must be told, when it waits at every stage. */
struct expected {
    const char *stage; /* of the first answer; "" */
    enum mta_outcome outcome, end;
    bool held;
};

static struct expected expect_where_it_waits(const char *stage, const char *verdict)
{
    const struct expected nothing = {"", MTA_CONTINUE, MTA_CONTINUE, false};
    bool of_connection = is(stage, "connect") || is(stage, "helo");
    bool of_command = is(stage, "unknown");
    if (is(verdict, "reject") || is(verdict, "tempfail")) {
        enum mta_outcome outcome = is(verdict, "reject") ? MTA_REJECT : MTA_TEMPFAIL;
        return (struct expected){stage, outcome, is(stage, "eom") ? outcome : MTA_CONTINUE, false};
    }
    if (of_command)
        return nothing;
    if (is(verdict, "discard") && (of_connection || is(stage, "eom")))
        return (struct expected){"eom", MTA_DISCARD, MTA_DISCARD, false};
    if (is(verdict, "discard"))
        return (struct expected){stage, MTA_DISCARD, MTA_CONTINUE, false};
    if (is(verdict, "accept") && !is(stage, "eom"))
        return (struct expected){stage, MTA_ACCEPT, MTA_CONTINUE, false};
    if (is(verdict, "quarantine"))
        return (struct expected){"", MTA_CONTINUE, MTA_CONTINUE, true};
    return nothing;
}

/* The same when the MTA waits nowhere but at the end. */
static struct expected expect_at_the_end(const char *stage, const char *verdict)
{
    enum mta_outcome end = is(verdict, "reject")     ? MTA_REJECT
                           : is(verdict, "tempfail") ? MTA_TEMPFAIL
                           : is(verdict, "discard")  ? MTA_DISCARD
                                                     : MTA_CONTINUE;
    if (is(stage, "unknown"))
        end = MTA_CONTINUE;
    return (struct expected){end == MTA_CONTINUE ? "" : "eom", end, end,
                             is(verdict, "quarantine") && !is(stage, "unknown")};
}

static void check_all(struct probe_rig *rig,
                      struct expected (*expect)(const char *stage, const char *verdict))
{
    static const char *const verdicts[] = {"continue", "done",       "skip_body",
                                           "accept",   "quarantine", "tempfail",
                                           "discard",  "reject",     "fail"};
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        for (size_t j = 0; j < sizeof(verdicts) / sizeof(verdicts[0]); j++) {
            char script[64];
            snprintf(script, sizeof(script), "%s %s", stages[i], verdicts[j]);
            struct mta_session *s = probe_open(rig, NULL);
            mta_set_macro(s, MTA_CMD_CONNECT, "{probe}", script);
            struct probe_answer answer = probe_send_all(s);
            struct expected told = expect(stages[i], verdicts[j]);
            bool held = mta_message(s)->quarantine != NULL;
            if (!is(answer.stage, told.stage) || answer.outcome != told.outcome ||
                answer.end != told.end || held != told.held)
                fail_msg("%s: at \"%s\" %s, end %s%s; not \"%s\" %s, end %s%s", script,
                         answer.stage, mta_outcome_word(answer.outcome),
                         mta_outcome_word(answer.end), held ? ", held" : "", told.stage,
                         mta_outcome_word(told.outcome), mta_outcome_word(told.end),
                         told.held ? ", held" : "");
        }
    }
    probe_close(rig);
    probe_wait_trace(rig, "90 probe conn_end");
    assert_int_equal(probe_trace_count(rig, "conn_end"), probe_trace_count(rig, " connect "));
    /* A message of an accepted connection has an end, but nobody is asked about it. */
    size_t unasked = expect == expect_at_the_end ? 2 : 0;
    assert_int_equal(probe_trace_count(rig, "msg_end"), probe_trace_count(rig, " mail ") + unasked);
    assert_int_equal(probe_trace_count(rig, "not its own"), 0);
}

static void every_verdict_at_every_stage(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE});
    check_all(rig, expect_where_it_waits);
    probe_stop(rig);
}

static void where_nobody_answers_verdicts_wait_for_the_end(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE, .probe = "answers = {}"});
    check_all(rig, expect_at_the_end);
    probe_stop(rig);
}

static void done_and_skip_spare_calls(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}", "rcpt done");
    probe_send(s, "Subject: hi|");
    probe_say(s, "{probe}", "body skip_body");
    probe_send(s, "");
    /* What is not MAIL's own counts for the message only. */
    probe_expect(rig, "1 probe connect family 4 [192.0.2.1] mail.example.com\n"
                      "1 probe helo mail.example.com\n"
                      "1 probe mail <a@example.com> a@example.com SIZE=1000\n"
                      "1 probe rcpt b@example.net\n"
                      "1 probe unknown XYZZY\n"
                      "1 probe msg_end after 3\n"
                      "1 probe mail <a@example.com> a@example.com SIZE=1000\n"
                      "1 probe rcpt b@example.net\n"
                      "1 probe rcpt c@example.net\n"
                      "1 probe unknown XYZZY\n"
                      "1 probe data QUEUE1\n"
                      "1 probe eoh 0\n"
                      "1 probe body 5 [one\\x0d\\x0a]\n"
                      "1 probe eom 2\n"
                      "1 probe msg_end after 8\n");
    probe_stop(rig);
}

static void accept_still_removes_forged_fields(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){0});
    struct mta_session *s = probe_greet(rig, "connect accept");
    struct probe_answer answer =
        probe_send(s, "Authentication-Results: mx.test; x-probe=pass|Subject: hi|");
    assert_string_equal(answer.stage, "");
    probe_expect_headers(s, "Authentication-Results: mx.test; none\n"
                            "Received: by the MTA itself\nSubject: hi\n");
    assert_int_equal(probe_trace_count(rig, " probe mail "), 0);
    assert_int_equal(probe_figure(rig, "forged_fields_removed_total"), 1);
    probe_stop(rig);
}

static void replies_are_what_the_module_says(void **state)
{
    struct probe_rig *rig = *state;
    static const struct {
        const char *script, *text;
    } rows[] = {
        {"data reply 550 5.7.23 100% of %s\ndata reject", "550 5.7.23 100% of %s"},
        {"data reply 451 4.7.24 later\ndata tempfail", "451 4.7.24 later"},
        {"data reply 554 - no code\ndata reject", "554 no code"},
        {"data reply 550 5.7.1 one\\ntwo%\\nthree\ndata reject",
         "550-5.7.1 one\r\n550-5.7.1 two%\r\n550 5.7.1 three"},
        {"data reply 550 5.7.1 a\\r\\nb\\rc\ndata reject", "550-5.7.1 a\r\n550 5.7.1 b?c"},
        {"eom reply 550 5.7.1 \xc3\xa9\neom reject", "550 5.7.1 ??"},
        /* Code, enhanced code and verdict must be of one class. */
        {"data reply 451 4.7.1 later\ndata reject", "550 5.7.1 Command rejected"},
        {"data reply 550 5.7.1 never\ndata tempfail",
         "451 4.7.1 Service unavailable - try again later"},
        {"data reply 550 4.7.1 x\ndata reject", "550 5.7.1 Command rejected"},
        {"data reply 250 2.0.0 x\ndata reject", "550 5.7.1 Command rejected"},
        /* A reply of an earlier stage is none of this one's. */
        {"rcpt reply 550 5.7.9 old\ndata reject", "550 5.7.1 Command rejected"},
    };
    probe_start(rig, &(struct probe_setup){BARE});
    struct mta_session *s = probe_greet(rig, "");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        probe_say(s, "{probe}", rows[i].script);
        assert_string_equal(probe_send(s, "").text, rows[i].text);
        mta_abort(s);
    }
    probe_say(s, "{probe}", "connect continue");
    assert_string_equal(probe_send(s, "").text, "");
    probe_wait_log(rig, "reply 451 does not go with reject; the default is used");
    probe_wait_log(rig, "reply 550 4.7.1 does not fit together; the default is used");
    probe_stop(rig);

    /* Kept until the end of the message, a reply is kept, too. */
    probe_start(rig, &(struct probe_setup){BARE, .probe = "answers = {}"});
    s = probe_greet(rig, "helo reply 554 5.7.9 not you\nhelo reject");
    struct probe_answer answer = probe_send(s, "");
    assert_string_equal(answer.stage, "eom");
    assert_string_equal(answer.text, "554 5.7.9 not you");
    probe_wait_decision(
        rig, "action=reject module=probe stage=helo code=554 xcode=5.7.9 why=\"not you\"");
    probe_stop(rig);
}

static void a_refused_recipient_is_one_of_many(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE, .second = "wants = { rcpt }"});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}", "");
    probe_say(s, "{second}", "");
    mta_mail(s, "<a@example.com>", NULL, 0);
    mta_rcpt(s, "<good@example.net>", NULL, 0);
    /* Macros of the step itself stand above those of MAIL. */
    mta_set_macro(s, MTA_CMD_RCPT, "{probe}", "rcpt reply 550 5.1.1 nobody\nrcpt reject");
    struct mta_reply reply = mta_rcpt(s, "<bad@example.net>", NULL, 0);
    assert_int_equal(reply.outcome, MTA_REJECT);
    assert_string_equal(reply.text, "550 5.1.1 nobody");
    mta_set_macro(s, MTA_CMD_RCPT, "{probe}", "");
    mta_set_macro(s, MTA_CMD_RCPT, "{rcpt_mailer}", "error");
    mta_rcpt(s, "<refused@example.net>", NULL, 0);
    mta_set_macro(s, MTA_CMD_RCPT, "{rcpt_mailer}", "smtp");
    mta_rcpt(s, "<last@example.net>", NULL, 0);
    assert_int_equal(mta_eom(s).outcome, MTA_CONTINUE);
    probe_wait_trace(rig, "probe eom 2\n");
    /* Only who asked for them sees recipients that the MTA refused. */
    assert_int_equal(probe_trace_count(rig, "probe rcpt refused@example.net (refused)"), 1);
    assert_int_equal(probe_trace_count(rig, "second rcpt refused"), 0);
    assert_int_equal(probe_trace_count(rig, "second rcpt "), 3);
    probe_wait_decision(rig, "rcpts=2 rcpts_refused=1 action=accept");
    probe_stop(rig);
}

/* --- failures --- */

static void a_failure_has_the_action_of_on_failure(void **state)
{
    struct probe_rig *rig = *state;
    static const struct {
        const char *option, *action;
        enum mta_outcome end;
        const char *text;
    } rows[] = {
        {"on_failure = accept", "action=accept ", MTA_CONTINUE, ""},
        {"on_failure = tempfail", "action=tempfail ", MTA_TEMPFAIL,
         "451 4.3.0 A mail check could not be completed, try again later"},
        {"on_failure = reject", "action=reject ", MTA_REJECT,
         "554 5.3.0 A mail check could not be completed"},
        {"on_failure = quarantine", "action=quarantine ", MTA_CONTINUE, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char options[128];
        snprintf(options, sizeof(options), "%s message_budget = 100ms", rows[i].option);
        probe_start(rig, &(struct probe_setup){.milter = options});
        struct mta_session *s = probe_greet(rig, "");
        static const char *const scripts[] = {"eom fail", "eom sleep 700", "header sleep 700",
                                              "eoh fail\neom publish x-probe pass"};
        for (size_t j = 0; j < 4; j++) {
            bool late = strstr(scripts[j], "sleep") != NULL;
            probe_say(s, "{probe}", scripts[j]);
            struct probe_answer answer = probe_send(s, "Subject: hi|");
            assert_int_equal(answer.outcome, rows[i].end);
            assert_string_equal(answer.text, rows[i].text);
            probe_wait_decision(rig, rows[i].action);
            probe_wait_decision(rig, "results=\"x-probe=temperror\" ");
            probe_wait_decision(rig, late ? "time budget exceeded" : "internal failure");
            if (rows[i].end == MTA_CONTINUE)
                probe_expect_headers(
                    s, late ? "Authentication-Results: mx.test;\n x-probe=temperror "
                              "reason=\"time budget exceeded\"\nReceived: by the MTA itself\n"
                              "Subject: hi\n"
                            : "Authentication-Results: mx.test; x-probe=temperror "
                              "reason=\"internal failure\"\nReceived: by the MTA itself\n"
                              "Subject: hi\n");
            bool held = mta_message(s)->quarantine != NULL;
            assert_int_equal(held, i == 3);
            mta_abort(s);
        }
        assert_int_equal(probe_figure(rig, "failures_total"), 4);
        /* The next message is none the worse for it. */
        probe_say(s, "{probe}", "eom publish x-probe pass");
        assert_string_equal(probe_send(s, "").stage, "");
        probe_wait_decision(rig, "action=accept results=\"x-probe=pass\"");
        probe_stop(rig);
    }
}

static void a_failure_at_one_recipient_covers_the_others(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE, .milter = "on_failure = tempfail"});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}", "rcpt fail");
    struct probe_answer answer = probe_send(s, "");
    assert_string_equal(answer.stage, "rcpt");
    assert_int_equal(answer.outcome, MTA_TEMPFAIL);
    assert_int_equal(answer.end, MTA_TEMPFAIL);
    probe_stop(rig);
}

static void a_failure_of_the_connection_marks_its_messages(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){.milter = "connect_budget = 100ms"});
    struct mta_session *s = probe_greet(rig, "connect sleep 700");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(probe_send(s, "").stage, "");
        probe_expect_headers(s, "Authentication-Results: mx.test;\n x-probe=temperror "
                                "reason=\"time budget exceeded\"\nReceived: by the MTA itself\n");
    }
    probe_wait_log(rig, "probe: failed at connect: time budget exceeded");
    probe_stop(rig);
}

/* --- observe mode and two modules --- */

static void observe_mode_only_says(void **state)
{
    struct probe_rig *rig = *state;
    static const char *const modes[] = {"observe = yes", "observe_modules = { probe }"};
    for (size_t i = 0; i < 2; i++) {
        probe_start(rig, &(struct probe_setup){.milter = modes[i]});
        struct mta_session *s = probe_greet(
            rig, "helo reject\nmail reply 550 5.7.1 no way\nmail reject\nrcpt tempfail\n"
                 "data discard\nheader accept\neoh quarantine\neom change 1 Subject other\n"
                 "eom delete_rcpt <b@example.net>\neom body none\neom add X-New there\n"
                 "eom publish x-probe fail\neom reject");
        struct probe_answer answer = probe_send(s, "Subject: hi|");
        assert_string_equal(answer.stage, "");
        probe_expect_headers(s, "Authentication-Results: mx.test; x-probe=fail\n"
                                "Received: by the MTA itself\nSubject: hi\nX-New: there\n");
        assert_null(mta_message(s)->quarantine);
        assert_false(mta_message(s)->body_replaced);
        assert_int_equal(mta_message(s)->recipients.count, 2);
        probe_wait_log(rig, "observed only: would reject at helo");
        probe_wait_log(rig, "changing a header field held back: observe mode");
        probe_wait_decision(
            rig, "action=accept results=\"x-probe=fail\" observed=\"probe:reject no way; "
                 "probe:tempfail; probe:tempfail; probe:discard; probe:accept; "
                 "probe:quarantine; probe:reject\"");
        /* helo, seven of the message, three edits */
        assert_int_equal(probe_figure(rig, "observed_total"), 11);
        assert_int_equal(probe_figure(rig, "rejected_total"), 0);
        probe_stop(rig);
    }
}

static void the_most_severe_of_two_modules_wins(void **state)
{
    struct probe_rig *rig = *state;
    /* From mild to severe. */
    static const struct {
        const char *verdict, *action;
        enum mta_outcome end;
    } rows[] = {
        {"continue", "action=accept ", MTA_CONTINUE},
        {"accept", "action=accept ", MTA_CONTINUE},
        {"quarantine", "action=quarantine ", MTA_CONTINUE},
        {"tempfail", "action=tempfail ", MTA_TEMPFAIL},
        {"discard", "action=discard ", MTA_DISCARD},
        {"reject", "action=reject ", MTA_REJECT},
    };
    probe_start(rig, &(struct probe_setup){.second = "wants = { eom }"});
    struct mta_session *s = probe_greet(rig, "");
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            char first[64], second[64], stage[64];
            size_t worst = i > j ? i : j;
            snprintf(first, sizeof(first), "eom %s", rows[i].verdict);
            snprintf(second, sizeof(second), "eom %s", rows[j].verdict);
            probe_say(s, "{probe}", first);
            probe_say(s, "{second}", second);
            assert_int_equal(probe_send(s, "").end, rows[worst].end);
            assert_int_equal(mta_message(s)->quarantine != NULL, worst == 2);
            probe_wait_decision(rig, rows[worst].action);
            snprintf(stage, sizeof(stage), "module=%s ", j > i ? "second" : "probe");
            if (worst > 0)
                probe_wait_decision(rig, stage);
            mta_abort(s);
        }
    }
    probe_stop(rig);
}

static void results_are_combined_in_order(void **state)
{
    struct probe_rig *rig = *state;
    static const char *const headers[] = {
        "Authentication-Results: mx.test; x-probe=pass; x-second=fail; x-probe=none\n"
        "Received: by the MTA itself\n",
        "Authentication-Results: mx.test; x-probe=pass; x-probe=none\n"
        "Authentication-Results: mx.test; x-second=fail\nReceived: by the MTA itself\n"};
    for (size_t i = 0; i < 2; i++) {
        probe_start(rig, &(struct probe_setup){.authres = i == 0 ? "" : "combine = no",
                                               .probe = "wants = { mail, eom }",
                                               .second = "wants = { data }"});
        struct mta_session *s = probe_greet(rig, "");
        probe_say(s, "{probe}", "mail publish x-probe pass\neom publish x-probe none");
        probe_say(s, "{second}", "data results\ndata publish x-second fail");
        assert_string_equal(probe_send(s, "").stage, "");
        probe_wait_trace(rig, "1 second sees x-probe=pass of probe\n");
        probe_expect_headers(s, headers[i]);
        probe_stop(rig);
    }
}

static void what_modules_say_is_logged_and_counted(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){BARE});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}",
              "data note Two-Words a \\n\"b\neom count x\neom count x\n"
              "eom observe because");
    assert_string_equal(probe_send(s, "").stage, "");
    probe_wait_decision(rig, "observed=\"probe:reject because\" probe_two_words=");
    assert_int_equal(probe_figure(rig, "observed_total"), 1);
    probe_stop(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, probe_rig_set_up, probe_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_verdict_at_every_stage),
        TEST(where_nobody_answers_verdicts_wait_for_the_end),
        TEST(done_and_skip_spare_calls),
        TEST(accept_still_removes_forged_fields),
        TEST(replies_are_what_the_module_says),
        TEST(a_refused_recipient_is_one_of_many),
        TEST(a_failure_has_the_action_of_on_failure),
        TEST(a_failure_at_one_recipient_covers_the_others),
        TEST(a_failure_of_the_connection_marks_its_messages),
        TEST(observe_mode_only_says),
        TEST(the_most_severe_of_two_modules_wins),
        TEST(results_are_combined_in_order),
        TEST(what_modules_say_is_logged_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
