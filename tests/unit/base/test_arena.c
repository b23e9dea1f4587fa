#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "tests/support/failing_alloc.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    struct am_arena *arena = am_arena_new(256, 0);

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 37) {
            unsigned char *bytes = am_arena_alloc(arena, size);
            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(bytes[i], 0);
            memset(bytes, 0xAA, size);
        }
        am_arena_reset(arena);
        assert_int_equal(am_arena_used(arena), 0);
    }
    am_arena_free(arena);
    am_arena_free(NULL);
}

static void first_block_is_enough_for_itself(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);

    (void)state;
    for (int round = 0; round < 3; round++) {
        failing_alloc_start(0); /* any further allocation would fail */
        for (int i = 0; i < 64; i++)
            assert_non_null(am_arena_alloc(arena, 16));
        assert_false(failing_alloc_stop());
        assert_int_equal(am_arena_used(arena), 1024);
        assert_non_null(am_arena_alloc(arena, 1));
        am_arena_reset(arena);
    }
    am_arena_free(arena);
}

static void limit_holds_until_reset(void **state)
{
    struct am_arena *arena = am_arena_new(64, 4096);

    (void)state;
    assert_null(am_arena_alloc(arena, 4097));
    assert_null(am_arena_alloc(arena, SIZE_MAX));
    assert_non_null(am_arena_alloc(arena, 4000));
    assert_null(am_arena_alloc(arena, 200));
    assert_non_null(am_arena_alloc(arena, 96));
    assert_null(am_arena_alloc(arena, 1));
    am_arena_reset(arena);
    assert_non_null(am_arena_alloc(arena, 4096));
    am_arena_free(arena);
}

static char order[8];

static void note_release(void *object)
{
    strcat(order, object);
}

static void cleanups_run_last_first(void **state)
{
    struct am_arena *arena = am_arena_new(64, 0);

    (void)state;
    order[0] = '\0';
    assert_true(am_arena_defer(arena, note_release, am_arena_copy(arena, am_span_str("a"))));
    assert_true(am_arena_defer(arena, note_release, am_arena_copy(arena, am_span_str("b"))));
    am_arena_reset(arena);
    assert_string_equal(order, "ba");
    am_arena_reset(arena);
    assert_string_equal(order, "ba");
    assert_true(am_arena_defer(arena, note_release, am_arena_copy(arena, am_span_str("c"))));
    am_arena_free(arena);
    assert_string_equal(order, "bac");
}

static void text_is_copied_and_formatted(void **state)
{
    struct am_arena *arena = am_arena_new(64, 0);
    char *copy = am_arena_copy(arena, am_span_of("a\0b", 3));
    char *text = am_arena_printf(arena, "%0500d|%s", 7, "end");

    (void)state;
    assert_memory_equal(copy, "a\0b", 4);
    assert_string_equal(am_arena_copy(arena, am_span_of(NULL, 0)), "");
    assert_int_equal(strlen(text), 504);
    assert_string_equal(text + 499, "7|end");
    am_arena_free(arena);
}

static void every_failure_is_reported(void **state)
{
    struct am_arena *arena;

    (void)state;
    failing_alloc_start(0);
    assert_null(am_arena_new(64, 0));
    assert_true(failing_alloc_stop());
    arena = am_arena_new(64, 0);
    failing_alloc_start(0);
    assert_null(am_arena_alloc(arena, 100));
    assert_true(failing_alloc_stop());
    assert_non_null(am_arena_alloc(arena, 64));
    failing_alloc_start(0);
    assert_false(am_arena_defer(arena, note_release, order));
    assert_true(failing_alloc_stop());
    order[0] = '\0';
    am_arena_free(arena);
    assert_string_equal(order, "");
}

static void buffer_fails_once_and_for_all(void **state)
{
    struct am_buf buf;

    (void)state;
    am_buf_init(&buf, 10);
    assert_string_equal(am_buf_str(&buf), "");
    am_buf_add_str(&buf, "12345");
    am_buf_printf(&buf, "%s", "678901");
    assert_true(buf.failed);
    am_buf_add_char(&buf, 'x');
    assert_string_equal(am_buf_str(&buf), "12345");
    am_buf_clear(&buf);
    assert_false(buf.failed);
    am_buf_printf(&buf, "%d", 1234567890);
    assert_false(buf.failed);
    assert_int_equal(am_buf_span(&buf).len, 10);
    am_buf_add(&buf, am_span_of(NULL, 0));
    assert_false(buf.failed);
    am_buf_fini(&buf);
    assert_int_equal(buf.limit, 10);
    failing_alloc_start(0);
    am_buf_add_char(&buf, 'x');
    assert_true(failing_alloc_stop());
    assert_true(buf.failed);
    assert_string_equal(am_buf_str(&buf), "");
    am_buf_fini(&buf);
}

static void buffer_grows_and_ends_in_nul(void **state)
{
    struct am_buf buf;

    (void)state;
    am_buf_init(&buf, 0);
    for (size_t i = 0; i < 5000; i++) {
        am_buf_add_char(&buf, (char)('a' + i % 26));
        assert_int_equal(buf.len, i + 1);
        assert_int_equal(am_buf_str(&buf)[i + 1], 0);
    }
    am_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(first_block_is_enough_for_itself),
        cmocka_unit_test(limit_holds_until_reset),
        cmocka_unit_test(cleanups_run_last_first),
        cmocka_unit_test(text_is_copied_and_formatted),
        cmocka_unit_test(every_failure_is_reported),
        cmocka_unit_test(buffer_fails_once_and_for_all),
        cmocka_unit_test(buffer_grows_and_ends_in_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
