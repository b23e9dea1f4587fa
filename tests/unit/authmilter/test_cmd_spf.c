#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/authmilter/program.h"

static const char zone_text[] = "pass.example. 60 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                                "soft.example. 60 IN TXT \"v=spf1 ~all\"\n"
                                "neutral.example. 60 IN TXT \"v=spf1 ?all\"\n"
                                ";!servfail temp.example\n"
                                "perm.example. 60 IN TXT \"v=spf1 foo\"\n"
                                "evil.example. 60 IN TXT \"v=spf1 \\027[31mx\"\n"
                                "fail.example. 60 IN TXT \"v=spf1 include:pass.example -all\"\n";

static char zone_path[] = "cmd-spf-zone-XXXXXX";

static int make_zone(void **state)
{
    (void)state;
    int file = mkstemp(zone_path);
    if (file < 0 || write(file, zone_text, strlen(zone_text)) != (ssize_t)strlen(zone_text))
        return -1;
    return close(file);
}

static int remove_zone(void **state)
{
    (void)state;
    return unlink(zone_path);
}

/* Runs "authmilter ARGUMENTS" with the zone's path for $ZONE; returns the exit status. */
static int run(const char *arguments)
{
    char zone[64];

    snprintf(zone, sizeof(zone), "ZONE=%s;", zone_path);
    return program_run(zone, arguments);
}

#define SPF "spf --zone $ZONE --receiver mx.example.org "

static void exit_status_is_the_result(void **state)
{
    (void)state;
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@pass.example"), 0);
    assert_int_equal(run(SPF "--ip 192.0.2.2 --from u@fail.example"), 1);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@soft.example"), 2);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@neutral.example"), 3);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@none.example"), 4);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@temp.example"), 5);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --from u@perm.example"), 6);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --helo pass.example"), 0);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --helo pass.example --from '<>'"), 0);
    assert_int_equal(run(SPF "--ip 192.0.2.1 --helo pass.example --from u@soft.example"), 2);
}

static void wrong_usage_is_said(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "frobnicate",
        "spf",
        "spf --ip 192.0.2.1",
        "spf --ip 192.0.2.1 --from ''",
        "spf --ip nonsense --from u@e.example",
        "spf --ip 192.0.2.1 --from u@e.example extra",
        "spf --ip 192.0.2.1 --from u@e.example --engine none",
        "spf --ip 192.0.2.1 --from u@e.example --nameserver ns.example.com",
        "spf --unknown",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(run(wrong[i]), 64);
        assert_true(strlen(program_output) > 10);
    }
    assert_int_equal(run("spf --ip 192.0.2.1 --from u@e.example --zone /nonexistent"), 69);
    assert_non_null(strstr(program_output, "/nonexistent"));
}

static void help_and_version_succeed(void **state)
{
    (void)state;
    assert_int_equal(run("--help"), 0);
    assert_non_null(strstr(program_output, "spf"));
    assert_int_equal(run("--version"), 0);
    assert_string_equal(program_output, "authmilter " AM_VERSION "\n");
    assert_int_equal(run("spf --help"), 0);
    assert_non_null(strstr(program_output, "Exit status"));
}

static void the_table_shows_every_term(void **state)
{
    (void)state;
    run(SPF "--ip 192.0.2.1 --from u@fail.example");
    assert_non_null(strstr(program_output, "decided by   include:pass.example > ip4:192.0.2.1\n"));
    assert_non_null(strstr(program_output, "\n      ip4:192.0.2.1"));
    assert_non_null(strstr(program_output, "Authentication-Results: mx.example.org; spf=pass "
                                           "smtp.mailfrom=u@fail.example\n"));
}

static void json_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(
        run(SPF "--json --ip 192.0.2.1 --helo h.example --from u@x.example --record 'v=spf1 "
                "include:pass.example -all'"),
        0);
    json_t *root = json_loads(program_output, 0, NULL);
    assert_non_null(root);
    const char *identity, *result, *term;
    int terms;
    json_t *steps, *results = json_object_get(root, "results");
    assert_int_equal(json_array_size(results), 2);
    assert_int_equal(json_unpack(json_array_get(results, 0), "{s:s, s:s, s:s, s:i, s:o}",
                                 "identity", &identity, "result", &result, "term", &term, "terms",
                                 &terms, "steps", &steps),
                     0);
    assert_string_equal(identity, "mailfrom");
    assert_string_equal(result, "pass");
    assert_string_equal(term, "include:pass.example > ip4:192.0.2.1");
    assert_int_equal(terms, 1);
    assert_int_equal(json_array_size(steps), 4);
    json_decref(root);
}

static void hostile_text_is_escaped(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        SPF "--ip 192.0.2.1 --from u@evil.example",
        SPF "--ip 192.0.2.1 --helo \"$(printf '\\033[31m\\rh\\002')\" --from u@pass.example",
        SPF "--json --ip 192.0.2.1 --helo \"$(printf '\\033\\377h')\" --from u@evil.example",
        SPF "--ip 192.0.2.1 --from \"$(printf 'a\\033\\nb@\\001.example')\"",
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        run(hostile[i]);
        for (const char *c = program_output; *c != '\0'; c++)
            if ((unsigned char)*c < ' ' && *c != '\n')
                fail_msg("a raw control character in: %s", program_output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_is_the_result), cmocka_unit_test(wrong_usage_is_said),
        cmocka_unit_test(help_and_version_succeed),  cmocka_unit_test(the_table_shows_every_term),
        cmocka_unit_test(json_can_be_read),          cmocka_unit_test(hostile_text_is_escaped),
    };
    return cmocka_run_group_tests(tests, make_zone, remove_zone);
}
