#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/milter/plan.h"
#include "fixture.h"

#define ALWAYS (AM_STAGE_CONNECT | AM_STAGE_HELO | AM_STAGE_ENVFROM | AM_STAGE_EOM)

static const struct am_offer everything = {.skippable = ~(unsigned)AM_STAGE_EOM,
                                           .silent = ~(unsigned)AM_STAGE_EOM,
                                           .actions = ~0u,
                                           .raw_headers = true,
                                           .rejected_rcpt = true,
                                           .skip_body = true,
                                           .macro_lists = true};

static enum am_verdict go_on(struct am_ctx *ctx)
{
    (void)ctx;
    return AM_CONTINUE;
}

static enum am_verdict go_on_eom(struct am_eom_ctx *ctx)
{
    (void)ctx;
    return AM_CONTINUE;
}

static enum am_verdict go_on_rcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    (void)ctx, (void)recipient, (void)params, (void)rejected;
    return AM_CONTINUE;
}

static enum am_verdict go_on_body(struct am_ctx *ctx, struct am_span chunk)
{
    (void)ctx, (void)chunk;
    return AM_CONTINUE;
}

static const struct am_macro_need sender_macros[] = {
    {AM_STAGE_ENVFROM, "{auth_type}"}, {AM_STAGE_ENVFROM, "i"}, {AM_STAGE_EOM, "{mail_host}"}, {0}};
static const struct am_module sender_module = {.abi = AM_MODULE_ABI,
                                               .name = "sender",
                                               .envfrom = go_on,
                                               .eom = go_on_eom,
                                               .macros = sender_macros,
                                               .needs = AM_NEEDS_REJECTED_RCPT};
static const struct am_module content_module = {.abi = AM_MODULE_ABI,
                                                .name = "content",
                                                .envrcpt = go_on_rcpt,
                                                .body = go_on_body,
                                                .eom = go_on_eom,
                                                .needs = AM_NEEDS_REJECTED_RCPT,
                                                .actions = AM_ACTION_CHANGE_BODY};

static void nothing_is_taken_that_nobody_needs(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture.authres.scrub = AM_SCRUB_NONE;
    fixture_add(&fixture, &sender_module, 0);
    struct am_plan plan = am_plan_make(&fixture.runtime);
    assert_int_equal(plan.wants, ALWAYS);
    assert_int_equal(plan.answers, AM_STAGE_EOM);
    assert_int_equal(plan.actions, AM_ACTION_ADD_HEADER);
    assert_int_equal(plan.needs & AM_NEEDS_REJECTED_RCPT, 0);

    struct am_agreement agreement = am_plan_negotiate(&plan, &everything);
    assert_int_equal(agreement.sent & 0x3ff, ALWAYS);
    assert_int_equal(agreement.answered & agreement.sent & 0x3ff, AM_STAGE_EOM);
    assert_true(agreement.raw_headers);
    assert_false(agreement.rejected_rcpt);
    assert_false(agreement.skip_body);
    assert_int_equal(agreement.missing, 0);
    fixture_fini(&fixture);
}

static void scrubbing_takes_headers_without_answering(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture_add(&fixture, &sender_module, AM_STAGE_ENVFROM);
    struct am_plan plan = am_plan_make(&fixture.runtime);
    assert_int_equal(plan.wants, ALWAYS | AM_STAGE_HEADER);
    assert_int_equal(plan.answers, AM_STAGE_ENVFROM | AM_STAGE_EOM);
    assert_int_equal(plan.actions, AM_ACTION_ADD_HEADER | AM_ACTION_CHANGE_HEADER);
    fixture_fini(&fixture);
}

static void modules_add_up(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture.milter.on_failure = AM_FAILURE_QUARANTINE;
    fixture.authres.add_header = false;
    fixture_add(&fixture, &sender_module, 0);
    fixture_add(&fixture, &content_module, AM_STAGE_ENVRCPT | AM_STAGE_HEADER);
    struct am_plan plan = am_plan_make(&fixture.runtime);
    assert_int_equal(plan.wants, ALWAYS | AM_STAGE_HEADER | AM_STAGE_ENVRCPT | AM_STAGE_BODY);
    assert_int_equal(plan.answers, AM_STAGE_EOM | AM_STAGE_ENVRCPT);
    assert_int_equal(plan.actions,
                     AM_ACTION_CHANGE_BODY | AM_ACTION_CHANGE_HEADER | AM_ACTION_QUARANTINE);
    struct am_agreement agreement = am_plan_negotiate(&plan, &everything);
    assert_true(agreement.rejected_rcpt);
    assert_true(agreement.skip_body);
    fixture_fini(&fixture);
}

static void a_poor_mta_sends_more_and_does_less(void **state)
{
    const struct am_offer poor = {.skippable = AM_STAGE_BODY, .actions = AM_ACTION_ADD_HEADER};
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture_add(&fixture, &sender_module, 0);
    struct am_plan plan = am_plan_make(&fixture.runtime);
    struct am_agreement agreement = am_plan_negotiate(&plan, &poor);
    assert_int_equal(agreement.sent, 0x3ff & ~(unsigned)AM_STAGE_BODY);
    assert_int_equal(agreement.answered, 0x3ff);
    assert_int_equal(agreement.actions, AM_ACTION_ADD_HEADER);
    assert_int_equal(agreement.missing, AM_ACTION_CHANGE_HEADER);
    assert_false(agreement.raw_headers);
    assert_false(agreement.skip_body);
    fixture_fini(&fixture);
}

static void check_macros(const struct fixture *fixture, enum am_stage stage, const char *expected)
{
    struct am_plan plan = am_plan_make(&fixture->runtime);
    struct am_buf names;

    am_buf_init(&names, 0);
    am_plan_macros(&fixture->runtime, &plan, stage, &names);
    assert_string_equal(am_buf_str(&names), expected);
    am_buf_fini(&names);
}

static void macros_are_the_ones_somebody_reads(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture_add(&fixture, &sender_module, 0);
    check_macros(&fixture, AM_STAGE_CONNECT, "{daemon_name}");
    check_macros(&fixture, AM_STAGE_HELO, "");
    check_macros(&fixture, AM_STAGE_ENVFROM, "i {auth_authen} {auth_type}");
    check_macros(&fixture, AM_STAGE_ENVRCPT, "");
    check_macros(&fixture, AM_STAGE_EOM, "i {mail_host}");
    fixture.authres.authserv_id = "";
    check_macros(&fixture, AM_STAGE_CONNECT, "j {daemon_name}");
    fixture_add(&fixture, &content_module, 0);
    check_macros(&fixture, AM_STAGE_ENVRCPT, "{rcpt_mailer}");
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_that_nobody_needs),
        cmocka_unit_test(scrubbing_takes_headers_without_answering),
        cmocka_unit_test(modules_add_up),
        cmocka_unit_test(a_poor_mta_sends_more_and_does_less),
        cmocka_unit_test(macros_are_the_ones_somebody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
