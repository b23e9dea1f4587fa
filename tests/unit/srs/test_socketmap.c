#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "srs-milter/srs_module_socketmap.h"
#include "tests/support/arena_fixture.h"

/* The socketmap: netstrings, the two maps, and what a client can get wrong (SR-13). */

#define NOW INT64_C(1796126400)

static const struct srs_secrets secrets = {{{"new secret 12", 13}}, 1};
static struct srs_derived derived;
static struct srs_socketmap_counts counts;
static struct am_buf out;

static struct am_patterns *patterns(const char *pattern)
{
    struct am_problem problem;
    struct am_patterns *set = am_patterns_new(arena, 1);

    assert_non_null(set);
    if (pattern != NULL)
        assert_int_equal(am_patterns_add(set, am_span_str(pattern), 0, &problem), 0);
    return set;
}

static int setup(void **state)
{
    if (make_arena(state) != 0)
        return -1;
    derived = (struct srs_derived){
        .scheme = {.secrets = &secrets,
                   .domain = "fwd.example",
                   .separator = '=',
                   .hash_length = 4,
                   .hash_minimum = 4,
                   .max_age_days = 21},
        .own_senders = patterns("ours.example"),
        .sign_senders = patterns("signed.example"),
        .sign_domains = patterns("signed.example"),
    };
    counts = (struct srs_socketmap_counts){0};
    am_buf_init(&out, 0);
    return 0;
}

static int teardown(void **state)
{
    am_buf_fini(&out);
    return free_arena(state);
}

static const char *ask(const char *request)
{
    am_buf_clear(&out);
    srs_socketmap_answer(&derived, arena, am_span_str(request), NOW, &out, &counts);
    return am_buf_str(&out);
}

static void both_ways(void **state)
{
    (void)state;
    struct am_span text;
    size_t taken;

    ask("forward user@example.com");
    assert_int_equal(srs_netstring_take(am_buf_span(&out), &text, &taken), SRS_NETSTRING_WHOLE);
    assert_int_equal(taken, out.len);
    assert_true(am_span_starts_nocase(text, am_span_str("OK SRS0=")));
    const char *made = am_arena_copy(arena, am_span_of(text.ptr + 3, text.len - 3));
    assert_string_equal(ask(am_arena_printf(arena, "reverse %s", made)), "19:OK user@example.com,");
    assert_int_equal(counts.found, 2);
}

static void what_is_not_found(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "forward user@fwd.example",
        "forward user@OURS.example",
        "forward user@signed.example",
        "forward user",
        "forward @example.com",
        "forward ",
        "forward <>",
        "forward a@b@>",
        "reverse user@fwd.example",
        "reverse SRS0=aaaa=bb=x.example=y@other.example",
        "reverse @fwd.example",
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        assert_string_equal(ask(requests[i]), "9:NOTFOUND ,");
    assert_int_equal(counts.not_found, sizeof(requests) / sizeof(requests[0]));
    /* Forged: the mail server refuses it as unknown. */
    assert_string_equal(ask("reverse SRS0=aaaa=bb=x.example=y@fwd.example"), "9:NOTFOUND ,");
    assert_int_equal(counts.refused, 1);
}

static void unknown_maps(void **state)
{
    (void)state;
    assert_string_equal(ask("sideways user@example.com"),
                        "43:PERM there are the maps forward and reverse,");
    assert_string_equal(ask(""), "43:PERM there are the maps forward and reverse,");
    assert_string_equal(ask("forward"), "43:PERM there are the maps forward and reverse,");
}

static enum srs_netstring take(const char *input)
{
    struct am_span text;
    size_t taken;

    return srs_netstring_take(am_span_str(input), &text, &taken);
}

static void netstrings(void **state)
{
    (void)state;
    static const char *const parts[] = {"", "1", "12", "12:", "12:abc", "3:abc", "1024:x"};
    static const char *const bad[] = {":",     "x",      "-1:x,",       "3:abcd", "03:abc,", "00:,",
                                      "12345", "1025:x", "99999999999", "3;abc,", " 3:abc,"};
    struct am_span text;
    size_t taken;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_int_equal(take(parts[i]), SRS_NETSTRING_PART);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(take(bad[i]), SRS_NETSTRING_BAD);
    assert_int_equal(srs_netstring_take(am_span_str("0:,3:abc,"), &text, &taken),
                     SRS_NETSTRING_WHOLE);
    assert_int_equal(text.len, 0);
    assert_int_equal(taken, 3);
}

static void without_a_domain_nothing_is_done(void **state)
{
    (void)state;
    derived.scheme.domain = NULL;
    assert_string_equal(ask("forward user@example.com"), "9:NOTFOUND ,");
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_ways),
        TEST(what_is_not_found),
        TEST(unknown_maps),
        TEST(netstrings),
        TEST(without_a_domain_nothing_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
