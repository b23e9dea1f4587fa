#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/milter/scrub.h"

static const char *const ids[] = {"mx.example.org", "old.example.org"};
static const char *const methods[] = {"spf"};

static struct am_scrub_policy policy_of(enum am_scrub mode)
{
    return (struct am_scrub_policy){
        .mode = mode, .ids = ids, .id_count = 2, .methods = methods, .method_count = 1};
}

static void judge_rows(void **state)
{
    static const struct {
        const char *value;
        bool all, own;
    } rows[] = {
        {" mx.example.org; spf=pass", true, true},
        {" MX.Example.ORG.; spf=pass", true, true},
        {" \"mx.example.org\"; spf=pass", true, true},
        {" (hi) mx.example.org (there) 1; spf=pass", true, true},
        {"\n\tmx.example.org;\n\tspf=pass", true, true},
        {" old.example.org; dkim=pass", true, false},
        {" mx.example.org; dkim=pass header.d=a.example", true, false},
        {" mx.example.org; dkim=pass; SPF=fail", true, true},
        {" mx.example.org; none", true, false},
        {" mx.example.org; dkim=pass (spf=pass)", true, false},
        {" mx.example.org; dkim=pass reason=\"; spf=pass\"", true, false},
        /* Results to who knows no escapes or no nesting */
        {" mx.example.org; dkim=pass (\\) ; spf=pass (\\))", true, true},
        {" mx.example.org; dkim=pass (a (b) ; spf=pass c)", true, true},
        {" mx.example.org; dkim=pass reason=\"\\\"; spf=pass \"", true, true},
        {" mx.example.org; dkim=pass header.i=\"\\\"; SPF=pass x\"@a.example", true, true},
        {" mx.example.org (\\) ; spf=pass (\\)); none", true, true},
        {" mx.example.org; dkim=pass (2048-bit \\(RSA\\) key)", true, false},
        {" mx.example.org; ===", true, true},
        {" mx.example.org", true, true},
        {" sub.mx.example.org; spf=pass", false, false},
        {" other.example.net; spf=pass", false, false},
        {" spf=pass smtp.mailfrom=mx.example.org", false, false},
    };
    const struct am_scrub_policy all = policy_of(AM_SCRUB_ALL);
    const struct am_scrub_policy own = policy_of(AM_SCRUB_OWN);
    const struct am_scrub_policy none = policy_of(AM_SCRUB_NONE);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_span value = am_span_str(rows[i].value);
        if (am_scrub_is_forged(&all, value) != rows[i].all ||
            am_scrub_is_forged(&own, value) != rows[i].own)
            fail_msg("wrong about \"%s\"", rows[i].value);
        assert_false(am_scrub_is_forged(&none, value));
    }
}

static void eight_interleaved_fields(void **state)
{
    static const char *const values[] = {
        " a.example; spf=fail",
        " mx.example.org; spf=pass",
        " b.example; spf=fail",
        " MX.EXAMPLE.ORG.; dkim=pass",
        " c.example; none",
        " (x) mx.example.org 1; spf=pass",
        " old.example.org; dmarc=pass",
        " d.example; spf=fail",
    };
    const struct am_scrub_policy policy = policy_of(AM_SCRUB_ALL);
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_scrub_list list = {0};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        am_scrub_take(&list, arena, &policy, am_span_str("Received"), am_span_str(values[1]));
        am_scrub_take(&list, arena, &policy,
                      am_span_str(i % 2 ? "AUTHENTICATION-results" : "Authentication-Results"),
                      am_span_str(values[i]));
    }
    assert_int_equal(list.seen, 8);
    assert_int_equal(am_scrub_count(&list), 4);
    assert_int_equal(am_scrub_nth(&list, 0), 7);
    assert_int_equal(am_scrub_nth(&list, 1), 6);
    assert_int_equal(am_scrub_nth(&list, 2), 4);
    assert_int_equal(am_scrub_nth(&list, 3), 2);
    am_arena_free(arena);
}

static void without_memory_every_field_goes(void **state)
{
    const struct am_scrub_policy policy = policy_of(AM_SCRUB_ALL);
    struct am_arena *arena = am_arena_new(64, 64);
    struct am_scrub_list list = {0};

    (void)state;
    for (size_t i = 0; i < 100; i++)
        am_scrub_take(&list, arena, &policy, am_span_str(AM_SCRUB_FIELD),
                      am_span_str(i % 2 ? " mx.example.org; spf=pass" : " a.example; spf=pass"));
    assert_int_equal(am_scrub_count(&list), 100);
    assert_int_equal(am_scrub_nth(&list, 0), 100);
    assert_int_equal(am_scrub_nth(&list, 99), 1);
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_rows),
        cmocka_unit_test(eight_interleaved_fields),
        cmocka_unit_test(without_memory_every_field_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
