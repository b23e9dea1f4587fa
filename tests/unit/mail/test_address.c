#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mail/address.h"

#define S(text) am_span_of((text), sizeof(text) - 1)

static void check_span(struct am_span span, const char *expected)
{
    assert_true(am_span_equal(span, am_span_str(expected)));
}

static void paths_are_split(void **state)
{
    static const struct {
        const char *path, *full, *local, *domain;
    } cases[] = {
        {"<user@example.com>", "user@example.com", "user", "example.com"},
        {"  <user@example.com>\r\n", "user@example.com", "user", "example.com"},
        {"user@example.com", "user@example.com", "user", "example.com"},
        {"<postmaster>", "postmaster", "postmaster", ""},
        {"<@example.net>", "@example.net", "", "example.net"},
        {"@example.net", "@example.net", "", "example.net"},
        {"<user@>", "user@", "user", ""},
        {"<@relay.example:user@example.com>", "user@example.com", "user", "example.com"},
        {"<@a.example,@b.example:user@c.example>", "user@c.example", "user", "c.example"},
        {"<@[IPv6:2001:db8::1]:user@c.example>", "user@c.example", "user", "c.example"},
        {"<user@[192.0.2.1]>", "user@[192.0.2.1]", "user", "[192.0.2.1]"},
        {"<user@[IPv6:2001:db8::1]>", "user@[IPv6:2001:db8::1]", "user", "[IPv6:2001:db8::1]"},
        {"<\"a@b\"@example.com>", "\"a@b\"@example.com", "\"a@b\"", "example.com"},
        {"<\"a\\\"b>\"@example.com>", "\"a\\\"b>\"@example.com", "\"a\\\"b>\"", "example.com"},
        {"<\"a b\"@example.com>", "\"a b\"@example.com", "\"a b\"", "example.com"},
        {"<\"@r:x\"@example.com>", "\"@r:x\"@example.com", "\"@r:x\"", "example.com"},
        {"<a@b@example.com>", "a@b@example.com", "a@b", "example.com"},
        {"<a\\>b@example.com>", "a\\>b@example.com", "a\\>b", "example.com"},
        {"<\xC3\xBC@b\xC3\xBC.example>", "\xC3\xBC@b\xC3\xBC.example", "\xC3\xBC",
         "b\xC3\xBC.example"},
        {"<a:b@example.com>", "a:b@example.com", "a:b", "example.com"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_address address;
        assert_true(am_address_parse(&address, am_span_str(cases[i].path)));
        check_span(address.full, cases[i].full);
        check_span(address.local, cases[i].local);
        check_span(address.domain, cases[i].domain);
        assert_false(address.is_null);
    }
}

static void the_null_sender_is_known(void **state)
{
    static const char *const cases[] = {"<>", " <> ", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_address address;
        assert_true(am_address_parse(&address, am_span_str(cases[i])));
        assert_true(address.is_null);
        assert_int_equal(address.full.len, 0);
    }
}

static void what_is_no_path_is_kept_for_show(void **state)
{
    static const struct {
        const char *path, *full, *domain;
    } cases[] = {
        {"<user@example.com", "user@example.com", "example.com"},
        {"user@example.com>", "user@example.com", "example.com"},
        {"<user@example.com> SIZE=1", "user@example.com> SIZE=1", "example.com> SIZE=1"},
        {"<<user@example.com>>", "<user@example.com>", "example.com>"},
        {"<\"user@example.com>", "\"user@example.com", "example.com"},
        {"<a\"b@example.com>", "a\"b@example.com", "example.com"},
        {"<user@example.com\\>", "user@example.com\\", "example.com\\"},
        {"<@a.example:>", "@a.example:", "a.example:"},
        {"<", "", ""},
        {">", "", ""},
        {"\"", "\"", ""},
        {"\\", "\\", ""},
        {"<a\tb@example.com>", "a\tb@example.com", "example.com"},
        {"<a\x7F@example.com>", "a\x7F@example.com", "example.com"},
        {"<\x1B"
         "a@example.com>",
         "\x1B"
         "a@example.com",
         "example.com"},
        {"<><>", "><", ""},
        {"<a@b\rc>", "a@b\rc", "b\rc"},
    };
    struct am_address address;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(am_address_parse(&address, am_span_str(cases[i].path)));
        check_span(address.full, cases[i].full);
        check_span(address.domain, cases[i].domain);
        assert_false(address.is_null);
    }
    assert_false(am_address_parse(&address, S("<a\0@example.com>")));
}

static void long_input_is_no_trouble(void **state)
{
    static char big[100000];
    struct am_address address;

    (void)state;
    memset(big, '@', sizeof(big));
    assert_true(am_address_parse(&address, am_span_of(big, sizeof(big))));
    memset(big, '\\', sizeof(big));
    assert_true(am_address_parse(&address, am_span_of(big, sizeof(big))));
    memset(big, '<', sizeof(big));
    assert_false(am_address_parse(&address, am_span_of(big, sizeof(big))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_split),
        cmocka_unit_test(the_null_sender_is_known),
        cmocka_unit_test(what_is_no_path_is_kept_for_show),
        cmocka_unit_test(long_input_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
