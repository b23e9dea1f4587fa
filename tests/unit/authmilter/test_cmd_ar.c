#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/authmilter/program.h"

/* What golden files cannot hold: wrong usage, hostile input, outputs that fail. */

static void says(const char *text)
{
    if (strstr(program_output, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, program_output);
}

static void wrong_usage_is_said(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "ar",
        "ar frobnicate",
        "ar parse --unknown </dev/null",
        "ar parse --width 70 </dev/null",
        "ar parse one two",
        "ar format --lenient </dev/null",
        "ar format --width </dev/null",
        "ar format --width 0 </dev/null",
        "ar format --width 999 </dev/null",
        "ar format --width -1 </dev/null",
        "ar format --width 70x </dev/null",
        "ar format --width 99999999999999999999 </dev/null",
        "ar format one two",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(program_run("", wrong[i]), 64);
        says("see 'authmilter ar --help'");
    }
    static const char *const help[] = {"ar --help", "ar parse --help", "ar format --crlf --help"};
    for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
        assert_int_equal(program_run("", help[i]), 0);
        says("Exit status");
    }
}

static void files_that_fail_are_named(void **state)
{
    (void)state;
    assert_int_equal(program_run("", "ar parse /nonexistent"), 69);
    says("authmilter ar: /nonexistent: No such file");
    assert_int_equal(program_run("", "ar parse /"), 69);
    says("authmilter ar: /: Is a directory");
    assert_int_equal(program_run("", "ar format /"), 69);
    says("authmilter ar: /: Is a directory");
    assert_int_equal(program_run("echo 'mx; none' | (", "ar parse 2>&1 >/dev/full)"), 69);
    says("authmilter ar: standard output: No space left");
    assert_int_equal(
        program_run("echo '{\"authserv_id\":\"mx\"}' | (", "ar format 2>&1 >/dev/full)"), 69);
    says("authmilter ar: standard output: No space left");
}

static void nothing_found_is_said(void **state)
{
    (void)state;
    assert_int_equal(program_run("", "ar parse </dev/null"), 1);
    assert_string_equal(program_output, "authmilter ar: standard input: no Authentication-Results "
                                        "or ARC-Authentication-Results field in it\n");
    assert_int_equal(program_run("printf 'Subject: x\\n\\nmx; none\\n' |", "ar parse"), 1);
    says("field before the empty line that ends the header\n");
    assert_int_equal(program_run("", "ar format </dev/null"), 1);
    says("no JSON object in it");
}

static void the_offset_counts_the_name_and_the_line_is_the_first(void **state)
{
    (void)state;
    assert_int_equal(
        program_run("printf 'Subject: x\\nauthentication-results : mx;\\r\\n spf pass\\n' |",
                    "ar parse -"),
        1);
    says("authmilter ar: standard input:2: field 1: octet 35: expected an equals sign");
}

static void any_octets_are_read(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        "printf 'mx;\\000 none\\n' |",
        "printf 'mx; spf=pass (\\000)\\n' |",
        "printf 'mx; spf=pass (\\377\\376)\\n' |",
        "printf '\\000\\001\\002\\200\\377;\\033[31m(\\\"' |",
        "printf 'mx; spf=p\\033ss smtp.helo=\\033[31m\\n' |",
    };
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        assert_int_equal(program_run(inputs[i], "ar parse"), 1);
        says(": field 1: octet ");
        program_run(inputs[i], "ar parse --lenient");
        assert_int_equal(strlen(program_output), program_output_len);
        for (const char *c = program_output; *c != '\0'; c++)
            if ((unsigned char)*c < ' ' && *c != '\n')
                fail_msg("a raw control character in: %s", program_output);
    }
}

static void too_long_a_field_is_refused_alone(void **state)
{
    (void)state;
    assert_int_equal(
        program_run("{ echo 'a; none'; printf 'Authentication-Results: mx; spf=pass ('; "
                    "head -c 300000 /dev/zero | tr '\\0' x; echo ')'; "
                    "echo 'b; none'; } |",
                    "ar parse"),
        1);
    says("{\"authserv_id\":\"a\",");
    says("{\"authserv_id\":\"b\",");
    says("authmilter ar: standard input:2: field 2: octet 262144: expected the end of the field\n");
}

static void format_goes_on_after_what_it_refuses(void **state)
{
    (void)state;
    assert_int_equal(
        program_run("printf '{\"authserv_id\":\"a\"}\\n{\"authserv_id\":\"\\303\\244\"}\\n"
                    "{\"authserv_id\":\"b\",\"instance\":2}\\n{\"x\\n' |",
                    "ar format"),
        1);
    says("Authentication-Results: a; none\n");
    says("ARC-Authentication-Results: i=2; b; none\n");
    says("authmilter ar: standard input:2: object 2: authserv_id: UTF-8 needs --utf8");
    says("authmilter ar: standard input:4: object 4: no JSON: ");
    assert_int_equal(program_run("printf '{\"authserv_id\":\"\\303\\244\"}' |", "ar format --utf8"),
                     0);
    assert_string_equal(program_output, "Authentication-Results: \"\303\244\"; none\n");
}

static void a_line_that_cannot_be_folded_is_refused(void **state)
{
    (void)state;
    assert_int_equal(program_run("{ printf '{\"authserv_id\":\"a\",\"comments\":[\"'; "
                                 "head -c 1000 /dev/zero | tr '\\0' x; echo '\"]}'; } |",
                                 "ar format"),
                     1);
    assert_string_equal(program_output,
                        "authmilter ar: standard input:1: object 1: a word without blanks makes a "
                        "line longer than 998 octets\n");
}

static void the_layout_is_as_asked(void **state)
{
    (void)state;
    static const char *const input =
        "echo '{\"authserv_id\":\"a\",\"results\":[{\"method\":\"spf\",\"result\":\"pass\"}]}' |";
    assert_int_equal(program_run(input, "ar format --no-name"), 0);
    assert_string_equal(program_output, "a; spf=pass\n");
    assert_int_equal(program_run(input, "ar format --width 30 --crlf"), 0);
    assert_string_equal(program_output, "Authentication-Results: a;\r\n spf=pass\r\n");
    assert_int_equal(program_run(input, "ar format --width 36"), 0);
    assert_string_equal(program_output, "Authentication-Results: a; spf=pass\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_is_said),
        cmocka_unit_test(files_that_fail_are_named),
        cmocka_unit_test(nothing_found_is_said),
        cmocka_unit_test(the_offset_counts_the_name_and_the_line_is_the_first),
        cmocka_unit_test(any_octets_are_read),
        cmocka_unit_test(too_long_a_field_is_refused_alone),
        cmocka_unit_test(format_goes_on_after_what_it_refuses),
        cmocka_unit_test(a_line_that_cannot_be_folded_is_refused),
        cmocka_unit_test(the_layout_is_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
