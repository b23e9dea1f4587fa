#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "script_module.h"

/* --- comparing --- */

static const char *const ids[] = {"mx.example.org"};
static const char *const method_names[] = {"spf", "dkim", "dmarc"};
static const struct am_shadow_methods methods = {method_names, 3};

/* Writes "method/identity ours theirs\n" for each pair. */
static void write_pair(void *user, const struct am_shadow_claim *ours,
                       const struct am_shadow_claim *theirs)
{
    const struct am_shadow_claim *one = ours != NULL ? ours : theirs;

    am_buf_printf(user, "%s%s%s %s %s\n", one->method, *one->identity == '\0' ? "" : "/",
                  one->identity, am_shadow_claim_word(ours, one),
                  am_shadow_claim_word(theirs, one));
}

static void add_field(struct am_shadow_claims *claims, struct am_arena *arena, const char *value)
{
    am_shadow_claims_add_field(claims, arena, am_span_str(value), ids, 1, &methods);
}

static void compare_rows(void **state)
{
    static const struct {
        const char *ours, *theirs, *below; /* fields; `below` is one under theirs */
        const char *pairs;
    } rows[] = {
        {"mx.example.org; spf=pass smtp.mailfrom=a@b.example; spf=none smtp.helo=b.example",
         "mx.example.org; spf=none smtp.helo=b.example", "mx.example.org; spf=fail smtp.mailfrom=x",
         "spf/mailfrom pass fail\nspf/helo none none\n"},
        /* Who names both properties speaks of MAIL FROM. */
        {"mx.example.org; spf=pass smtp.mailfrom=a@b.example",
         "mx.example.org; spf=PASS smtp.helo=b.example smtp.mailfrom=b.example", NULL,
         "spf/mailfrom pass PASS\n"},
        /* The upper one counts. */
        {"mx.example.org; dmarc=pass", "mx.example.org; dmarc=fail", "mx.example.org; dmarc=pass",
         "dmarc pass fail\n"},
        {"mx.example.org; dkim=pass header.d=a.example",
         "mx.example.org; dkim=pass header.d=A.example",
         "mx.example.org; dkim=pass header.d=forged.example", "dkim pass pass\n"},
        /* Strangers, unknown methods and what cannot be read say nothing. */
        {"mx.example.org; spf=pass smtp.helo=b", "other.example; spf=fail smtp.helo=b",
         "mx.example.org; x-odd=fail; iprev=fail", "spf/helo pass none\n"},
        {"mx.example.org; none", "mx.example.org; dkim=none", NULL, "dkim none none\n"},
        /* header.b of unequal length, and in the other order */
        {"mx.example.org; dkim=pass header.d=a.example header.s=s header.b=aaaaaaaabbbb; dkim=fail "
         "header.d=a.example header.s=s header.b=cccccccc",
         "mx.example.org; dkim=fail header.d=a.example header.b=cccccccc; dkim=pass "
         "header.d=a.example header.b=aaaaaaaa",
         NULL, "dkim pass pass\ndkim fail fail\n"},
        {"mx.example.org; dkim=pass header.d=a.example header.b=aaaaaaaa",
         "mx.example.org; dkim=pass header.d=a.example header.b=AAAAAAAA", NULL,
         "dkim pass none\ndkim none pass\n"},
        /* One signature, named by less; one selector is another signature. */
        {"mx.example.org; dkim=pass header.d=a.example header.s=one header.b=aaaaaaaa",
         "mx.example.org; dkim=fail header.i=@a.example header.d=a.example header.s=two; "
         "dkim=policy header.d=a.example",
         NULL, "dkim pass policy\ndkim none fail\n"},
        {"mx.example.org; dkim=pass header.d=a.example",
         "mx.example.org; dkim=pass header.i=@a.example", NULL, "dkim pass none\ndkim none pass\n"},
    };
    struct am_arena *arena = am_arena_new(4096, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_shadow_claims ours = {0}, theirs = {0};
        struct am_buf pairs;

        am_buf_init(&pairs, 0);
        add_field(&ours, arena, rows[i].ours);
        add_field(&theirs, arena, rows[i].theirs);
        if (rows[i].below != NULL)
            add_field(&theirs, arena, rows[i].below);
        am_shadow_claims_compare(&ours, &theirs, write_pair, &pairs);
        assert_string_equal(am_buf_str(&pairs), rows[i].pairs);
        am_buf_fini(&pairs);
    }
    am_arena_free(arena);
}

