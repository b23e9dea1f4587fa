#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/milter/ruling.h"
#include "fixture.h"

/* A module that carries one ruling out at every recipient. */

static struct fixture fixture;
static struct am_ruling ruling;
static enum am_verdict given; /* by the module; a session keeps a quarantine until the end */

static enum am_verdict on_rcpt(struct am_ctx *ctx, const struct am_address *recipient,
                               const struct am_esmtp_params *params, bool rejected)
{
    (void)recipient, (void)params, (void)rejected;
    return given = am_ruling_carry_out(ctx, am_ctx_msg_state(ctx), &ruling);
}

static const struct am_module module = {.abi = AM_MODULE_ABI,
                                        .name = "x",
                                        .summary = "rules",
                                        .msg_size = sizeof(struct am_ruling_state),
                                        .actions = AM_ACTION_QUARANTINE,
                                        .envrcpt = on_rcpt};

static struct am_session *session;

static int setup(void **state)
{
    (void)state;
    fixture_init(&fixture);
    fixture_add(&fixture, &module, AM_STAGE_ENVRCPT);
    session = fixture_connected(&fixture);
    ruling = (struct am_ruling){.decision = {.option = "fail"}};
    am_session_mail(session, "<s@example.com>", NULL, 0, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    am_session_free(session);
    fixture_fini(&fixture);
    return 0;
}

static enum am_verdict rule(enum am_policy_action action)
{
    fixture_forget(&fixture);
    ruling.decision.action = action;
    am_session_rcpt(session, "<r@example.org>", NULL, 0);
    return given;
}

/* The one note of the message, or NULL. */
static const char *note(void)
{
    const struct am_note *first = session->message->notes;

    if (first == NULL)
        return NULL;
    assert_string_equal(first->key, "x_rule");
    assert_null(first->next);
    return first->value;
}

static void accepting_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(rule(AM_POLICY_ACCEPT), AM_CONTINUE);
    assert_null(note());
    assert_string_equal(fixture_sent(&fixture), "");
}

static void refusals_have_codes_of_their_class(void **state)
{
    (void)state;
    ruling.status = "7.23";
    ruling.text = "no";
    assert_int_equal(rule(AM_POLICY_REJECT), AM_REJECT);
    assert_string_equal(fixture_sent(&fixture), "reply 550 5.7.23 no\n");
    assert_int_equal(rule(AM_POLICY_TEMPFAIL), AM_TEMPFAIL);
    assert_string_equal(fixture_sent(&fixture), "reply 451 4.7.23 no\n");
    assert_string_equal(note(), "fail = reject"); /* once for the message */
    ruling.text = NULL;
    assert_int_equal(rule(AM_POLICY_REJECT), AM_REJECT);
    assert_null(strstr(fixture_sent(&fixture), "7.23"));
}

static void an_override_is_named(void **state)
{
    static const struct am_override_rule partners = {.source = "/etc/map", .line = 12};

    (void)state;
    ruling.decision.rule = &partners;
    assert_int_equal(rule(AM_POLICY_QUARANTINE), AM_QUARANTINE);
    assert_string_equal(note(), "fail = quarantine (override /etc/map:12)");
    assert_string_equal(session->message->quarantine,
                        "x: fail = quarantine (override /etc/map:12)");
}

static void observing_does_nothing(void **state)
{
    (void)state;
    ruling.text = "no";
    assert_int_equal(rule(AM_POLICY_OBSERVE), AM_CONTINUE);
    assert_string_equal(session->message->observed, "x:reject fail = observe");
    ruling.transient = true;
    assert_int_equal(rule(AM_POLICY_OBSERVE), AM_CONTINUE);
    assert_non_null(strstr(session->message->observed, "x:tempfail fail = observe"));
    assert_string_equal(fixture_sent(&fixture), "");
    assert_int_equal(am_counters_read(fixture.counters, AM_COUNT_OBSERVED), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepting_says_nothing),
        TEST(refusals_have_codes_of_their_class),
        TEST(an_override_is_named),
        TEST(observing_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
