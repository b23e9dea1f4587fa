#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/milter/capture.h"

/* How full the directory of cases is. */

static char directory[64];

static void put_file(const char *name, size_t bytes)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++)
        putc('x', file);
    fclose(file);
}

static void remove_file(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(unlink(path), 0);
}

/* The directory is read once a minute, every 5 seconds when it is full, and counted on. */
static void room_is_counted_and_seldom_read(void **state)
{
    struct am_capture_options options = {.max_cases = 3, .max_total_size = 1000};
    struct am_capture_room room = {0};
    struct am_problem problem;

    (void)state;
    strcpy(directory, "/tmp/test_capture.XXXXXX");
    assert_non_null(mkdtemp(directory));
    options.directory = directory;
    put_file("case-1.json", 100);
    put_file("other.json", 5000);
    assert_int_equal(am_capture_room_look(&room, &options, 100, &problem), AM_CAPTURE_SPACE);
    assert_int_equal(am_capture_room_take(&room, &options, 901, &problem), AM_CAPTURE_FULL);
    assert_non_null(strstr(problem.text, "capture.max_total_size"));
    assert_int_equal(am_capture_room_take(&room, &options, 900, &problem), AM_CAPTURE_SPACE);
    assert_int_equal(am_capture_room_look(&room, &options, 104, &problem), AM_CAPTURE_FULL);
    /* Read again: what was taken was never written. */
    assert_int_equal(am_capture_room_look(&room, &options, 105, &problem), AM_CAPTURE_SPACE);
    put_file("case-2.json", 0);
    put_file("case-3.json.new", 0);
    assert_int_equal(am_capture_room_look(&room, &options, 164, &problem), AM_CAPTURE_SPACE);
    assert_int_equal(am_capture_room_look(&room, &options, 165, &problem), AM_CAPTURE_FULL);
    assert_non_null(strstr(problem.text, "capture.max_cases"));
    remove_file("case-3.json.new");
    assert_int_equal(am_capture_room_look(&room, &options, 170, &problem), AM_CAPTURE_SPACE);
    assert_int_equal(am_capture_room_take(&room, &options, 1, &problem), AM_CAPTURE_SPACE);
    assert_int_equal(am_capture_room_take(&room, &options, 1, &problem), AM_CAPTURE_FULL);
    am_capture_room_give(&room, 1);
    assert_int_equal(am_capture_room_take(&room, &options, 1, &problem), AM_CAPTURE_SPACE);
    remove_file("case-1.json");
    remove_file("case-2.json");
    remove_file("other.json");
    assert_int_equal(rmdir(directory), 0);
    /* Gone: that is said, with the reason, and tried again each time. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(am_capture_room_look(&room, &options, 300 + i, &problem),
                         AM_CAPTURE_FAILED);
        assert_non_null(strstr(problem.text, "No such file or directory"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_counted_and_seldom_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
