#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_body_look.h"

/* Long lines and eight bits, in whatever chunks they come. */

static struct dkim_body_look look_at(const char *text, size_t len, size_t chunk, bool want_8bit)
{
    struct dkim_body_look look;

    dkim_body_look_init(&look, want_8bit);
    for (size_t at = 0; at < len; at += chunk) {
        size_t part = len - at < chunk ? len - at : chunk;
        /* A copy of its own size, so that a sanitizer sees a read beyond it. */
        char *copy = malloc(part);

        assert_non_null(copy);
        memcpy(copy, text + at, part);
        dkim_body_look_update(&look, am_span_of(copy, part));
        free(copy);
    }
    dkim_body_look_finish(&look);
    return look;
}

static void long_lines(void **state)
{
    static const struct {
        size_t before, line;
        bool ends, is_long;
    } rows[] = {
        {0, 998, true, false},  {0, 999, true, true},    {0, 998, false, false},
        {0, 999, false, true},  {1, 998, true, false},   {1, 999, true, true},
        {50, 998, true, false}, {50, 999, true, true},   {50, 0, true, false},
        {50, 5000, true, true}, {50, 997, false, false}, {50, 999, false, true},
        {0, 0, false, false},
    };
    static const size_t chunks[] = {1, 2, 7, 997, 998, 999, 1000, 1001, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[50 * 100 + 5100];
        size_t len = 0;

        for (size_t line = 0; line < rows[i].before; line++) {
            memset(text + len, 'a', 10 + line);
            len += 10 + line;
            memcpy(text + len, "\r\n", 2);
            len += 2;
        }
        memset(text + len, 'b', rows[i].line);
        len += rows[i].line;
        if (rows[i].ends) {
            memcpy(text + len, "\r\nx\r\n", 5);
            len += 5;
        }
        for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
            struct dkim_body_look look = look_at(text, len, chunks[c], true);

            if (look.has_long != rows[i].is_long)
                fail_msg("row %zu in chunks of %zu", i, chunks[c]);
            assert_false(look.has_8bit);
        }
    }
}

static void eight_bits(void **state)
{
    char text[100];

    (void)state;
    for (size_t at = 0; at < sizeof(text); at++)
        for (size_t chunk = 1; chunk < 20; chunk++) {
            memset(text, 'a', sizeof(text));
            text[at] = (char)0x80;
            assert_true(look_at(text, sizeof(text), chunk, true).has_8bit);
            assert_false(look_at(text, sizeof(text), chunk, false).has_8bit);
            text[at] = 0x7f;
            assert_false(look_at(text, sizeof(text), chunk, true).has_8bit);
        }
}

/* Against counting octet by octet. */
static void random_lines(void **state)
{
    static char text[20000];

    (void)state;
    srand(1);
    for (int round = 0; round < 300; round++) {
        size_t len = (size_t)rand() % sizeof(text), line = 0;
        bool is_long = false;

        for (size_t i = 0; i < len; i++)
            text[i] = rand() % 350 == 0 ? '\n' : 'a';
        for (size_t i = 0; i < len; i++) {
            line = text[i] == '\n' ? 0 : line + 1;
            /* In the middle the place of a CR is counted with its LF. */
            is_long = is_long || line >= DKIM_LINE_MAX + 2;
        }
        is_long = is_long || line > DKIM_LINE_MAX;
        struct dkim_body_look look = look_at(text, len, 1 + (size_t)rand() % 3000, true);
        assert_int_equal(look.has_long, is_long);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lines),
        cmocka_unit_test(eight_bits),
        cmocka_unit_test(random_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