static void published_results_are_claims(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_result result = {.method = "dkim", .result = "pass"};
    struct am_results results = {0};
    struct am_shadow_claims claims = {0};

    (void)state;
    assert_true(am_result_add_property(&result, "header", "d", am_span_str("a.example")));
    assert_true(am_result_add_property(&result, "header", "s", am_span_str("sel")));
    assert_true(am_result_add_property(&result, "header", "b", am_span_str("abcdefgh")));
    assert_true(am_results_add(&results, arena, "dkim", &result));
    am_shadow_claims_add_results(&claims, arena, &results);
    assert_int_equal(claims.count, 1);
    assert_true(am_span_equal(claims.items[0].domain, am_span_str("a.example")));
    assert_true(am_span_equal(claims.items[0].selector, am_span_str("sel")));
    assert_true(am_span_equal(claims.items[0].signature, am_span_str("abcdefgh")));
    am_arena_free(arena);
}

static void signatures_are_read(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_shadow_claims claims = {0};

    (void)state;
    am_shadow_claims_add_signature(
        &claims, arena,
        am_span_str(" v=1; a=rsa-sha256;\n\td = a.example ;\r\n s=\n sel; bh=d=x; b=s=y="));
    am_shadow_claims_add_signature(&claims, arena, am_span_str(""));
    assert_int_equal(claims.count, 2);
    assert_true(am_span_equal(claims.items[0].domain, am_span_str("a.example")));
    assert_true(am_span_equal(claims.items[0].selector, am_span_str("sel")));
    assert_int_equal(claims.items[1].domain.len, 0);
    am_arena_free(arena);
}

static void there_is_an_end_to_claims(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_shadow_claims claims = {0};

    (void)state;
    for (size_t i = 0; i < 2 * AM_SHADOW_CLAIMS_MAX; i++)
        am_shadow_claims_add_signature(&claims, arena, am_span_str("d=a.example; s=s"));
    assert_int_equal(claims.count, AM_SHADOW_CLAIMS_MAX);
    assert_true(claims.cut);
    am_arena_free(arena);
}

/* --- a session --- */

static void edit_everything(struct am_eom_ctx *eom)
{
    (void)am_eom_insert_header(eom, 0, "DKIM-Signature", "v=1; d=a.example; s=sel");
    (void)am_eom_add_header(eom, "X-Own", "1");
    (void)am_eom_change_header(eom, 1, "Subject", "x");
    (void)am_eom_delete_header(eom, 1, "From");
    (void)am_eom_add_recipient(eom, "<x@a.example>", NULL);
    (void)am_eom_delete_recipient(eom, "<x@a.example>");
    (void)am_eom_change_sender(eom, "<x@a.example>", NULL);
    (void)am_eom_replace_body(eom, am_span_str("x"));
}

static bool counted(const struct fixture *fixture, const char *line)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    am_counters_print(fixture->counters, &text, NULL, NULL);
    bool found = strstr(am_buf_str(&text), line) != NULL;
    am_buf_fini(&text);
    return found;
}

static void play(struct am_session *session, const char *results)
{
    assert_int_equal(am_session_mail(session, "<a@b.example>", NULL, 0, false), AM_CONTINUE);
    assert_int_equal(am_session_rcpt(session, "<c@d.example>", NULL, 0), AM_CONTINUE);
    assert_int_equal(am_session_data(session), AM_CONTINUE);
    if (results != NULL)
        for (int i = 0; i < 1500; i++)
            assert_int_equal(am_session_header(session, "Authentication-Results", results),
                             AM_CONTINUE);
    assert_int_equal(am_session_header(session, "From", " a@b.example"), AM_CONTINUE);
    assert_int_equal(am_session_eoh(session), AM_CONTINUE);
    assert_int_equal(am_session_body(session, am_span_str("x\r\n")), AM_CONTINUE);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
}

