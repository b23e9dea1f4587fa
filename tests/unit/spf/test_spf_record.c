#include "tests/unit/spf/fixture.h"

#include <string.h>

#include "spf-milter/spf_record.h"

static enum spf_parse_status parse(struct am_span text)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct spf_record record;
    struct am_span bad;
    enum spf_parse_status status = spf_record_parse(arena, text, &record, &bad);
    am_arena_free(arena);
    return status;
}

static void version_ends_in_a_blank_or_the_end(void **state)
{
    (void)state;
    assert_true(spf_record_is_spf(am_span_str("v=spf1")));
    assert_true(spf_record_is_spf(am_span_str("V=SPF1 -all")));
    assert_false(spf_record_is_spf(am_span_str("v=spf10")));
    assert_false(spf_record_is_spf(am_span_str("v=spf1\t-all")));
    assert_false(spf_record_is_spf(am_span_str(" v=spf1 -all")));
    assert_false(spf_record_is_spf(am_span_str("v=spf")));
}

static void good_records_are_taken(void **state)
{
    static const char *const good[] = {
        "v=spf1",
        "v=spf1   ",
        "v=spf1 a",
        "v=spf1 +A/24//64  ?MX:example.com -ALL",
        "v=spf1 a//0",
        "v=spf1 a:b.c/0",
        "v=spf1 ip4:0.0.0.0/0 ip6:::/0 ip6:::1",
        "v=spf1 a:_x.example.xn--p1ai.",
        "v=spf1 exists:%{ir}.%{v}._spf.%{d2}",
        "v=spf1 exists:%{l999r-}.x.example",
        "v=spf1 exists:%{L1R.-+,/_=}",
        "v=spf1 include:a%%",
        "v=spf1 redirect=a.b EXP=%{d}.c x-y_z.w=%{s}%_%-",
        "v=spf1 u=",
        "v=spf1 ptr ptr:a.b",
        "v=spf1 a:1.2.3.4a",
        "v=spf1 a:foo:bar/baz.example",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (parse(am_span_str(good[i])) != SPF_PARSE_OK)
            fail_msg("refused: %s", good[i]);
}

static void bad_records_are_refused(void **state)
{
    static const char *const bad[] = {
        "v=spf1 foo",
        "v=spf1 all:",
        "v=spf1 all/8",
        "v=spf1 -",
        "v=spf1 +-all",
        "v=spf1 a/33",
        "v=spf1 a/032",
        "v=spf1 a//129",
        "v=spf1 a/24/64",
        "v=spf1 a/",
        "v=spf1 a//",
        "v=spf1 a:example.com/24/16",
        "v=spf1 ip4",
        "v=spf1 ip4:",
        "v=spf1 ip4:1.2.3",
        "v=spf1 ip4:1.2.3.4/33",
        "v=spf1 ip4:1.2.3.4:25",
        "v=spf1 ip4:1.2.3.4/99999999999",
        "v=spf1 ip4:01.2.3.4",
        "v=spf1 ip4:1.2.3.4//32",
        "v=spf1 ip6:1::2::3",
        "v=spf1 ip6:::1/129",
        "v=spf1 ip6:fe80::1%eth0",
        "v=spf1 a:museum",
        "v=spf1 a:museum.",
        "v=spf1 a:1.2.3.4",
        "v=spf1 a:x.-com",
        "v=spf1 a:x.com-",
        "v=spf1 a:x.com:8080",
        "v=spf1 a:",
        "v=spf1 include",
        "v=spf1 include:a.b/24",
        "v=spf1 exists",
        "v=spf1 ptr/24",
        "v=spf1 redirect:a.b",
        "v=spf1 exists:%{x}.a.b",
        "v=spf1 exists:%{d0}.a.b",
        "v=spf1 exists:%{d",
        "v=spf1 exists:%",
        "v=spf1 exists:%{}",
        "v=spf1 exists:%{dr2}.a.b",
        "v=spf1 exists:%{d:}.a.b",
        "v=spf1 exists:%{c}.a.b",
        "v=spf1 exists:%{d}.",
        "v=spf1 exists:a.b%",
        "v=spf1 u=%x",
        "v=spf1 exp=",
        "v=spf1 redirect=-all",
        "v=spf1 1x=y",
        "v=spf1 =y",
        "v=spf1 a\tmx",
        "v=spf1 a:\x80.com",
        "v=spf1 a\x7f",
        "v=spf1 a:x.com\r\nX-Bad: 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(am_span_str(bad[i])) != SPF_PARSE_SYNTAX)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(parse(am_span_of("v=spf1 a:x.com\0", 15)), SPF_PARSE_SYNTAX);
    assert_int_equal(parse(am_span_of("v=spf1 ip4:1.2.3.4\0z", 20)), SPF_PARSE_SYNTAX);
}

static void modifiers_come_once(void **state)
{
    (void)state;
    assert_int_equal(parse(am_span_str("v=spf1 redirect=a.b Redirect=a.b")), SPF_PARSE_DUPLICATE);
    assert_int_equal(parse(am_span_str("v=spf1 exp=a.b -all exp=c.d")), SPF_PARSE_DUPLICATE);
    assert_int_equal(parse(am_span_str("v=spf1 x=a x=b")), SPF_PARSE_OK);
}

static void terms_hold_what_was_written(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct spf_record record;
    struct am_span bad;
    (void)state;
    assert_int_equal(spf_record_parse(arena,
                                      am_span_str("v=spf1 exp=e.example ~a:%{l}.b.c/8//16 u=v "
                                                  "-ip4:198.51.100.0/24 redirect=r.example ?all"),
                                      &record, &bad),
                     SPF_PARSE_OK);
    assert_int_equal(record.count, 3);
    assert_int_equal(record.terms[0].kind, SPF_KIND_A);
    assert_int_equal(record.terms[0].result, SPF_SOFTFAIL);
    assert_int_equal(record.terms[0].prefix4, 8);
    assert_int_equal(record.terms[0].prefix6, 16);
    assert_true(am_span_equal(record.terms[0].spec, am_span_str("%{l}.b.c")));
    assert_int_equal(record.terms[1].kind, SPF_KIND_IP4);
    assert_int_equal(record.terms[1].result, SPF_FAIL);
    assert_int_equal(record.terms[1].prefix4, 24);
    assert_memory_equal(record.terms[1].address, "\xc6\x33\x64\x00", 4);
    assert_int_equal(record.terms[2].result, SPF_NEUTRAL);
    assert_true(am_span_equal(record.exp->spec, am_span_str("e.example")));
    assert_true(am_span_equal(record.redirect->spec, am_span_str("r.example")));
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_ends_in_a_blank_or_the_end),
        cmocka_unit_test(good_records_are_taken),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(modifiers_come_once),
        cmocka_unit_test(terms_hold_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
