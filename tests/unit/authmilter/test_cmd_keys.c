#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/authmilter/program.h"

/* authmilter keys as a person uses it, in a folder of the test's own. */

static char folder[] = "/tmp/cmd-keys-XXXXXX";

static int run(const char *arguments)
{
    return program_run("", arguments);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("k", 0700) != 0;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void expect_text(const char *text)
{
    if (strstr(program_output, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, program_output);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Makes a zone of the records that were printed in one line. */
static void publish(void)
{
    FILE *zone = fopen("zone", "ae");

    assert_non_null(zone);
    for (char *line = strtok(program_output, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strstr(line, " IN TXT \"") != NULL)
            fprintf(zone, "%s\n", line);
    fclose(zone);
}

static void made_and_shown(void **state)
{
    struct stat info;

    (void)state;
    assert_int_equal(run("keys new --directory k --selector one example.org"), 0);
    expect_text("For a zone file:");
    expect_text("oner._domainkey.example.org. IN TXT (");
    expect_text("onee._domainkey.example.org");
    expect_text("v=DKIM1; k=ed25519; p=");
    assert_int_equal(stat("k/example.org/oner.pem", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat("k/example.org", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    publish();
    assert_int_equal(run("keys list --directory k"), 0);
    expect_text("oner             rsa      new");
    assert_int_equal(run("keys status --directory k --zone zone --json example.org"), 0);
    json_t *all = json_loads(program_output, 0, NULL);
    assert_non_null(all);
    json_t *keys = json_object_get(json_array_get(json_object_get(all, "domains"), 0), "keys");
    assert_int_equal(json_array_size(keys), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *key = json_array_get(keys, i), *dns = json_object_get(key, "dns");
        assert_string_equal(json_string_value(json_object_get(key, "state")), "new");
        assert_string_equal(json_string_value(json_object_get(json_array_get(dns, 0), "shows")),
                            "right");
        assert_true(json_is_null(json_object_get(key, "warning")));
    }
    json_decref(all);
    assert_int_equal(run("keys record --directory k example.org oner"), 0);
    expect_text("oner._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p=");
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    assert_int_equal(run("keys new --directory k --selector one --type both example.org"), 69);
    expect_text("is there already and is not overwritten");
    assert_int_equal(run("keys list --directory k"), 0);
    expect_text("(generation 2)");
}

static void warned_of(void **state)
{
    (void)state;
    write_text("k/example.org/state.3", "authmilter-keys 1\n"
                                        "key oner rsa active 1 1 0 60 absent 100 mx1\n"
                                        "key onee ed25519 active 1 1 0 60 unknown 0 -\nend 2\n");
    assert_int_equal(run("keys list --directory k"), 1);
    expect_text("warning: mx1 has found its record absent");
    write_text("empty", "other.example.org. 60 IN A 192.0.2.1\n");
    assert_int_equal(run("keys status --directory k --zone empty example.org"), 1);
    expect_text("the zone file shows it as absent");
    expect_text("publish it again");
    write_text("k/example.org/state.4", "authmilter-keys 1\nkey on");
    assert_int_equal(run("keys list --directory k"), 1);
    expect_text("state.4 is cut off");
}

/* How far a key is on its way. */
static void progress_is_shown(void **state)
{
    (void)state;
    write_text("k/example.org/state.5",
               "authmilter-keys 1\n"
               "key oner rsa published 1 1 0 3600 unknown 0 - 1800 mx1-0123abcd\n"
               "key onee ed25519 active 1 1 0 60 unknown 0 -\nend 2\n");
    assert_int_equal(run("keys list --directory k"), 0);
    expect_text("shown for 1800 s at least, of 3600");
    assert_int_equal(run("keys list --directory k --json"), 0);
    json_t *all = json_loads(program_output, 0, NULL);
    assert_non_null(all);
    json_t *keys = json_object_get(json_array_get(json_object_get(all, "domains"), 0), "keys");
    json_t *seen = json_object_get(json_array_get(keys, 0), "seen");
    assert_int_equal(json_integer_value(json_object_get(seen, "seconds")), 1800);
    assert_string_equal(json_string_value(json_object_get(seen, "by")), "mx1-0123abcd");
    assert_true(json_is_null(json_object_get(json_array_get(keys, 1), "seen")));
    json_decref(all);
    write_text("k/example.org/state.6", "authmilter-keys 1\n"
                                        "key oner rsa active 1 1 0 60 absent 100 mx1\n"
                                        "key onee ed25519 active 1 1 0 60 unknown 0 -\nend 2\n");
}

static void retired_and_removed(void **state)
{
    (void)state;
    assert_int_equal(run("keys retire --directory k example.org onee"), 69);
    expect_text("add --force");
    assert_int_equal(run("keys retire --directory k --force --keep 0 example.org onee"), 0);
    assert_int_equal(run("keys retire --directory k example.org onee"), 69);
    expect_text("retired already");
    assert_int_equal(run("keys purge --directory k"), 0);
    expect_text("onee._domainkey.example.org may go");
    assert_int_not_equal(access("k/example.org/onee.pem", F_OK), 0);
    assert_int_equal(access("k/example.org/oner.pem", F_OK), 0);
    assert_int_equal(run("keys purge --directory k example.org"), 0);
    assert_string_equal(program_output, "");
    assert_int_equal(run("keys list --directory k"), 1);
    assert_null(strstr(program_output, "onee"));
}

/* Who asks which keys sign is told of managed ones, too. */
static void explained(void **state)
{
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), "dkim { managed_keys = \"%s/k\" }\n", folder);
    write_text("conf", text);
    write_text("k/example.org/state.100",
               "authmilter-keys 1\nkey oner rsa active 1 1 0 60 unknown 0 -\nend 1\n");
    assert_int_equal(run("sign --explain-sender a@example.org --config conf"), 0);
    expect_text("From example.org: 1 signature");
    expect_text("managed keys ");
    expect_text("s=oner");
    assert_int_not_equal(run("sign --explain-sender a@example.net --config conf"), 0);
}

static void wrong_usage(void **state)
{
    static const char *const rows[] = {"keys",
                                       "keys odd",
                                       "keys new",
                                       "keys retire example.org",
                                       "keys list a b",
                                       "keys list --keep x",
                                       "keys new --type dsa example.org",
                                       "keys new ..",
                                       "keys record",
                                       "keys purge a b c d"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (run(rows[i]) != 64)
            fail_msg("%s: %s", rows[i], program_output);
    assert_int_equal(run("keys list --directory nowhere"), 69);
    assert_int_equal(run("keys new --directory nowhere example.org"), 69);
    expect_text("install -d");
    assert_int_equal(run("keys --help"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_shown),      cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(warned_of),           cmocka_unit_test(progress_is_shown),
        cmocka_unit_test(retired_and_removed), cmocka_unit_test(explained),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
