#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "script_module.h"

/* What a module that watches is told of the others and of the framework. */

static struct fixture fixture;
static struct script a;
static struct am_buf calls, told;

static void witness(struct am_ctx *ctx, const struct am_deed *deed)
{
    static const char *const kinds[] = {"result", "verdict", "answer", "add",
                                        "insert", "change",  "delete", "rcpt+",
                                        "rcpt-",  "from",    "body",   "quarantine"};

    assert_int_equal(am_ctx_conn(ctx)->client.family, 4);
    am_buf_printf(&told, "%s", kinds[deed->kind]);
    if (deed->module != NULL)
        am_buf_printf(&told, " %s", deed->module);
    if (deed->stage != NULL)
        am_buf_printf(&told, " at %s", deed->stage);
    if (deed->verdict_word != NULL)
        am_buf_printf(&told, " %s", deed->verdict_word);
    if (deed->result != NULL)
        am_buf_printf(&told, " %s=%s", deed->result->method, deed->result->result);
    if (deed->index > 0)
        am_buf_printf(&told, " %u", deed->index);
    for (const char *const *text = (const char *const[]){deed->name, deed->value, deed->text},
                           *const *end = text + 3;
         text < end; text++)
        if (*text != NULL)
            am_buf_printf(&told, " [%s]", *text);
    if (deed->size > 0)
        am_buf_printf(&told, " %zu", deed->size);
    am_buf_add_char(&told, '\n');
}

static enum am_verdict on_helo(struct am_ctx *ctx)
{
    (void)ctx;
    return AM_CONTINUE;
}

static const struct am_module watching = {.abi = AM_MODULE_ABI,
                                          .name = "watching",
                                          .summary = "watches",
                                          .method = "",
                                          .helo = on_helo,
                                          .witness = witness};

static int setup(void **state)
{
    (void)state;
    fixture_init(&fixture);
    am_buf_init(&calls, 0);
    am_buf_init(&told, 0);
    memset(&a, 0, sizeof(a));
    fixture_add(&fixture, &watching, 0);
    script_add(&fixture, &script_a, &a, &calls, ALL_STAGES, ALL_STAGES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    am_buf_fini(&calls);
    am_buf_fini(&told);
    return 0;
}

static void mail(struct am_session *session)
{
    assert_int_equal(am_session_mail(session, "<s@example.com>", NULL, 0, false), AM_CONTINUE);
}

static void edit_all(struct am_eom_ctx *eom)
{
    assert_true(am_eom_add_header(eom, "X-Added", "a"));
    assert_true(am_eom_insert_header(eom, 2, "X-In", "b"));
    assert_true(am_eom_change_header(eom, 1, "Subject", "c"));
    assert_true(am_eom_delete_header(eom, 3, "Received"));
    assert_true(am_eom_add_recipient(eom, "<n@example.org>", "NOTIFY=NEVER"));
    assert_true(am_eom_delete_recipient(eom, "<o@example.org>"));
    assert_true(am_eom_change_sender(eom, "<p@example.org>", NULL));
    assert_true(am_eom_replace_body(eom, am_span_str("new\r\n")));
    am_ctx_set_quarantine(am_eom_ctx_base(eom), "strange");
}

static void edits_are_told_as_they_are_sent(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.publish_at_eom = "spf=pass";
    a.edit = edit_all;
    a.at_eom = AM_QUARANTINE;
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(am_buf_str(&told), "result a at eom spf=pass\n"
                                           "verdict a at eom quarantine [strange]\n"
                                           "delete 3 [Received]\n"
                                           "change 1 [Subject] [c]\n"
                                           "add [X-Added] [a]\n"
                                           "insert 2 [X-In] [b]\n"
                                           "rcpt+ [<n@example.org>] [NOTIFY=NEVER]\n"
                                           "rcpt- [<o@example.org>]\n"
                                           "from [<p@example.org>]\n"
                                           "body 5\n"
                                           "insert [Authentication-Results] [mx.example.org; "
                                           "spf=pass smtp.mailfrom=a@b.example]\n"
                                           "quarantine [strange]\n"
                                           "answer a at eom quarantine [strange]\n");
    assert_non_null(strstr(fixture_sent(&fixture), "add X-Added: a\n"));
    am_session_free(session);
}

static void an_edit_that_is_not_sent_is_not_told(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.edit = edit_all;
    fixture.broken = true;
    assert_int_equal(am_session_eom(session), AM_TEMPFAIL);
    assert_string_equal(am_buf_str(&told), "answer at eom tempfail [edits could not be sent]\n");
    am_session_free(session);
}

static void a_message_that_is_accepted_has_an_answer(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_non_null(strstr(am_buf_str(&told), "answer continue\n"));
    am_buf_clear(&told);
    mail(session);
    am_session_abort(session);
    assert_string_equal(am_buf_str(&told), "");
    am_session_free(session);
}

static void a_refusal_is_told_with_its_reply(void **state)
{
    (void)state;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    a.at_rcpt = AM_REJECT;
    a.code = 550;
    a.text = "no such user: 100% sure";
    assert_int_equal(am_session_rcpt(session, "<r@example.org>", NULL, 0), AM_REJECT);
    assert_string_equal(am_buf_str(&told),
                        "verdict a at rcpt reject [550 no such user: 100% sure]\n"
                        "answer a at rcpt reject [550 no such user: 100% sure]\n");
    am_session_free(session);
}

static void who_wants_no_stage_is_told_nothing(void **state)
{
    (void)state;
    fixture.modules[0].wants = 0;
    struct am_session *session = fixture_connected(&fixture);
    mail(session);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_null(session->witness);
    assert_string_equal(am_buf_str(&told), "");
    am_session_free(session);
}

/* What is only asked for by name is not in the default of milter.modules. */
static void the_default_leaves_out_who_runs_on_request(void **state)
{
    static const struct am_module asked = {
        .abi = AM_MODULE_ABI, .name = "asked", .on_request = true};
    static const struct am_module *const modules[] = {&asked, &script_a, &watching, NULL};
    struct am_arena *arena = am_arena_new(1024, 0);

    (void)state;
    const struct am_section *section = am_runtime_milter_section(arena, modules);
    assert_string_equal(section->options[0].name, "modules");
    assert_string_equal(section->options[0].fallback, "a,watching");
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(edits_are_told_as_they_are_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_that_is_not_sent_is_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_is_accepted_has_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_told_with_its_reply, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wants_no_stage_is_told_nothing, setup, teardown),
        cmocka_unit_test(the_default_leaves_out_who_runs_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
