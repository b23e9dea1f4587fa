#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

/* Whole files, or a reason. */

static char folder[] = "/tmp/test-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void written_and_read(void **state)
{
    struct am_problem problem;
    struct am_buf text, again;

    (void)state;
    am_buf_init(&text, 0);
    am_buf_init(&again, 0);
    for (int i = 0; i < 100000; i++)
        am_buf_add_char(&text, (char)i);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(am_file_write_all(fd, am_buf_span(&text)));
    assert_int_equal(close(fd), 0);
    am_buf_add_str(&again, "in front ");
    assert_true(am_file_read(path, &again, &problem));
    assert_int_equal(again.len, text.len + 9);
    assert_memory_equal(again.data + 9, text.data, text.len);
    am_buf_fini(&again);
    am_buf_fini(&text);
}

static void too_large(void **state)
{
    struct am_problem problem;
    struct am_buf text;

    (void)state;
    am_buf_init(&text, 99999);
    assert_false(am_file_read(path, &text, &problem));
    assert_non_null(strstr(problem.text, "file cannot be read: File too large"));
    am_buf_fini(&text);
    am_buf_init(&text, 100000);
    assert_true(am_file_read(path, &text, &problem));
    am_buf_fini(&text);
}

/* A pipe without a writer is refused at once, not waited for. */
static void no_regular_file(void **state)
{
    struct am_problem problem;
    struct am_buf text;

    (void)state;
    am_buf_init(&text, 0);
    assert_false(am_file_read(folder, &text, &problem));
    assert_non_null(strstr(problem.text, "is no regular file"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(am_file_read(path, &text, &problem));
    assert_non_null(strstr(problem.text, "is no regular file"));
    assert_int_equal(unlink(path), 0);
    assert_false(am_file_read(path, &text, &problem));
    assert_non_null(strstr(problem.text, "file cannot be opened: No such file"));
    am_buf_fini(&text);
}

static void what_cannot_be_written(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_false(am_file_write_all(fd, am_span_str("text")));
    assert_int_equal(errno, ENOSPC);
    assert_true(am_file_write_all(fd, am_span_of(NULL, 0)));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(too_large),
        cmocka_unit_test(no_regular_file),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
