#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script_module.h"

/* The end of a message: header, scrubbing, edits, failures, limits. */

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
    script_add(&fixture, &script_a, &a, &calls, ALL_STAGES, 0);
    script_add(&fixture, &script_b, &b, &calls, ALL_STAGES, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    am_buf_fini(&calls);
    return 0;
}

static enum am_verdict mail(struct am_session *session)
{
    return am_session_mail(session, "<s@example.com>", NULL, 0, false);
}

static void one_field_for_all_results(void **state)
{
    (void)state;
    a.publish_at_helo = "spf=none";
    a.publish_at_mail = "spf=pass";
    b.publish_at_eom = "dkim=fail";
    struct am_session *session = fixture_connected(&fixture);
    for (int i = 0; i < 2; i++) {
        mail(session);
        assert_int_equal(am_session_eom(session), AM_CONTINUE);
        assert_string_equal(fixture_sent(&fixture),
                            "insert 0 Authentication-Results: mx.example.org;\n"
                            " spf=none smtp.mailfrom=a@b.example;\n"
                            " spf=pass smtp.mailfrom=a@b.example;\n"
                            " dkim=fail smtp.mailfrom=a@b.example\n");
        fixture_forget(&fixture);
    }
    am_session_free(session);
}

static void one_field_per_method_on_request(void **state)
{
    (void)state;
    fixture.authres.combine = false;
    a.publish_at_mail = "spf=pass";
    b.publish_at_eom = "dkim=fail";
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    const char *sent = fixture_sent(&fixture);
    assert_non_null(strstr(sent, "dkim=fail"));
    assert_true(strstr(sent, "dkim=fail") < strstr(sent, "spf=pass"));
    assert_ptr_not_equal(strstr(sent + 1, "insert 0 Authentication-Results: mx.example.org;"),
                         NULL);
    am_session_free(session);
}

/* What a DMARC module will do: read what others found, and ask the MTA. */
static void read_the_others(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct am_results *results = am_ctx_results(ctx);
    const struct am_result *result;
    size_t index = 0;

    while ((result = am_results_next(results, "spf", &index)) != NULL)
        am_buf_printf(&calls, "read %s\n", result->result);
    assert_null(am_results_next(results, "dkim", &(size_t){0}));
    am_buf_printf(&calls, "i=%s\n", am_ctx_macro(ctx, "i"));
    assert_null(am_ctx_macro(ctx, "{no_such_macro}"));
}

static void a_module_reads_what_others_found(void **state)
{
    (void)state;
    a.publish_at_helo = "spf=none";
    a.publish_at_mail = "spf=pass";
    b.edit = read_the_others;
    fixture.queue_id = "4XyZ";
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    calls.len = 0;
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_non_null(strstr(am_buf_str(&calls), "read none\nread pass\ni=4XyZ\n"));
    am_session_free(session);
}

static enum am_verdict fail_at_end(struct am_eom_ctx *eom)
{
    (void)eom;
    return AM_FAIL;
}

/* One that reports nothing: alone it writes no field, whatever becomes of it. */
static const struct am_module silent_module = {.abi = AM_MODULE_ABI,
                                               .name = "silent",
                                               .summary = "reports nothing",
                                               .method = "",
                                               .eom = fail_at_end};

static void a_module_without_a_method_writes_no_field(void **state)
{
    (void)state;
    fixture.runtime.module_count = 0;
    fixture_add(&fixture, &silent_module, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static void beside_others_it_changes_nothing_of_their_field(void **state)
{
    (void)state;
    fixture_add(&fixture, &silent_module, 0);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture),
                        "insert 0 Authentication-Results: mx.example.org; none\n");
    am_session_free(session);
}

