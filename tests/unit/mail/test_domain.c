#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mail/domain.h"
#include "tests/support/failing_alloc.h"

#define S(text) am_span_of((text), sizeof(text) - 1)

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static void names_are_judged(void **state)
{
    static const struct {
        const char *name;
        bool valid, multi;
    } cases[] = {
        {"example.com", true, true},
        {"example.com.", true, true},
        {"_spf.example.com", true, true},
        {"localhost", true, false},
        {"localhost.", true, false},
        {"a.b-c.1", true, true},
        {"", false, false},
        {".", false, false},
        {"a..b", false, false},
        {".a.b", false, false},
        {"a.b..", false, false},
        {"a b.c", false, false},
        {"[192.0.2.1]", false, false},
        {"a.b/c", false, false},
        {"b\xC3\xBC.de", false, false},
        {L63 ".com", true, true},
        {L63 "d.com", false, false},
        {L63 "." L63 "." L63 "."
             "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghija",
         true, true},
        {L63 "." L63 "." L63 "."
             "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghija.",
         true, true},
        {L63 "." L63 "." L63 "."
             "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijab",
         false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(am_domain_is_valid(am_span_str(cases[i].name)), cases[i].valid);
        assert_int_equal(am_domain_is_multi_label(am_span_str(cases[i].name)), cases[i].multi);
    }
    assert_false(am_domain_is_valid(S("a\0.b")));
}

static void names_become_ascii(void **state)
{
    static const char *const cases[][2] = {
        {"Example.COM.", "example.com"},
        {"", ""},
        {"a..B", "a..b"},
        {"_SPF.B\xC3\xBC"
         "cher.example",
         "_spf.xn--bcher-kva.example"},
        {"B\xC3\x9C"
         "CHER.example.",
         "xn--bcher-kva.example"},
        {"stra\xC3\x9F"
         "e.example",
         "xn--strae-oqa.example"}, /* not transitional: no "strasse" */
        {"\xE4\xBE\x8B\xE3\x81\x88\xE3\x80\x82\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88",
         "xn--r8jz45g.xn--zckzah"}, /* ideographic full stop */
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"a b.c", "a b.c"},
        {"b\xFF.example", NULL},
        {"\xC3\xBC\xC2\x80.example", NULL},
    };
    struct am_arena *arena = am_arena_new(4096, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *ascii = am_domain_to_ascii(arena, am_span_str(cases[i][0]));
        if (cases[i][1] == NULL) {
            assert_null(ascii);
            continue;
        }
        assert_non_null(ascii);
        assert_string_equal(ascii, cases[i][1]);
    }
    assert_null(am_domain_to_ascii(arena, S("a\0b")));
    am_arena_free(arena);
}

static void conversion_is_bounded(void **state)
{
    struct am_arena *arena = am_arena_new(256, 0);
    static char big[20000];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(big); i += 2)
        memcpy(big + i, "\xC3\xBC", 2);
    assert_null(am_domain_to_ascii(arena, am_span_str(big)));
    big[400] = '\0'; /* one label of 200 characters */
    assert_null(am_domain_to_ascii(arena, am_span_str(big)));
    am_arena_free(arena);
    arena = am_arena_new(16, 16);
    assert_null(am_domain_to_ascii(arena, S("a-name-too-long-for-the-arena.example")));
    assert_null(am_domain_to_ascii(arena, S("b\xC3\xBC"
                                            "cher.a-name-too-long.example")));
    am_arena_free(arena);
    arena = am_arena_new(1024, 0);
    failing_alloc_start(0);
    assert_null(am_domain_to_ascii(arena, S("b\xC3\xBC"
                                            "cher.example")));
    assert_true(failing_alloc_stop());
    am_arena_free(arena);
}

static void names_are_compared(void **state)
{
    (void)state;
    assert_true(am_domain_equal(S("Example.com."), S("example.COM")));
    assert_false(am_domain_equal(S("example.com"), S("example.org")));
    assert_true(am_domain_is_within(S("a.b.Example.com"), S("example.com.")));
    assert_true(am_domain_is_within(S("example.com."), S("example.com")));
    assert_false(am_domain_is_within(S("badexample.com"), S("example.com")));
    assert_false(am_domain_is_within(S("com"), S("example.com")));
    assert_false(am_domain_is_within(S("example.com"), S("")));
    assert_false(am_domain_is_within(S("example.com"), S(".")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(names_become_ascii),
        cmocka_unit_test(conversion_is_bounded),
        cmocka_unit_test(names_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
