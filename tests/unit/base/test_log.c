#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/log.h"

/* Standard error goes to an unlinked file while a test runs. */
static int saved, capture;
static char output[20000];

static int start_capture(void **state)
{
    char path[] = "authmilter-log-XXXXXX";

    (void)state;
    capture = mkstemp(path);
    unlink(path);
    saved = dup(STDERR_FILENO);
    dup2(capture, STDERR_FILENO);
    return capture < 0;
}

static int end_capture(void **state)
{
    (void)state;
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(capture);
    unsetenv("JOURNAL_STREAM");
    return 0;
}

/* Returns what was written since the last call. */
static const char *written(void)
{
    ssize_t len = pread(capture, output, sizeof(output) - 1, 0);

    output[len > 0 ? len : 0] = '\0';
    assert_int_equal(ftruncate(capture, 0), 0);
    lseek(capture, 0, SEEK_SET);
    return output;
}

static void open_log(enum am_log_format format, enum am_log_level level)
{
    const struct am_log_options options = {AM_LOG_STDERR, format, level, LOG_MAIL};

    am_log_open("prog", &options);
}

static void sentences_are_escaped(void **state)
{
    (void)state;
    open_log(AM_LOG_KEYVALUE, AM_LOG_INFO);
    am_log(AM_LOG_INFO, "a\nb\\ %s", "\x1B[0m \xFF \xC2\x9B \xC3\xBC\x7F");
    assert_string_equal(written(), "prog: a\\x0Ab\\\\ \\x1B[0m \\xFF \\xC2\\x9B \xC3\xBC\\x7F\n");
    /* A line separator, and a character that shows what follows from right to left */
    am_log(AM_LOG_INFO, "x\xE2\x80\xA8y\xE2\x80\xAEz");
    assert_string_equal(written(), "prog: x\\xE2\\x80\\xA8y\\xE2\\x80\\xAEz\n");
    am_log(AM_LOG_WARNING, "careful");
    assert_string_equal(written(), "prog: warning: careful\n");
    am_log(AM_LOG_DEBUG, "not wanted");
    assert_string_equal(written(), "");
    assert_false(am_log_enabled(AM_LOG_DEBUG));
    assert_true(am_log_enabled(AM_LOG_ERROR));
}

static void values_are_quoted_as_needed(void **state)
{
    struct am_log_line line;

    (void)state;
    open_log(AM_LOG_KEYVALUE, AM_LOG_INFO);
    am_log_line_begin(&line, AM_LOG_INFO, "message");
    am_log_line_str(&line, "plain", "a.b@c");
    am_log_line_str(&line, "blank", "a b");
    am_log_line_str(&line, "quote", "say \"x\"");
    am_log_line_str(&line, "equals", "a=b");
    am_log_line_str(&line, "empty", "");
    am_log_line_str(&line, "none", NULL);
    am_log_line_text(&line, "bytes", am_span_of("x\0\xE9", 3));
    am_log_line_int(&line, "number", -5);
    am_log_line_end(&line);
    assert_string_equal(written(),
                        "prog: event=message plain=a.b@c blank=\"a b\" quote=\"say \\\"x\\\"\" "
                        "equals=\"a=b\" empty=\"\" bytes=\"x\\x00\\xE9\" number=-5\n");
    am_log_line_begin(&line, AM_LOG_DEBUG, "message");
    am_log_line_str(&line, "key", "value");
    am_log_line_end(&line);
    assert_string_equal(written(), "");
}

static void json_is_valid(void **state)
{
    struct am_log_line line;
    json_t *object;

    (void)state;
    open_log(AM_LOG_JSON, AM_LOG_INFO);
    am_log_line_begin(&line, AM_LOG_INFO, "message");
    am_log_line_text(&line, "odd", am_span_of("q\" b\\ \n \xE9 \xC3\xBC \xC2\x9B", 15));
    am_log_line_int(&line, "number", 7);
    am_log_line_end(&line);
    object = json_loads(written(), 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "event")), "message");
    assert_string_equal(json_string_value(json_object_get(object, "odd")),
                        "q\" b\\ \n \\xE9 \xC3\xBC \xC2\x9B");
    assert_int_equal(json_integer_value(json_object_get(object, "number")), 7);
    json_decref(object);
    am_log(AM_LOG_ERROR, "bad\x01thing");
    assert_string_equal(written(), "{\"level\":\"error\",\"message\":\"bad\\u0001thing\"}\n");
    am_log(AM_LOG_ERROR, "x\xE2\x80\xA8y\xC2\x9Bz");
    assert_string_equal(written(), "{\"level\":\"error\",\"message\":\"x\\u2028y\\u009bz\"}\n");
}

static void long_lines_are_cut_visibly(void **state)
{
    static char big[30000];
    struct am_log_line line;
    json_t *object;

    (void)state;
    memset(big, '\n', sizeof(big) - 1);
    for (int json = 0; json < 2; json++) {
        open_log(json ? AM_LOG_JSON : AM_LOG_KEYVALUE, AM_LOG_INFO);
        am_log_line_begin(&line, AM_LOG_INFO, "message");
        am_log_line_str(&line, "big", big);
        am_log_line_str(&line, "lost", "value");
        am_log_line_end(&line);
        written();
        assert_in_range(strlen(output), 8000, 8192 + 8);
        assert_non_null(strstr(output, "[...]\""));
        if (json) {
            object = json_loads(output, 0, NULL);
            assert_string_equal(json_string_value(json_object_get(object, "cut")), "[...]");
            json_decref(object);
        } else {
            assert_string_equal(output + strlen(output) - 8, "\" [...]\n");
        }
        am_log(AM_LOG_INFO, "%s", big);
        written();
        assert_in_range(strlen(output), 8000, 8192 + 8);
        assert_non_null(strstr(output, "[...]"));
    }
}

static void journal_gets_priorities(void **state)
{
    struct stat status;
    char stream[64];

    (void)state;
    fstat(STDERR_FILENO, &status);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    open_log(AM_LOG_KEYVALUE, AM_LOG_INFO);
    am_log(AM_LOG_ERROR, "x");
    assert_string_equal(written(), "<3>error: x\n");
    setenv("JOURNAL_STREAM", "1:2", 1);
    open_log(AM_LOG_KEYVALUE, AM_LOG_INFO);
    am_log(AM_LOG_NOTICE, "x");
    assert_string_equal(written(), "prog: x\n");
}

int main(void)
{
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, start_capture, end_capture)
    const struct CMUnitTest tests[] = {
        CAPTURED(sentences_are_escaped),   CAPTURED(values_are_quoted_as_needed),
        CAPTURED(json_is_valid),           CAPTURED(long_lines_are_cut_visibly),
        CAPTURED(journal_gets_priorities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