static void no_field_on_request(void **state)
{
    (void)state;
    fixture.authres.add_header = false;
    a.publish_at_mail = "spf=pass";
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static const char *id_with(const char *option, const char *host)
{
    static char line[256];

    fixture.authres.authserv_id = option;
    fixture.host = host;
    fixture_forget(&fixture);
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    am_session_free(session);
    snprintf(line, sizeof(line), "%s", fixture_sent(&fixture) + strlen("insert 0 "));
    return line;
}

static void the_authserv_id(void **state)
{
    (void)state;
    assert_string_equal(id_with("mx.example.org", "j.example"),
                        "Authentication-Results: mx.example.org; none\n");
    assert_string_equal(id_with("", "j.example"), "Authentication-Results: j.example; none\n");
    assert_string_equal(id_with("", NULL), "Authentication-Results: host.example.net; none\n");
    assert_string_equal(id_with("", "bad name;"),
                        "Authentication-Results: host.example.net; none\n");
    assert_string_equal(id_with("", ""), "Authentication-Results: host.example.net; none\n");
}

static void publish_odd(struct am_eom_ctx *eom)
{
    struct am_result result = {.method = "x-odd", .result = "pass", .reason = "line\nbreak"};
    char *long_value = calloc(1, 20001);

    memset(long_value, 'a', 20000);
    (void)am_result_add_property(&result, "smtp", "helo", am_span_str("a\r\nBcc: b"));
    (void)am_result_add_property(&result, "smtp", "mailfrom", am_span_str("\xc3\xa9@b.example"));
    (void)am_result_add_property(&result, "policy", "long", am_span_of(long_value, 20000));
    (void)am_result_add_property(&result, "policy", "good", am_span_str("yes"));
    am_ctx_publish(am_eom_ctx_base(eom), &result);
    free(long_value);
}

static void what_a_field_cannot_carry_is_left_out(void **state)
{
    static const char *const utf8[] = {"SMTPUTF8"};

    (void)state;
    a.edit = publish_odd;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(
        fixture_sent(&fixture),
        "insert 0 Authentication-Results: mx.example.org; x-odd=pass policy.good=yes\n");
    fixture_forget(&fixture);
    am_session_mail(session, "<s@example.com>", utf8, 1, false);
    am_session_eom(session);
    assert_non_null(strstr(fixture_sent(&fixture), "smtp.mailfrom=\xc3\xa9@b.example"));
    am_session_free(session);
}

static void all_edits(struct am_eom_ctx *eom)
{
    assert_true(am_eom_add_header(eom, "X-Added", "one\n two"));
    assert_true(am_eom_insert_header(eom, 1, "X-In", "v"));
    assert_true(am_eom_change_header(eom, 2, "Subject", "new"));
    assert_true(am_eom_delete_header(eom, 1, "X-Old"));
    assert_true(am_eom_delete_header(eom, 3, "X-Old"));
    assert_true(am_eom_add_recipient(eom, "<a@b.example>", NULL));
    assert_true(am_eom_add_recipient(eom, "<c@d.example>", "NOTIFY=NEVER"));
    assert_true(am_eom_delete_recipient(eom, "<e@f.example>"));
    assert_true(am_eom_change_sender(eom, "<g@h.example>", "SIZE=1"));
    assert_true(am_eom_replace_body(eom, am_span_str("one")));
    assert_true(am_eom_replace_body(eom, am_span_str("two")));
    assert_true(am_eom_progress(eom));
}

static void every_edit_is_sent_in_order(void **state)
{
    (void)state;
    a.edit = all_edits;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_header(session, "authentication-results", " mx.example.org; spf=pass");
    am_session_header(session, "Authentication-Results", " other.example; spf=pass");
    am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture),
                        "progress\n"
                        "delete 3 Authentication-Results\n"
                        "delete 3 X-Old\n"
                        "change 2 Subject: new\n"
                        "delete 1 Authentication-Results\n"
                        "delete 1 X-Old\n"
                        "add X-Added: one\n two\n"
                        "insert 1 X-In: v\n"
                        "rcpt+ <a@b.example> \n"
                        "rcpt+ <c@d.example> NOTIFY=NEVER\n"
                        "rcpt- <e@f.example>\n"
                        "from <g@h.example> SIZE=1\n"
                        "body one\n"
                        "body two\n"
                        "insert 0 Authentication-Results: mx.example.org; none\n");
    assert_int_equal(am_counters_read(fixture.counters, AM_COUNT_SCRUBBED), 2);
    am_session_free(session);
}

static void a_refused_message_is_not_edited(void **state)
{
    (void)state;
    a.edit = all_edits;
    b.at_eom = AM_TEMPFAIL;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    assert_string_equal(fixture_sent(&fixture), "progress\n");
    am_session_free(session);
}

static void bad_edits(struct am_eom_ctx *eom)
{
    assert_false(am_eom_add_header(eom, "X-A", "a\r\nBcc: x"));
    assert_false(am_eom_add_header(eom, "X-A", "a\nBcc: x"));
    assert_false(am_eom_add_header(eom, "X-A", "a\n"));
    assert_false(am_eom_add_header(eom, "X-A", "a\n \n b"));
    assert_false(am_eom_add_header(eom, "X-A", "a\x01"));
    assert_false(am_eom_add_header(eom, "X A", "a"));
    assert_false(am_eom_add_header(eom, "X:A", "a"));
    assert_false(am_eom_add_header(eom, "", "a"));
    assert_false(am_eom_change_header(eom, 0, "X-A", "a"));
    assert_false(am_eom_change_header(eom, 1, "X-A", ""));
    assert_false(am_eom_delete_header(eom, 0, "X-A"));
    assert_false(am_eom_add_recipient(eom, "", NULL));
    assert_false(am_eom_add_recipient(eom, "<a@b>\n", NULL));
    assert_false(am_eom_add_recipient(eom, "<a@b>", "A\rB"));
    assert_false(am_eom_change_sender(eom, "<a@b>", ""));
    assert_false(am_eom_delete_recipient(eom, "\x7f"));
}

