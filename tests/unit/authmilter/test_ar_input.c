#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "authmilter/ar_input.h"

/* Cutting a stream into fields (AR-01: whole fields and values only, folding kept). */

/* The fields of an input as "line text|line text|". */
static char seen[4096];

static enum ar_input_status read_all(const char *data, size_t len)
{
    struct ar_input input;
    struct ar_field field;
    enum ar_input_status status;
    size_t at = 0, number = 0;
    FILE *file = fmemopen((void *)(uintptr_t)data, len, "rb");

    assert_non_null(file);
    seen[0] = '\0';
    ar_input_init(&input, file);
    while ((status = ar_input_next(&input, &field)) == AR_INPUT_FIELD) {
        assert_int_equal(field.number, ++number);
        assert_false(field.too_long);
        at += (size_t)snprintf(seen + at, sizeof(seen) - at, "%zu %.*s|", field.line,
                               (int)field.text.len, field.text.ptr);
        assert_true(at < sizeof(seen));
    }
    ar_input_fini(&input);
    fclose(file);
    return status;
}

static void fields_are_cut_at_unindented_lines(void **state)
{
    (void)state;
    static const struct {
        const char *input, *fields;
    } cases[] = {
        {"mx; none", "1 mx; none|"},
        {"mx; none\n", "1 mx; none|"},
        {"mx; none\r\n", "1 mx; none|"},
        {"mx;\n none\n", "1 mx;\n none|"},
        {"mx;\r\n\tnone\r\n", "1 mx;\r\n\tnone|"},
        {"mx; none\nmy; none\n", "1 mx; none|2 my; none|"},
        {"mx;\n none\nmy;\n none", "1 mx;\n none|3 my;\n none|"},
        {" mx; none\n\tmore\nmy; none\n", "1  mx; none\n\tmore|3 my; none|"},
        {"mx; none\n  \nmy; none\n", "1 mx; none\n  |3 my; none|"},
        {"mx; none\r", "1 mx; none\r|"},
        {"\xef\xbb\xbfmx; none\n", "1 mx; none|"},
        {"\xef\xbb\xbf"
         "Authentication-Results: mx; none\n",
         "1 Authentication-Results: mx; none|"},
        {"\xef\xbb\xbfSubject: x\nmx; none\n", "2 mx; none|"},
        {"my; none\n\xef\xbb\xbfmx; none\n", "1 my; none|2 \xef\xbb\xbfmx; none|"},
        {"mx;\rnone\n", "1 mx;\rnone|"},
        {"Authentication-Results: mx; none\n", "1 Authentication-Results: mx; none|"},
        {"ARC-Authentication-Results: i=1; mx; none\n",
         "1 ARC-Authentication-Results: i=1; mx; none|"},
        {"arc-AUTHENTICATION-results \t:i=1; mx; none\n",
         "1 arc-AUTHENTICATION-results \t:i=1; mx; none|"},
        {"Authentication-Results:\n", "1 Authentication-Results:|"},
        {"Authentication-Results:\n mx; none\n", "1 Authentication-Results:\n mx; none|"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].input, strlen(cases[i].input)), AR_INPUT_END);
        assert_string_equal(seen, cases[i].fields);
    }
}

static void other_fields_are_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *input, *fields;
    } cases[] = {
        {"Received: from a; date\n\tmx; none\nAuthentication-Results: mx; none\n",
         "3 Authentication-Results: mx; none|"},
        {"Subject:mx; none\nSubject : mx; none\nX-A.b_c!1: x\n", ""},
        {"X-Authentication-Results: mx; none\nAuthentication-Results-X: mx; none\n", ""},
        {"Content-Type:text/html; charset=utf-8\nX-Priority:3\nX-Score: 5; x\n", ""},
        {"mx; none\nReceived: x\nmy; none\nTo: y\n", "1 mx; none|3 my; none|"},
        {"Subject: x\n\nAuthentication-Results: mx; none\n", ""},
        {"Authentication-Results: mx; none\r\n\r\nmy; none\n",
         "1 Authentication-Results: mx; none|"},
        {"\nmx; none\n", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].input, strlen(cases[i].input)), AR_INPUT_END);
        assert_string_equal(seen, cases[i].fields);
    }
}

/* A value holds a colon too, but not as other fields do. */
static void values_with_colons_are_no_other_fields(void **state)
{
    (void)state;
    static const char *const values[] = {
        "host:25; none",
        "host:25 1; none",
        "host:25;none",
        "host:25\t 1 ; none",
        "mx.example.org:8025; spf=pass",
        "2001:db8::1; none",
        "fe80::1; none",
        "::1; none",
        "\"host:25\"; none",
        "(c: d) mx; none",
        "mx (c:d); none",
        "mx; iprev=pass policy.iprev=2001:db8::1",
        "mx;iprev=pass/policy:x",
        "mx=x: none",
        "user@host:x none",
        "i=1; mx; none",
        "no colon at all",
        "m\303\244x: none",
    };
    static const char *const others[] = {
        "host: 25; none", "host:25 x; none",   "host:25",
        "host:x; none",   "host:25 (c); none", "host:",
    };
    char expected[256];
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(read_all(values[i], strlen(values[i])), AR_INPUT_END);
        snprintf(expected, sizeof(expected), "1 %s|", values[i]);
        assert_string_equal(seen, expected);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(read_all(others[i], strlen(others[i])), AR_INPUT_END);
        assert_string_equal(seen, "");
    }
}

