#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/milter/reply.h"

static int setup(void **state)
{
    *state = am_arena_new(4096, 0);
    return *state == NULL;
}

static int teardown(void **state)
{
    am_arena_free(*state);
    return 0;
}

static void codes_must_agree(void **state)
{
    static const struct {
        int code;
        const char *xcode;
        bool good;
    } rows[] = {
        {550, "5.7.23", true},    {451, "4.7.24", true},  {550, NULL, true},
        {550, "4.7.1", false},    {451, "5.7.1", false},  {250, NULL, false},
        {600, NULL, false},       {399, NULL, false},     {550, "5.7", false},
        {550, "5.7.", false},     {550, "5..1", false},   {550, "5.7.1 ", false},
        {550, "5.7.1234", false}, {550, "5.07.1", false}, {550, "5.7.0", true},
        {550, "", false},         {550, "5.7.1x", false}, {550, "5.777.999", true},
        {554, "5.1.10", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct am_reply *reply = am_reply_new(*state, rows[i].code, rows[i].xcode, "no");
        assert_int_equal(reply != NULL, rows[i].good);
    }
}

static void percent_is_doubled_and_odd_bytes_replaced(void **state)
{
    const struct am_reply *reply =
        am_reply_new(*state, 550, "5.7.1", "100% \x01 a\tb \x7f \xc3\xa9 50%%");

    assert_int_equal(reply->line_count, 1);
    assert_string_equal(reply->lines[0], "100%% ? a?b ? ?? 50%%%%");
    assert_string_equal(reply->log_text, "100% ? a?b ? ?? 50%%");
}

static void lines_are_split_at_line_feeds(void **state)
{
    const struct am_reply *reply = am_reply_new(*state, 450, NULL, "one\r\ntwo\n\nfour\rx");

    assert_int_equal(reply->line_count, 4);
    assert_string_equal(reply->lines[0], "one");
    assert_string_equal(reply->lines[1], "two");
    assert_string_equal(reply->lines[2], "");
    assert_string_equal(reply->lines[3], "four?x");
    assert_string_equal(reply->log_text, "one");
}

static void long_lines_are_split_at_blanks(void **state)
{
    char text[2000];
    size_t total = 0;

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 99; i < sizeof(text) - 1; i += 100)
        text[i] = ' ';
    const struct am_reply *reply = am_reply_new(*state, 550, NULL, text);
    assert_true(reply->line_count >= 5);
    for (size_t i = 0; i < reply->line_count; i++) {
        assert_true(strlen(reply->lines[i]) <= AM_REPLY_LINE_MAX);
        assert_int_equal((strlen(reply->lines[i]) + 1) % 100, 0);
        total += strlen(reply->lines[i]) + 1;
    }
    assert_int_equal(total, 2000);
}

static void too_many_lines_end_visibly(void **state)
{
    char text[201];

    for (size_t i = 0; i < 200; i += 2)
        memcpy(text + i, "x\n", 2);
    text[200] = '\0';
    const struct am_reply *reply = am_reply_new(*state, 550, NULL, text);
    assert_int_equal(reply->line_count, AM_REPLY_LINES_MAX);
    assert_string_equal(reply->lines[0], "x");
    assert_string_equal(reply->lines[AM_REPLY_LINES_MAX - 1], "x [...]");
}

static void an_empty_text_gets_words(void **state)
{
    assert_true(strlen(am_reply_new(*state, 550, NULL, "")->lines[0]) > 0);
    assert_true(strlen(am_reply_new(*state, 450, NULL, NULL)->lines[0]) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(codes_must_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(percent_is_doubled_and_odd_bytes_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_split_at_line_feeds, setup, teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_split_at_blanks, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_lines_end_visibly, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_text_gets_words, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
