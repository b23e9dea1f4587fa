#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/milter/watch.h"

static char directory[64], path[80], other[80], link_path[80];
static struct am_watch *watch;

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_watch.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/map", directory);
    snprintf(other, sizeof(other), "%s/other", directory);
    snprintf(link_path, sizeof(link_path), "%s/link", directory);
    put(path, "a");
    watch = am_watch_new(NULL);
    return watch == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    am_watch_free(watch);
    unlink(path);
    unlink(other);
    unlink(link_path);
    return rmdir(directory);
}

static void watch_one(const char *name)
{
    am_watch_set(watch, &(struct am_watch_path){.path = name}, 1);
}

static void sees_writing_in_place(void **state)
{
    (void)state;
    watch_one(path);
    assert_false(am_watch_read(watch));
    put(path, "b");
    assert_true(am_watch_read(watch));
    assert_false(am_watch_read(watch));
}

static void sees_replacement_by_rename_again_and_again(void **state)
{
    (void)state;
    watch_one(path);
    for (int i = 0; i < 3; i++) {
        put(other, "c");
        assert_false(am_watch_read(watch));
        assert_int_equal(rename(other, path), 0);
        assert_true(am_watch_read(watch));
    }
}

static void sees_the_target_of_a_link(void **state)
{
    (void)state;
    assert_int_equal(symlink(path, link_path), 0);
    watch_one(link_path);
    put(path, "d");
    assert_true(am_watch_read(watch));
    unlink(link_path);
    assert_int_equal(symlink(other, link_path), 0);
    assert_true(am_watch_read(watch));
}

static void keeps_changes_that_come_while_the_set_is_renewed(void **state)
{
    (void)state;
    watch_one(path);
    put(path, "e");
    watch_one(path);
    assert_true(am_watch_read(watch));
}

static void forgets_what_is_not_asked_for(void **state)
{
    (void)state;
    watch_one(path);
    am_watch_set(watch, NULL, 0);
    put(path, "f");
    assert_false(am_watch_read(watch));
    watch_one("/nonexistent/map"); /* logged, no harm */
    watch_one("relative");
    assert_false(am_watch_read(watch));
}

static void sees_all_files_of_a_directory(void **state)
{
    char slashed[80];
    (void)state;
    snprintf(slashed, sizeof(slashed), "%s/", directory);
    watch_one(slashed);
    put(other, "g");
    assert_true(am_watch_read(watch));
    unlink(other);
    assert_true(am_watch_read(watch));
    assert_false(am_watch_read(watch));
}

/* A database's log is made, opened and closed by those who read it; only writes are news. */
static void sees_writes_to_a_file_that_stays_open(void **state)
{
    struct am_watch_path paths[] = {{path, true}, {other, true}};
    (void)state;
    am_watch_set(watch, paths, 2);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_false(am_watch_read(watch));
    fputs("h", file);
    fflush(file);
    assert_true(am_watch_read(watch));
    fclose(file);
    assert_false(am_watch_read(watch));
    put(other, "");
    assert_false(am_watch_read(watch));
    assert_int_equal(rename(other, path), 0);
    assert_true(am_watch_read(watch));
    /* Beside it in the same directory, files that are watched as usual. */
    paths[1].writes = false;
    am_watch_set(watch, paths, 2);
    put(other, "");
    assert_true(am_watch_read(watch));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sees_writing_in_place),
        TEST(sees_replacement_by_rename_again_and_again),
        TEST(sees_the_target_of_a_link),
        TEST(keeps_changes_that_come_while_the_set_is_renewed),
        TEST(forgets_what_is_not_asked_for),
        TEST(sees_all_files_of_a_directory),
        TEST(sees_writes_to_a_file_that_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
