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
    static const char *const prefixes[] = {"",
                                           "<6>",
                                           "Dec  1 03:00:00 mx spf-milter[7]: ",
                                           "1796126400 ",
                                           "2026-12-01T03:00:00.123Z ",
                                           "spf-milter: "};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
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
                                        "postfix: A: client=x",
                                        "mx postfix/cleanup[3]: A: warning: header Subject: "
                                        "event=message queue_id=A action=accept",
                                        "mx postfix/cleanup[3]: A: warning: header Subject: x: "
                                        "{\"event\":\"message\",\"queue_id\":\"A\"}",
                                        "a word event=message queue_id=A",
                                        "<x> event=message queue_id=A",
                                        "mx [3]: event=message queue_id=A",
                                        ": event=message queue_id=A",
                                        "]: event=message queue_id=A"};

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
    assert_string_equal(decision_line_value(&line, "cut"), "[...]");
    assert_int_equal(line.count, 3);
}

/* What hostile mail brings into the log moves no cursor and begins no line of the answer. */
static void what_is_read_is_printable(void **state)
{
    (void)state;
    assert_true(decision_line_read(
        &line, arena,
        am_span_str("mx\x1b[1m spf-milter[7]: {\"event\":\"message\",\"queue_id\":\"A\","
                    "\"helo\":\"x\\u001b[2J\\n    dkim signed it: forged\\u009b\"}")));
    assert_string_equal(line.prefix, "mx\\x1B[1m spf-milter[7]:");
    assert_string_equal(decision_line_value(&line, "helo"),
                        "x\\x1B[2J\\x0A    dkim signed it: forged\\xC2\\x9B");
    assert_true(decision_line_read(
        &line, arena, am_span_str("event=message queue_id=A helo=\x1b] from=\"a\x07\"")));
    assert_string_equal(decision_line_value(&line, "helo"), "\\x1B]");
    assert_string_equal(decision_line_value(&line, "from"), "a\\x07");
}

static void other_messages_cost_no_memory(void **state)
{
    (void)state;
    static struct why why;
    char text[128];

    why = (struct why){.id = "1"};
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "event=message queue_id=1%d n=%d", i, i);
        assert_true(why_take(&why, am_span_str(text)));
    }
    assert_int_equal(why.count, 0);
    why_fini(&why);
}

static void too_many_values_and_lines(void **state)
{
    (void)state;
    static struct why why;
    struct am_buf text;

    why = (struct why){.id = "A"};
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
    why_sort(&why);
    assert_int_equal(why.taken, WHY_LINES_MAX + 3);
    assert_string_equal(decision_line_value(why.lines[0].line, "n"), "3");
    why_fini(&why);
    am_buf_fini(&text);
}

/* Programs are asked one after the other, and each has its own lines in order. */
static void lines_of_several_programs_are_in_order(void **state)
{
    static struct why why;
    static const char *const lines[] = {
        "20 event=message queue_id=A n=3", "30 event=message queue_id=A n=5",
        "10 event=message queue_id=A n=1", "20 event=message queue_id=A n=4",
        "9 event=message queue_id=A n=0",  "10 event=message queue_id=A n=2"};
    char number[24];

    (void)state;
    why = (struct why){.id = "A"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_true(why_take(&why, am_span_str(lines[i])));
    why_sort(&why);
    for (size_t i = 0; i < why.count; i++) {
        snprintf(number, sizeof(number), "%zu", i);
        assert_string_equal(decision_line_value(why.lines[i].line, "n"), number);
    }
    why_fini(&why);
}

/* A program that remembers much pushes out nothing newer of another one. */
static void the_oldest_lines_are_left_out(void **state)
{
    static struct why why;
    char one[64];

    (void)state;
    why = (struct why){.id = "A"};
    for (int i = 0; i < 2 * WHY_LINES_MAX; i++) {
        /* The newer ones come first. */
        snprintf(one, sizeof(one), "%d event=message queue_id=A n=%d",
                 i < WHY_LINES_MAX ? 1000 + i : i, i);
        assert_true(why_take(&why, am_span_str(one)));
    }
    why_sort(&why);
    assert_int_equal(why.count, WHY_LINES_MAX);
    assert_string_equal(decision_line_value(why.lines[0].line, "n"), "0");
    why_fini(&why);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_arena, free_arena)
    const struct CMUnitTest tests[] = {TEST(what_the_log_writes),
                                       TEST(behind_prefixes),
                                       TEST(what_is_none),
                                       TEST(a_cut_line_tells_what_it_has),
                                       TEST(too_many_values_and_lines),
                                       TEST(lines_of_several_programs_are_in_order),
                                       TEST(the_oldest_lines_are_left_out),
                                       TEST(what_is_read_is_printable),
                                       TEST(other_messages_cost_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