static void bad_edits_are_refused(void **state)
{
    (void)state;
    a.edit = bad_edits;
    fixture.authres.add_header = false;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture), "");
    am_session_free(session);
}

static void rewrite_twice(struct am_eom_ctx *eom)
{
    assert_true(am_eom_change_header(eom, 1, "Subject", "first"));
    assert_true(am_eom_change_header(eom, 1, "subject", "second"));
}

static void the_later_edit_of_a_field_counts(void **state)
{
    (void)state;
    a.edit = rewrite_twice;
    fixture.authres.add_header = false;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    assert_string_equal(fixture_sent(&fixture), "change 1 subject: second\n");
    am_session_free(session);
}

static void edit_refused(struct am_eom_ctx *eom)
{
    assert_false(am_eom_delete_header(eom, 1, "X"));
    assert_false(am_eom_replace_body(eom, am_span_str("x")));
}

static void edit_held_back(struct am_eom_ctx *eom)
{
    assert_true(am_eom_delete_header(eom, 1, "X"));
    assert_true(am_eom_replace_body(eom, am_span_str("x")));
    assert_false(am_eom_delete_header(eom, 0, "X"));
}

static void edits_need_the_mta_and_no_observer(void **state)
{
    (void)state;
    a.edit = edit_held_back;
    fixture.modules[0].observe = true;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    assert_null(strstr(fixture_sent(&fixture), "delete"));
    assert_null(strstr(fixture_sent(&fixture), "body"));
    a.edit = edit_refused;
    fixture.modules[0].observe = false;
    session->agreement.actions = AM_ACTION_ADD_HEADER;
    mail(session);
    am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_null(strstr(fixture_sent(&fixture), "delete"));
    am_session_free(session);
}

static void edits_that_cannot_be_sent_put_the_message_off(void **state)
{
    (void)state;
    fixture.broken = true;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    am_session_free(session);
}

static void a_failure_becomes_a_result(void **state)
{
    (void)state;
    a.at_mail = AM_FAIL;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_buf_clear(&calls);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(am_buf_str(&calls), "b.eom\na.msg_end\nb.msg_end\n");
    assert_non_null(strstr(fixture_sent(&fixture), "a=temperror reason=\"internal failure\""));
    assert_int_equal(am_counters_read(fixture.counters, AM_COUNT_FAILURES), 1);
    am_session_free(session);
}

static void a_failure_after_a_result_adds_none(void **state)
{
    (void)state;
    a.publish_at_mail = "spf=pass";
    a.at_mail = AM_FAIL;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    assert_null(strstr(fixture_sent(&fixture), "temperror"));
    am_session_free(session);
}

static void a_failure_leaves_the_results_of_others(void **state)
{
    (void)state;
    a.publish_at_mail = "spf=pass";
    b.at_mail = AM_FAIL;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_eom(session);
    assert_non_null(strstr(fixture_sent(&fixture), "spf=pass"));
    assert_non_null(strstr(fixture_sent(&fixture), "b=temperror reason=\"internal failure\""));
    am_session_free(session);
}

static void the_action_on_failure(void **state)
{
    static const struct {
        enum am_failure_action action;
        enum am_verdict verdict;
        const char *sent;
    } rows[] = {
        {AM_FAILURE_ACCEPT, AM_CONTINUE, "insert 0"},
        {AM_FAILURE_TEMPFAIL, AM_TEMPFAIL, "reply 451 4.3.0 "},
        {AM_FAILURE_REJECT, AM_REJECT, "reply 554 5.3.0 "},
        {AM_FAILURE_QUARANTINE, AM_CONTINUE, "quarantine a mail check could not be completed\n"},
    };

    (void)state;
    a.at_data = AM_FAIL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture.milter.on_failure = rows[i].action;
        fixture_forget(&fixture);
        struct am_session *session = fixture_connected(&fixture);
        mail(session);
        assert_int_equal(am_session_data(session), AM_CONTINUE);
        assert_int_equal(am_session_eom(session), rows[i].verdict);
        assert_non_null(strstr(fixture_sent(&fixture), rows[i].sent));
        am_session_free(session);
    }
}

static void a_blown_budget_is_a_failure(void **state)
{
    (void)state;
    a.takes_us = 21 * 1000000; /* the envelope's budget is 20 s */
    struct am_session *session = fixture_connected(&fixture);
    a.takes_us = 20 * 1000000 + 1000;
    mail(session);
    assert_null(session->message->failures); /* just met */
    a.takes_us = 21 * 1000000;
    mail(session);
    assert_non_null(strstr(session->message->failures, "time budget exceeded"));
    a.takes_us = 0;
    am_session_eom(session);
    assert_non_null(strstr(fixture_sent(&fixture), "a=temperror"));
    am_session_free(session);
}