static void the_separator_of_a_mailbox_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *input, *fields;
    } cases[] = {
        {"From a@b Sat Nov 21 08:00:00 2026\nmx; none\n", "2 mx; none|"},
        {"From a@b Sat Nov 21 08:00:00 2026\r\nAuthentication-Results: mx; none\r\n",
         "2 Authentication-Results: mx; none|"},
        {"From 1; none\n", "1 From 1; none|"},
        {"from a@b\n", "1 from a@b|"},
        {"mx; none\nFrom a@b\n", "1 mx; none|2 From a@b|"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].input, strlen(cases[i].input)), AR_INPUT_END);
        assert_string_equal(seen, cases[i].fields);
    }
}

static void any_octet_is_kept(void **state)
{
    struct ar_input input;
    struct ar_field field;
    char data[258];
    (void)state;
    for (int i = 0; i < 256; i++)
        data[i] = (char)(i == '\n' ? 'n' : i);
    FILE *file = fmemopen(data, 256, "rb");
    assert_non_null(file);
    ar_input_init(&input, file);
    assert_int_equal(ar_input_next(&input, &field), AR_INPUT_FIELD);
    assert_int_equal(field.text.len, 256);
    assert_memory_equal(field.text.ptr, data, 256);
    assert_int_equal(ar_input_next(&input, &field), AR_INPUT_END);
    ar_input_fini(&input);
    fclose(file);
}

/* Makes an input of `before`, `len` times x, and `after`. */
static FILE *long_input(const char *before, size_t len, const char *after)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs(before, file);
    while (len-- > 0)
        putc('x', file);
    fputs(after, file);
    rewind(file);
    return file;
}

static void a_field_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *after;
        bool too_long;
    } cases[] = {
        {AR_PARSE_MAX, "", false},
        {AR_PARSE_MAX, "\n", false},
        {AR_PARSE_MAX, "\r\nmx", false},
        {AR_PARSE_MAX + 1, "\nmx", true},
        {AR_PARSE_MAX + 1, "\r\n", true},
        {AR_PARSE_MAX + 2, "", true},
        {AR_PARSE_MAX - 2, "\n x\nmx", true},
        {AR_PARSE_MAX - 2, "\n \nmx", false},
        {3 * AR_PARSE_MAX, "\n more\nmx", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ar_input input;
        struct ar_field field;
        FILE *file = long_input("", cases[i].len, cases[i].after);
        ar_input_init(&input, file);
        assert_int_equal(ar_input_next(&input, &field), AR_INPUT_FIELD);
        assert_int_equal(field.too_long, cases[i].too_long);
        if (strstr(cases[i].after, "\nmx") != NULL) {
            assert_int_equal(ar_input_next(&input, &field), AR_INPUT_FIELD);
            assert_false(field.too_long);
            assert_int_equal(field.text.len, 2);
        }
        assert_int_equal(ar_input_next(&input, &field), AR_INPUT_END);
        ar_input_fini(&input);
        fclose(file);
    }
}

static void long_other_fields_cost_no_memory(void **state)
{
    struct ar_input input;
    struct ar_field field;
    (void)state;
    FILE *file = long_input("Subject: a\n b", 8 * AR_PARSE_MAX, "\nmx; none\n");
    ar_input_init(&input, file);
    assert_int_equal(ar_input_next(&input, &field), AR_INPUT_FIELD);
    assert_int_equal(field.line, 3);
    assert_int_equal(field.number, 1);
    assert_true(input.text.capacity < AR_PARSE_MAX);
    ar_input_fini(&input);
    fclose(file);
}

static void what_cannot_be_read_is_told(void **state)
{
    struct ar_input input;
    struct ar_field field;
    (void)state;
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    FILE *file = fdopen(directory, "rb");
    assert_non_null(file);
    ar_input_init(&input, file);
    assert_int_equal(ar_input_next(&input, &field), AR_INPUT_UNREADABLE);
    assert_int_equal(errno, EISDIR);
    ar_input_fini(&input);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_cut_at_unindented_lines),
        cmocka_unit_test(other_fields_are_passed_over),
        cmocka_unit_test(values_with_colons_are_no_other_fields),
        cmocka_unit_test(the_separator_of_a_mailbox_is_passed_over),
        cmocka_unit_test(any_octet_is_kept),
        cmocka_unit_test(a_field_has_a_limit),
        cmocka_unit_test(long_other_fields_cost_no_memory),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
