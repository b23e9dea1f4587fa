#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "srs-milter/srs_secrets.h"
#include "tests/support/arena_fixture.h"
#include "tests/support/failing_alloc.h"

/* The file of secrets: who may read it, and what stands in it. */

static char path[64];

static int setup(void **state)
{
    strcpy(path, "/tmp/srs-secrets-XXXXXX");
    int fd = mkstemp(path);

    if (fd < 0)
        return -1;
    close(fd);
    return make_arena(state);
}

static int teardown(void **state)
{
    unlink(path);
    return free_arena(state);
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void expect_refused(const char *words)
{
    struct am_problem problem;

    assert_null(srs_secrets_read(arena, path, &problem));
    if (strstr(problem.text, words) == NULL)
        fail_msg("\"%s\" does not hold \"%s\"", problem.text, words);
    assert_null(strstr(problem.text, "tell nobody"));
}

static void the_first_signs(void **state)
{
    (void)state;
    struct am_problem problem;

    write_file("# newest first\n\n  the newest of all \r\nthe one before it\n", 0640);
    const struct srs_secrets *secrets = srs_secrets_read(arena, path, &problem);
    assert_non_null(secrets);
    assert_int_equal(secrets->count, 2);
    assert_true(am_span_equal(secrets->items[0], am_span_str("the newest of all")));
    assert_true(am_span_equal(secrets->items[1], am_span_str("the one before it")));
}

static void who_may_read_it(void **state)
{
    (void)state;
    write_file("tell nobody this\n", 0644);
    expect_refused("chmod o=,g-w /tmp/srs-secrets-");
    write_file("tell nobody this\n", 0660);
    expect_refused("(mode 0660)");
    write_file("tell nobody this\n", 0600);
    struct am_problem problem;
    assert_non_null(srs_secrets_read(arena, path, &problem));
}

static void what_is_no_file(void **state)
{
    (void)state;
    unlink(path);
    expect_refused("openssl rand");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused("no ordinary file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused("no ordinary file");
    rmdir(path);
}

static void what_stands_in_it(void **state)
{
    (void)state;
    char text[2048] = "";

    write_file("", 0600);
    expect_refused("holds no secret");
    write_file("# only a comment\n", 0600);
    expect_refused("holds no secret");
    write_file("tell nobody this\nshort\n", 0600);
    expect_refused("line 2: a secret has 12 to 512 octets");
    for (int i = 0; i < SRS_SECRETS_MAX + 1; i++)
        strcat(text, "tell nobody this\n");
    write_file(text, 0600);
    expect_refused("line 17: more than 16 secrets");
    memset(text, 'x', 600);
    text[600] = '\0';
    write_file(text, 0600);
    expect_refused("line 1: a secret");
}

static void a_huge_file(void **state)
{
    (void)state;
    write_file("tell nobody this\n", 0600);
    assert_int_equal(truncate(path, 10 << 20), 0);
    expect_refused("too large");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bool failed = true;

    write_file("tell nobody this\nthe one before it\n", 0600);
    for (size_t n = 0; failed; n++) {
        struct am_problem problem;
        struct am_arena *small = am_arena_new(16, 0);
        assert_true(n < 100);
        failing_alloc_start(n);
        const struct srs_secrets *secrets = srs_secrets_read(small, path, &problem);
        failed = failing_alloc_stop();
        assert_true(failed || secrets != NULL);
        am_arena_free(small);
    }
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_signs),   TEST(who_may_read_it), TEST(what_is_no_file),
        TEST(what_stands_in_it), TEST(a_huge_file),     TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