/* Whatever a module does at whatever stage: the MTA is asked for nothing and told to go on. */
static void nothing_is_changed(void **state)
{
    static const enum am_verdict verdicts[] = {AM_CONTINUE, AM_ACCEPT, AM_QUARANTINE, AM_TEMPFAIL,
                                               AM_DISCARD,  AM_REJECT, AM_FAIL};

    (void)state;
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        for (int at = 0; at < 7; at++) {
            struct fixture fixture;
            struct am_buf calls;
            struct script script = {.code = verdicts[i] == AM_REJECT ? 550 : 0,
                                    .xcode = "5.7.1",
                                    .text = "no",
                                    .publish_at_mail = "spf=pass",
                                    .edit = edit_everything};
            enum am_verdict *const places[] = {&script.at_helo,   &script.at_mail, &script.at_rcpt,
                                               &script.at_header, &script.at_body, &script.at_eom,
                                               &script.at_connect};

            *places[at] = verdicts[i];
            am_buf_init(&calls, 0);
            fixture_init(&fixture);
            fixture.milter.shadow = true;
            fixture.milter.on_failure = AM_FAILURE_REJECT;
            script_add(&fixture, &script_a, &script, &calls, ALL_STAGES, ALL_STAGES);
            struct am_plan plan = am_plan_make(&fixture.runtime);
            assert_int_equal(plan.actions, 0);
            assert_int_equal(plan.answers, AM_STAGE_EOM);
            struct am_session *session = fixture_connected(&fixture);
            play(session, " mx.example.org; spf=fail smtp.mailfrom=a@b.example");
            assert_string_equal(fixture_sent(&fixture), "");
            am_session_free(session);
            fixture_fini(&fixture);
            am_buf_fini(&calls);
        }
    }
}

static void differences_are_counted(void **state)
{
    struct fixture fixture;
    struct am_buf calls;
    struct script script = {.publish_at_mail = "spf=pass"};

    (void)state;
    am_buf_init(&calls, 0);
    fixture_init(&fixture);
    fixture.milter.shadow = true;
    script_add(&fixture, &script_a, &script, &calls, AM_STAGE_ENVFROM, 0);
    struct am_module spf = script_a;
    spf.method = "spf";
    fixture.modules[0].module = &spf;
    struct am_session *session = fixture_connected(&fixture);
    play(session, " mx.example.org; spf=fail smtp.mailfrom=a@b.example");
    play(session, " mx.example.org; spf=pass smtp.mailfrom=a@b.example");
    play(session, " mx.example.org; spf=wonderful smtp.mailfrom=a@b.example");
    play(session, NULL);
    am_session_free(session);
    assert_true(counted(&fixture,
                        "authmilter_shadow_differs_total{label=\"spf ours=pass theirs=fail\"} 1"));
    assert_true(counted(&fixture,
                        "authmilter_shadow_differs_total{label=\"spf ours=pass theirs=other\"} 1"));
    assert_true(counted(&fixture,
                        "authmilter_shadow_differs_total{label=\"spf ours=pass theirs=none\"} 1"));
    assert_true(counted(&fixture, "authmilter_shadow_same_total{label=\"spf\"} 1"));
    fixture_fini(&fixture);
    am_buf_fini(&calls);
}

/* A message that comes while the program stops is let through; it has not been judged. */
static void a_stop_puts_nothing_off(void **state)
{
    struct fixture fixture;
    struct am_buf calls;
    struct script script = {.publish_at_eom = "spf=pass"};

    (void)state;
    am_buf_init(&calls, 0);
    fixture_init(&fixture);
    fixture.milter.shadow = true;
    script_add(&fixture, &script_a, &script, &calls, AM_STAGE_EOM, 0);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(am_session_mail(session, "<a@b.example>", NULL, 0, true), AM_CONTINUE);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_string_equal(fixture_sent(&fixture), "");
    assert_false(counted(&fixture, "shadow"));
    am_session_free(session);
    fixture_fini(&fixture);
    am_buf_fini(&calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare_rows),
        cmocka_unit_test(published_results_are_claims),
        cmocka_unit_test(signatures_are_read),
        cmocka_unit_test(there_is_an_end_to_claims),
        cmocka_unit_test(nothing_is_changed),
        cmocka_unit_test(differences_are_counted),
        cmocka_unit_test(a_stop_puts_nothing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
