/* Every edit of a message over the real socket, and those that are refused. */

#include <string.h>

#include "tests/unit/milter/probe_rig.h"

static void fields_keep_their_numbers(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){.probe = "wants = { mail, eom }"});
    struct mta_session *s = probe_greet(rig, "");
    /* One of the fields is deleted as forged in the same message. */
    probe_say(s, "{probe}",
              "eom delete 1 X-A\neom change 2 x-a second, changed\n"
              "eom change 3 X-A to be overruled\neom delete 3 X-A\n"
              "eom change 2 Authentication-Results other.test; changed\n"
              "eom change 1 Received first that came in\n"
              "eom insert 1 X-Below-Own one\neom insert 0 X-Top two\\n\tfolded\n"
              "eom add X-Last three\neom add X-Empty \n"
              "eom change 9 X-Absent appended\neom delete 9 X-Absent-Too");
    struct probe_answer answer =
        probe_send(s, "Received: before us|X-A: 1|Authentication-Results: mx.test; x-probe=pass|"
                      "X-A: 2|Authentication-Results: other.test; none|X-A: 3|X-A: 4|");
    assert_string_equal(answer.stage, "");
    probe_expect_headers(s, "Authentication-Results: mx.test; none\n"
                            "X-Top: two\n\tfolded\n"
                            "Received: by the MTA itself\n"
                            "X-Below-Own: one\n"
                            "Received: first that came in\n"
                            "x-a: second, changed\n"
                            "Authentication-Results: other.test; changed\n"
                            "X-A: 4\n"
                            "X-Absent: appended\n"
                            "X-Last: three\n"
                            "X-Empty:\n");
    probe_stop(rig);
}

static void fields_are_the_same_without_leading_blanks(void **state)
{
    struct probe_rig *rig = *state;
    const struct mta_options offer = {.steps = MTA_STEP_ALL & ~MTA_STEP_HEADER_SPACE};
    probe_start(rig, &(struct probe_setup){.authres = "add_header = no",
                                           .probe = "wants = { mail, header, eom }"});
    struct mta_session *s = probe_open(rig, &offer);
    mta_set_macro(s, MTA_CMD_CONNECT, "{probe}",
                  "eom add X-New there\neom insert 0 X-Top fold\\n more\neom change 1 X-A new");
    assert_string_equal(probe_send_all(s).stage, "");
    probe_wait_trace(rig, "1 probe header Subject 1 [hi]\n");
    probe_expect_headers(s, "X-Top: fold\n more\nReceived: by the MTA itself\nSubject: hi\n"
                            "X-A: new\nX-New: there\n");
    probe_stop(rig);
}

static void envelope_and_body_are_edited(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){.probe = "wants = { mail, rcpt, eom }"});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}",
              "eom add_rcpt <x@example.net>\n"
              "eom add_rcpt <y@example.net> NOTIFY=NEVER ORCPT=rfc822;y\n"
              "eom delete_rcpt <b@example.net>\neom delete_rcpt <absent@example.net>\n"
              "eom from <new@example.com> SIZE=5\neom progress\n"
              "eom body new \neom body text\\r\\n\n"
              "eom hold look at this\neom hold too late\neom quarantine");
    assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
    const struct mta_message *message = mta_message(s);
    assert_int_equal(message->recipients.count, 3);
    assert_string_equal(message->recipients.items[0], "<c@example.net>");
    assert_string_equal(message->recipients.items[1], "<x@example.net>");
    assert_string_equal(message->recipients.items[2], "<y@example.net>");
    assert_string_equal(message->sender, "<new@example.com>");
    assert_string_equal(message->sender_params, "SIZE=5");
    assert_string_equal(am_buf_str(&message->body), "new text\r\n");
    assert_string_equal(message->quarantine, "look at this");
    assert_int_equal(message->progress, 1);

    /* The next message has none of it; a body can be longer than a packet, or empty. */
    probe_say(s, "{probe}", "eom big_body 200000\neom from <>");
    assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
    assert_int_equal(message->body.len, 200000);
    assert_int_equal(message->recipients.count, 2);
    assert_string_equal(message->sender, "<>");
    assert_null(message->quarantine);
    probe_say(s, "{probe}", "eom body ");
    assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
    assert_true(message->body_replaced);
    assert_int_equal(message->body.len, 0);
    probe_stop(rig);
}

static void a_refused_message_is_not_edited(void **state)
{
    struct probe_rig *rig = *state;
    probe_start(rig, &(struct probe_setup){.probe = "wants = { mail, eom }"});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{probe}", "eom add X-New there\neom body new\neom quarantine\neom tempfail");
    assert_string_equal(probe_send(s, "Subject: hi|").stage, "eom");
    probe_expect_headers(s, "Received: by the MTA itself\nSubject: hi\n");
    assert_false(mta_message(s)->body_replaced);
    assert_null(mta_message(s)->quarantine);
    probe_stop(rig);
}

static void misuse_is_refused(void **state)
{
    struct probe_rig *rig = *state;
    static const char *const scripts[] = {"eom add X-New one\\r\\nBcc: x",
                                          "eom add X-New one\\nBcc: x",
                                          "eom add X-New one\\n ",
                                          "eom add X:New one",
                                          "eom change 0 Subject x",
                                          "eom change 1 Subject ",
                                          "eom insert 0 X\\nY one",
                                          "eom delete 0 Subject",
                                          "eom add_rcpt <x\\n@y>",
                                          "eom add_rcpt <x@y> NOTIFY\\r\\n",
                                          "eom from <x\\ry>",
                                          "eom delete_rcpt "};
    static const char *const undeclared[] = {"eom change 1 Subject x",
                                             "eom delete 1 Subject",
                                             "eom add_rcpt <x@y>",
                                             "eom add_rcpt <x@y> A=B",
                                             "eom delete_rcpt <b@example.net>",
                                             "eom from <x@y>",
                                             "eom body x"};
    probe_start(
        rig, &(struct probe_setup){.probe = "wants = { mail, eom }", .second = "wants = { eom }"});
    struct mta_session *s = probe_greet(rig, "");
    probe_say(s, "{second}", "");
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        probe_say(s, "{probe}", scripts[i]);
        assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
        probe_expect_headers(s, "Authentication-Results: mx.test; none\n"
                                "Received: by the MTA itself\nSubject: hi\n");
        assert_int_equal(probe_trace_count(rig, "probe refused "), i + 1);
    }
    probe_wait_log(rig, "refused: its text may not stand in a message");
    probe_say(s, "{probe}", "");
    for (size_t i = 0; i < sizeof(undeclared) / sizeof(undeclared[0]); i++) {
        probe_say(s, "{second}", undeclared[i]);
        assert_string_equal(probe_send(s, "Subject: hi|").stage, "");
        probe_expect_headers(s, "Authentication-Results: mx.test; none\n"
                                "Received: by the MTA itself\nSubject: hi\n");
        assert_int_equal(mta_message(s)->recipients.count, 2);
        assert_int_equal(probe_trace_count(rig, "second refused "), i + 1);
    }
    probe_wait_log(rig, "refused: the module does not declare that action");
    probe_stop(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, probe_rig_set_up, probe_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(fields_keep_their_numbers),
        TEST(fields_are_the_same_without_leading_blanks),
        TEST(envelope_and_body_are_edited),
        TEST(a_refused_message_is_not_edited),
        TEST(misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
