#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trace-milter/trace_line.h"

/* A line of the trace: bounded, and without what people wrote if it is to hide that. */

static struct trace_line line;

static const char *text(void)
{
    return am_buf_str(&line.text);
}

static void begin(size_t max_text, bool hide)
{
    am_trace_line_fini(&line);
    am_trace_line_init(&line, max_text, hide);
}

static int end(void **state)
{
    (void)state;
    am_trace_line_fini(&line);
    return 0;
}

static void texts_are_cut(void **state)
{
    (void)state;
    begin(5, false);
    am_trace_line_add(&line, am_span_str("12345"));
    am_trace_line_add(&line, am_span_str("123456"));
    assert_string_equal(text(), "1234512345[...]");
    begin(20, false);
    am_trace_line_add(&line, am_span_of("a\0b", 3));
    assert_string_equal(text(), "a?b");
}

static void a_line_never_grows_without_end(void **state)
{
    static char much[100000];

    (void)state;
    memset(much, 'a', sizeof(much));
    begin(SIZE_MAX, false);
    for (int i = 0; i < 100; i++)
        am_trace_line_add(&line, am_span_of(much, sizeof(much)));
    assert_true(line.text.len <= 16384);
    assert_int_equal(line.max_text, TRACE_TEXT_MAX);
}

static void content(void **state)
{
    (void)state;
    begin(100, false);
    am_trace_line_say(&line, "header Subject");
    am_trace_line_add_content(&line, am_span_str("good day"));
    am_trace_line_add_content(&line, am_span_str(""));
    assert_string_equal(text(), "header Subject: good day");
    begin(100, true);
    am_trace_line_add_content(&line, am_span_str("good day"));
    assert_string_equal(text(), " (8 octets)");
}

static void replies(void **state)
{
    (void)state;
    begin(100, false);
    am_trace_line_add_reply(&line, "550 5.7.1 no");
    am_trace_line_add_reply(&line, NULL);
    assert_string_equal(text(), ": 550 5.7.1 no");
    begin(100, true);
    am_trace_line_add_reply(&line, "550 5.7.1 no");
    am_trace_line_add_reply(&line, "a secret reason");
    am_trace_line_add_reply(&line, "55");
    assert_string_equal(text(), ": 550");
}

static void expect_path(const char *path, const char *hidden)
{
    begin(100, false);
    am_trace_line_add_path(&line, am_span_str(path));
    assert_string_equal(text(), path);
    begin(100, true);
    am_trace_line_add_path(&line, am_span_str(path));
    assert_string_equal(text(), hidden);
}

static void paths(void **state)
{
    (void)state;
    expect_path("<alice@example.com>", "<x@example.com>");
    expect_path("alice@example.com", "<x@example.com>");
    expect_path("<\"a@b\"@example.com>", "<x@example.com>");
    expect_path("<>", "<>");
    expect_path("<alice>", "<x>");
    expect_path("<alice@example.com", "<x@example.com>");
}

static void parameters(void **state)
{
    (void)state;
    begin(100, false);
    am_trace_line_add_param(&line, "ORCPT=rfc822;alice@example.com");
    assert_string_equal(text(), " ORCPT=rfc822;alice@example.com");
    begin(100, true);
    am_trace_line_add_param(&line, "ORCPT=rfc822;alice@example.com");
    am_trace_line_add_param(&line, "SMTPUTF8");
    assert_string_equal(text(), " ORCPT SMTPUTF8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(texts_are_cut, end),
        cmocka_unit_test_teardown(a_line_never_grows_without_end, end),
        cmocka_unit_test_teardown(content, end),
        cmocka_unit_test_teardown(replies, end),
        cmocka_unit_test_teardown(paths, end),
        cmocka_unit_test_teardown(parameters, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