static void the_content_shares_one_budget(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.takes_us = 25 * 1000000;
    am_session_header(session, "A", "b");
    am_session_header(session, "A", "b");
    assert_null(session->message->failures);
    am_session_eoh(session); /* 75 s of 60 */
    assert_non_null(session->message->failures);
    a.takes_us = 0;
    am_session_free(session);
}

static void header_fields_know_their_number(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_header(session, "Received", " a");
    am_session_header(session, "received", " b\r\n\tc");
    assert_string_equal(a.last_header, "received#2: b\n\tc");
    am_session_header(session, "Subject", "");
    assert_string_equal(a.last_header, "Subject#1:");
    am_session_free(session);
}

static void a_cr_is_part_of_a_fold_only_where_folds_have_one(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_header(session, "A", " b\r\n c\r\r\n d\re");
    assert_string_equal(a.last_header, "A#1: b\n c\r\n d\re");
    am_session_header(session, "A", " b\r\n c\n d");
    assert_string_equal(a.last_header, "A#2: b\r\n c\n d");
    am_session_header(session, "A", " b\r\n c");
    assert_string_equal(a.last_header, "A#3: b\r\n c");
    am_session_free(session);
}

static void a_flood_of_forged_fields_is_refused(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    for (int count = 1000; count <= 1001; count++) {
        assert_int_equal(am_session_mail(session, "<s@example.com>", NULL, 0, false), AM_CONTINUE);
        for (int i = 0; i < count; i++)
            am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
        fixture_forget(&fixture);
        assert_int_equal(am_session_eom(session), count == 1000 ? AM_CONTINUE : AM_REJECT);
    }
    assert_string_equal(
        fixture_sent(&fixture),
        "reply 550 5.7.0 Too many Authentication-Results fields in the name of this host\n");
    am_session_free(session);
}

static void beyond_the_limits_fields_are_scrubbed_only(void **state)
{
    (void)state;
    fixture.milter.max_headers = 10;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_buf_clear(&calls);
    for (int i = 0; i < 100; i++)
        am_session_header(session, "Authentication-Results",
                          i == 98 ? " mx.example.org; x=y" : " z");
    assert_true(session->message->info.headers_cut);
    assert_int_equal(session->message->info.header_count, 100);
    assert_int_equal(calls.len, 10 * strlen("a.header\nb.header\n"));
    am_session_eom(session);
    assert_non_null(strstr(fixture_sent(&fixture), "delete 99 Authentication-Results\n"));
    am_session_free(session);
}

static void the_bytes_of_headers_are_limited(void **state)
{
    (void)state;
    fixture.milter.max_header_bytes = 100;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    am_session_header(session, "A", " short");
    assert_false(session->message->info.headers_cut);
    char value[200] = {0};
    memset(value, 'x', sizeof(value) - 1);
    am_session_header(session, "B", value);
    assert_true(session->message->info.headers_cut);
    assert_string_equal(a.last_header, "A#1: short");
    am_session_free(session);
}

static void slow_modules_make_progress(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.takes_us = 10 * 1000000;
    am_session_eom(session);
    assert_memory_equal(fixture_sent(&fixture), "progress\n", 9);
    a.takes_us = 0;
    am_session_free(session);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_field_for_all_results),
        TEST(one_field_per_method_on_request),
        TEST(a_module_reads_what_others_found),
        TEST(a_module_without_a_method_writes_no_field),
        TEST(beside_others_it_changes_nothing_of_their_field),
        TEST(no_field_on_request),
        TEST(the_authserv_id),
        TEST(what_a_field_cannot_carry_is_left_out),
        TEST(every_edit_is_sent_in_order),
        TEST(a_refused_message_is_not_edited),
        TEST(bad_edits_are_refused),
        TEST(the_later_edit_of_a_field_counts),
        TEST(edits_need_the_mta_and_no_observer),
        TEST(edits_that_cannot_be_sent_put_the_message_off),
        TEST(a_failure_becomes_a_result),
        TEST(a_failure_after_a_result_adds_none),
        TEST(a_failure_leaves_the_results_of_others),
        TEST(the_action_on_failure),
        TEST(a_blown_budget_is_a_failure),
        TEST(the_content_shares_one_budget),
        TEST(header_fields_know_their_number),
        TEST(a_cr_is_part_of_a_fold_only_where_folds_have_one),
        TEST(a_flood_of_forged_fields_is_refused),
        TEST(beyond_the_limits_fields_are_scrubbed_only),
        TEST(the_bytes_of_headers_are_limited),
        TEST(slow_modules_make_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
