#include "support.h"

static const char *const ids[] = {"mx.example.org", "b\303\274cher.example", ""};
static const struct ar_trust ours = {ids, 3, false}, ours_on_top = {ids, 3, true};

static struct ar_header *read_with(const char *value, enum ar_kind kind, bool lenient)
{
    const struct ar_parse_options options = {.kind = kind, .lenient = lenient};

    return ar_header_parse(NULL, value, strlen(value), &options, NULL);
}

/* Tells whether a value is trusted; it has to be readable. */
static bool trusted(const char *value, enum ar_kind kind, bool lenient)
{
    struct ar_header *header = read_with(value, kind, lenient);

    assert_non_null(header);
    bool is = ar_header_is_trusted(header, &ours);
    ar_header_free(header);
    return is;
}

static void ids_in_any_form(void **state)
{
    (void)state;
    static const char *const good[] = {
        "mx.example.org; none",        "MX.Example.ORG; none",
        "mx.example.org.; none",       "\"mx.example.org\"; none",
        "\"mx.exa\\mple.org\"; none",  "(who) mx.example.org (what) ; none",
        "xn--bcher-kva.example; none", "b\303\274cher.example; none",
        "mx.example.org 1; none",      "mx.example.org (v) 1 (w); spf=pass",
    };
    static const char *const bad[] = {
        "example.org; none",    "mx.example.org.example.com; none",     "a.mx.example.org; none",
        "mx-example.org; none", "\"mx.example.org x\"; none",           "\"\"; none",
        "\".\"; none",          "other.example (mx.example.org); none",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(trusted(good[i], AR_KIND_ANY, false));
        assert_true(trusted(good[i], AR_KIND_AR, true));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(trusted(bad[i], AR_KIND_ANY, false));
        assert_false(trusted(bad[i], AR_KIND_AR, true));
    }
}

/* RFC 8601 section 2.6 */
static void versions_we_do_not_know(void **state)
{
    (void)state;
    assert_false(trusted("mx.example.org 2; none", AR_KIND_AR, false));
    assert_false(trusted("mx.example.org 0; none", AR_KIND_AR, false));
    assert_false(trusted("mx.example.org 11; none", AR_KIND_AR, false));
    assert_true(trusted("mx.example.org 01; none", AR_KIND_AR, false));
}

static void what_was_forgiven(void **state)
{
    (void)state;
    /* Not the version, not the kind of field. */
    assert_false(trusted("mx.example.org 2b; spf=pass", AR_KIND_AR, true));
    assert_false(trusted("mx.example.org version 2; spf=pass", AR_KIND_AR, true));
    assert_false(trusted("i=1; mx.example.org; spf=pass", AR_KIND_AR, true));
    assert_false(trusted("spf=pass smtp.helo=mx.example.org", AR_KIND_AR, true));
    /* Other things. */
    assert_true(trusted("mx.example.org;; spf=pass;", AR_KIND_AR, true));
    assert_true(trusted("mx.example.org", AR_KIND_AR, true));
}

static void arc_never(void **state)
{
    (void)state;
    assert_false(trusted("i=1; mx.example.org; none", AR_KIND_ARC, false));
    assert_false(trusted("i=1; mx.example.org; none", AR_KIND_ANY, false));
    /* Nor when its instance is missing or out of range. */
    assert_false(trusted("mx.example.org; spf=pass", AR_KIND_ARC, true));
    assert_false(trusted("i=0; mx.example.org; spf=pass", AR_KIND_ARC, true));
    assert_false(trusted("i=51; mx.example.org; spf=pass", AR_KIND_ARC, true));
    assert_false(trusted("i=x; mx.example.org; spf=pass", AR_KIND_ARC, true));
    struct ar_header *h = new_header();
    assert_true(ar_header_is_trusted(h, &ours));
    assert_int_equal(ar_header_set_instance(h, 1), AR_OK);
    assert_false(ar_header_is_trusted(h, &ours));
    ar_header_free(h);
}

