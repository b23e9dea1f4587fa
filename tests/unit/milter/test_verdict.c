#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/milter/verdict.h"

/* The order the contract promises, mildest first. */
static const enum am_verdict order[] = {AM_CONTINUE, AM_ACCEPT,  AM_QUARANTINE,
                                        AM_TEMPFAIL, AM_DISCARD, AM_REJECT};
#define COUNT (sizeof(order) / sizeof(order[0]))

static void the_most_severe_wins(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            struct am_decision into = {.verdict = order[i], .module = "first"};
            const struct am_decision other = {.verdict = order[j], .module = "second"};
            am_decision_merge(&into, &other);
            assert_int_equal(into.verdict, order[i > j ? i : j]);
            assert_string_equal(into.module, j > i ? "second" : "first");
        }
    }
}

static void what_is_no_verdict_changes_nothing(void **state)
{
    static const enum am_verdict none[] = {AM_CONTINUE, AM_DONE, AM_SKIP_BODY, AM_FAIL};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(am_verdict_severity(none[i]), 0);
}

static void the_class_of_a_reply_must_fit(void **state)
{
    const struct am_reply four = {.code = 451};
    const struct am_reply five = {.code = 550};

    (void)state;
    assert_true(am_verdict_takes_reply(AM_REJECT, &five));
    assert_true(am_verdict_takes_reply(AM_TEMPFAIL, &four));
    assert_false(am_verdict_takes_reply(AM_REJECT, &four));
    assert_false(am_verdict_takes_reply(AM_TEMPFAIL, &five));
    assert_false(am_verdict_takes_reply(AM_DISCARD, &five));
    assert_false(am_verdict_takes_reply(AM_REJECT, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_severe_wins),
        cmocka_unit_test(what_is_no_verdict_changes_nothing),
        cmocka_unit_test(the_class_of_a_reply_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
