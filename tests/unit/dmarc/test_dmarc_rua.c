#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "dmarc-milter/dmarc_rua.h"

/* Values of rua, and what is an address in them. */

static struct am_arena *arena;

static int new_arena(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    return arena == NULL;
}

static int free_arena(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static struct dmarc_rua parse(const char *text, size_t most)
{
    struct dmarc_rua rua;

    dmarc_rua_parse(&rua, arena, am_span_str(text), most);
    return rua;
}

static void uris_give_addresses(void **state)
{
    static const struct {
        const char *text, *address;
    } cases[] = {
        {"mailto:a@example.com", "a@example.com"},
        {"MAILTO:a@Example.COM", "a@example.com"},
        {" mailto:a@example.com ", "a@example.com"},
        {"mailto:A.b+c_d@example.com.", "A.b+c_d@example.com"},
        {"mailto:a@example.com!10m", "a@example.com"},
        {"mailto:a@example.com!500", "a@example.com"},
        {"mailto:a@example.com!10T", "a@example.com"},
        {"mailto:a%21b@example.com", "a!b@example.com"},
        {"mailto:a%2Bb@example.com", "a+b@example.com"},
        {"mailto:a@example.com?subject=x%0D%0ABcc:y@z.example", "a@example.com"},
        {"mailto:a@b\xc3\xbc"
         "cher.example",
         "a@xn--bcher-kva.example"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dmarc_rua rua = parse(cases[i].text, DMARC_RUA_MAX);

        if (rua.count != 1 || rua.malformed != 0)
            fail_msg("%s: not one address", cases[i].text);
        assert_string_equal(rua.uris[0].address, cases[i].address);
        assert_string_equal(rua.uris[0].domain, strchr(cases[i].address, '@') + 1);
    }
}

/* What could become an option, a second recipient or a header field further on is none. */
static void other_texts_give_none(void **state)
{
    static const char *const cases[] = {
        "a@example.com",
        "http://example.com/reports",
        "mailto:",
        "mailto:a",
        "mailto:@example.com",
        "mailto:a@",
        "mailto:a@localhost",
        "mailto:a@example..com",
        "mailto:a@[192.0.2.1]",
        "mailto:-fa@example.com",
        "mailto:%2Dfa@example.com",
        "mailto:a%2Cb@example.com",
        "mailto:a%20b@example.com",
        "mailto:a%0Ab@example.com",
        "mailto:a%0D%0ATo:b@example.com",
        "mailto:a%00@example.com",
        "mailto:a@example.com%00",
        "mailto:a%2@example.com",
        "mailto:a%@example.com",
        "mailto:a%zz@example.com",
        "mailto:\"a\"@example.com",
        "mailto:a b@example.com",
        "mailto:a;b@example.com",
        "mailto:a@b@example.com",
        "mailto:.a@example.com",
        "mailto:a.@example.com",
        "mailto:a..b@example.com",
        "mailto:a!b@example.com",
        "mailto:a@example.com!",
        "mailto:a@example.com!10x",
        "mailto:a@example.com!m",
        "mailto:\xff@example.com",
        "mailto:<a@example.com>",
        "mailto:a@example.com`",
        "mailto:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dmarc_rua rua = parse(cases[i], DMARC_RUA_MAX);

        if (rua.count != 0 || rua.malformed == 0)
            fail_msg("%s is taken", cases[i]);
    }
}

static void lists_are_taken_in_order_and_bounded(void **state)
{
    struct dmarc_rua rua = parse("mailto:a@example.com, mailto:b@example.com!1m,,mailto:A@x,"
                                 "https://x.example/,mailto:a@example.com,mailto:c@example.net",
                                 DMARC_RUA_MAX);

    (void)state;
    assert_int_equal(rua.count, 3);
    assert_string_equal(rua.uris[0].address, "a@example.com");
    assert_string_equal(rua.uris[1].address, "b@example.com");
    assert_string_equal(rua.uris[2].address, "c@example.net");
    assert_int_equal(rua.malformed, 2);
    assert_int_equal(rua.left_over, 0);
    rua = parse("mailto:a@example.com,mailto:b@example.com,mailto:a@example.com,mailto:c@x.example",
                2);
    assert_int_equal(rua.count, 2);
    assert_int_equal(rua.left_over, 1);
    rua = parse("", DMARC_RUA_MAX);
    assert_int_equal(rua.count + rua.malformed + rua.left_over, 0);
    rua = parse(" , ,", DMARC_RUA_MAX);
    assert_int_equal(rua.count + rua.malformed + rua.left_over, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uris_give_addresses, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(other_texts_give_none, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(lists_are_taken_in_order_and_bounded, new_arena,
                                        free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