static void nobody_trusted(void **state)
{
    (void)state;
    const struct ar_trust nobody = {0};
    struct ar_header *h = new_header(), *without = ar_header_new(NULL);
    assert_false(ar_header_is_trusted(h, &nobody));
    assert_non_null(without);
    assert_false(ar_header_is_trusted(without, &ours));
    struct ar_cursor cursor = {0, 0};
    const struct ar_header *const stack[] = {h};
    assert_null(ar_trusted_next(stack, 1, &nobody, NULL, &cursor));
    cursor = (struct ar_cursor){0, 0};
    assert_null(ar_trusted_next(NULL, 0, &ours, NULL, &cursor));
    ar_header_free(h);
    ar_header_free(without);
}

enum { STACK = 8 };

/* A message's headers from the top, some of them ours. */
static void read_stack(struct ar_header **stack)
{
    static const char *const values[STACK] = {
        "mx.example.org; spf=pass smtp.helo=1; DKIM=pass header.d=a.example; dkim=fail",
        "mx.example.org; none",
        "mx.example.org. 1; dkim/2=pass; dkim/1=neutral; dmarc=pass",
        NULL, /* could not be read */
        "other.example; dkim=policy; spf=softfail",
        "i=1; mx.example.org; dkim=pass",
        "xn--bcher-kva.example; dkim=permerror; iprev=pass",
        "mx.example.org 2; dkim=temperror",
    };
    for (size_t i = 0; i < STACK; i++)
        stack[i] = values[i] == NULL ? NULL : read_with(values[i], AR_KIND_ANY, false);
}

/* Asserts the words of the results stepped through, blanks between. */
static void assert_steps(struct ar_header **stack, const struct ar_trust *trust, const char *method,
                         const char *expected)
{
    char words[200] = "";
    size_t len = 0;
    struct ar_cursor cursor = {0, 0};
    const struct ar_result *result;

    while ((result = ar_trusted_next((const struct ar_header *const *)stack, STACK, trust, method,
                                     &cursor)) != NULL)
        len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%s", len == 0 ? "" : " ",
                                ar_result_word(result));
    assert_string_equal(words, expected);
    /* The end stays the end. */
    assert_null(
        ar_trusted_next((const struct ar_header *const *)stack, STACK, trust, method, &cursor));
}

static void steps_through_a_stack(void **state)
{
    (void)state;
    struct ar_header *stack[STACK];
    read_stack(stack);
    assert_steps(stack, &ours, NULL, "pass pass fail neutral pass permerror pass");
    assert_steps(stack, &ours, "dkim", "pass fail neutral permerror");
    assert_steps(stack, &ours, "DMARC", "pass");
    assert_steps(stack, &ours, "arc", "");
    assert_steps(stack, &ours_on_top, NULL, "pass pass fail neutral pass");
    assert_steps(stack, &ours_on_top, "dkim", "pass fail neutral");
    assert_steps(stack, &ours_on_top, "iprev", "");
    for (size_t i = 0; i < STACK; i++)
        ar_header_free(stack[i]);
}

/* Each kind of header that is not trusted ends the top, wherever it stands. */
static void top_ends_at_the_first_stranger(void **state)
{
    (void)state;
    static const char *const strangers[] = {
        NULL,
        "other.example; none",
        "i=1; mx.example.org; none",
        "mx.example.org 2; none",
    };
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct ar_header *stack[STACK] = {NULL};
        for (size_t j = 0; j < STACK; j++)
            stack[j] = read_with("mx.example.org; spf=pass", AR_KIND_ANY, false);
        assert_steps(stack, &ours_on_top, NULL, "pass pass pass pass pass pass pass pass");
        ar_header_free(stack[2]);
        stack[2] = strangers[i] == NULL ? NULL : read_with(strangers[i], AR_KIND_ANY, false);
        assert_steps(stack, &ours_on_top, NULL, "pass pass");
        assert_steps(stack, &ours, NULL, "pass pass pass pass pass pass pass");
        ar_header_free(stack[0]);
        stack[0] = NULL;
        assert_steps(stack, &ours_on_top, NULL, "");
        for (size_t j = 0; j < STACK; j++)
            ar_header_free(stack[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_any_form),
        cmocka_unit_test(versions_we_do_not_know),
        cmocka_unit_test(what_was_forgiven),
        cmocka_unit_test(arc_never),
        cmocka_unit_test(nobody_trusted),
        cmocka_unit_test(steps_through_a_stack),
        cmocka_unit_test(top_ends_at_the_first_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
