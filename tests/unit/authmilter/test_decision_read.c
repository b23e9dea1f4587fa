#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/why.h"
#include "common/base/log.h"
#include "tests/support/arena_fixture.h"

/* What log.c writes is read again; what is none of it is not. */

static struct decision_line line;

static void what_the_log_writes(void **state)
{
    (void)state;
    static const char *const values[] = {
        "plain", "two words", "a=b",        "\"quoted\"", "back\\slash",       "",
        "\\\"",  "[...]",     "x y=\"z\" ", "\xc3\xa9",   "<user@example.org>"};
    struct am_log_line written;
    char key[16];

    am_log_line_begin_text(&written, "message");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(key, sizeof(key), "k%zu", i);
        am_log_line_str(&written, key, values[i]);
    }
    am_log_line_int(&written, "number", -17);
    assert_true(decision_line_read(&line, arena, am_log_line_span(&written)));
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(key, sizeof(key), "k%zu", i);
        assert_string_equal(decision_line_value(&line, key), values[i]);
    }
    assert_string_equal(decision_line_value(&line, "number"), "-17");
    assert_string_equal(decision_line_value(&line, "event"), "message");
    am_log_line_drop(&written);
}

static void behind_prefixes(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"", "<6>",
                                           "Dec  1 03:00:00 mx spf-milter[7]: ", "1796126400 "};

    for (size_t i = 0; i < 4; i++) {
        const char *text = am_arena_printf(arena, "%sevent=message queue_id=A\r\n", prefixes[i]);
        assert_true(decision_line_read(&line, arena, am_span_str(text)));
        assert_string_equal(decision_line_value(&line, "queue_id"), "A");
        text = am_arena_printf(arena, "%s{\"event\":\"message\",\"queue_id\":\"A\",\"n\":1}",
                               prefixes[i]);
        assert_true(decision_line_read(&line, arena, am_span_str(text)));
        assert_string_equal(decision_line_value(&line, "queue_id"), "A");
        assert_string_equal(decision_line_value(&line, "n"), "1");
    }
}

static void what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "event=",
                                        "event=message",
                                        "noevent=message a=b",
                                        "{\"event\":",
                                        "{\"event\":1",
                                        "postfix: A: client=x"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(decision_line_read(&line, arena, am_span_str(texts[i])));
}

static void a_cut_line_tells_what_it_has(void **state)
{
    (void)state;
    assert_true(
        decision_line_read(&line, arena, am_span_str("event=message queue_id=A helo=\"cut of")));
    assert_string_equal(decision_line_value(&line, "helo"), "cut of");
    assert_true(decision_line_read(&line, arena, am_span_str("event=message queue_id=A [...]")));
    assert_int_equal(line.count, 2);
}

static void too_many_values_and_lines(void **state)
{
    (void)state;
    static struct why why;
    struct am_buf text;

    why = (struct why){.arena = arena, .id = "A"};
    am_buf_init(&text, 0);
    am_buf_add_str(&text, "event=message queue_id=A");
    for (int i = 0; i < 1000; i++)
        am_buf_printf(&text, " k%d=v", i);
    assert_true(decision_line_read(&line, arena, am_buf_span(&text)));
    assert_int_equal(line.count, DECISION_VALUES_MAX);
    for (int i = 0; i < WHY_LINES_MAX + 3; i++) {
        char one[64];
        snprintf(one, sizeof(one), "event=message queue_id=A n=%d", i);
        assert_true(why_take(&why, am_span_str(one)));
    }
    assert_int_equal(why.count, WHY_LINES_MAX);
    assert_int_equal(why.left_out, 3);
    assert_string_equal(decision_line_value(why.lines[why.first], "n"), "3");
    am_buf_fini(&text);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_arena, free_arena)
    const struct CMUnitTest tests[] = {TEST(what_the_log_writes), TEST(behind_prefixes),
                                       TEST(what_is_none), TEST(a_cut_line_tells_what_it_has),
                                       TEST(too_many_values_and_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
