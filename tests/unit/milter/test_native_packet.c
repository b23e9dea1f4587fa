#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/milter/native_macros.h"
#include "common/milter/native_packet.h"

/* Frames, fields and macros. */

#define LITERAL(text) am_span_of(text, sizeof(text) - 1)

static void a_packet_is_taken_when_it_is_complete(void **state)
{
    (void)state;
    static const char bytes[] = "\0\0\0\3Hx\0\0\0\0\1Q";
    struct am_native_packet packet;

    for (size_t len = 0; len < 7; len++) {
        struct am_span part = am_span_of(bytes, len);
        assert_int_equal(am_native_packet_take(&part, &packet), AM_NATIVE_MORE);
        assert_int_equal(part.len, len);
    }
    struct am_span all = LITERAL(bytes);
    assert_int_equal(am_native_packet_size(all), 7);
    assert_int_equal(am_native_packet_take(&all, &packet), AM_NATIVE_TAKEN);
    assert_int_equal(packet.command, 'H');
    assert_int_equal(packet.content.len, 2);
    assert_int_equal(am_native_packet_take(&all, &packet), AM_NATIVE_TAKEN);
    assert_int_equal(packet.command, 'Q');
    assert_int_equal(packet.content.len, 0);
    assert_int_equal(all.len, 0);
}

static void a_length_out_of_bounds_is_told_at_once(void **state)
{
    (void)state;
    struct am_native_packet packet;
    struct am_span none = LITERAL("\0\0\0\0");
    struct am_span largest = LITERAL("\0\x10\0\1");
    struct am_span longer = LITERAL("\0\x10\0\2");
    struct am_span huge = LITERAL("\xff\xff\xff\xff");

    assert_int_equal(am_native_packet_take(&none, &packet), AM_NATIVE_BROKEN);
    assert_int_equal(am_native_packet_take(&largest, &packet), AM_NATIVE_MORE);
    assert_int_equal(am_native_packet_take(&longer, &packet), AM_NATIVE_BROKEN);
    assert_int_equal(am_native_packet_take(&huge, &packet), AM_NATIVE_BROKEN);
}

static void a_body_is_taken_before_it_is_complete(void **state)
{
    (void)state;
    struct am_span piece = LITERAL("");
    struct am_span begun = LITERAL("\0\0\1\1Btext");
    struct am_span head = LITERAL("\0\0\1\1B");
    struct am_span other = LITERAL("\0\0\1\1Ltext");
    struct am_span whole = LITERAL("\0\0\0\5Btext");
    struct am_span longer = LITERAL("\0\x10\0\2Btext");

    assert_int_equal(am_native_packet_take_body(&begun, &piece), 256 - 4);
    assert_int_equal(begun.len, 0);
    assert_int_equal(piece.len, 4);
    assert_memory_equal(piece.ptr, "text", 4);
    assert_int_equal(am_native_packet_take_body(&head, &piece), 0);
    assert_int_equal(head.len, 5);
    assert_int_equal(am_native_packet_take_body(&other, &piece), 0);
    assert_int_equal(am_native_packet_take_body(&whole, &piece), 0);
    assert_int_equal(whole.len, 9);
    assert_int_equal(am_native_packet_take_body(&longer, &piece), 0);
}

static void fields_end_where_the_packet_does(void **state)
{
    (void)state;
    struct am_span fields = LITERAL("\1\2\3\4ab\0cd");
    uint32_t four;
    uint16_t two;

    assert_true(am_native_take_u32(&fields, &four));
    assert_int_equal(four, 0x01020304);
    assert_string_equal(am_native_take_text(&fields), "ab");
    assert_null(am_native_take_text(&fields));
    assert_false(am_native_take_u32(&fields, &four));
    assert_true(am_native_take_u16(&fields, &two));
    assert_int_equal(two, 'c' << 8 | 'd');
    assert_false(am_native_take_u16(&fields, &two));
    assert_null(am_native_take_text(&fields));
}

static void a_packet_is_written_as_it_is_read(void **state)
{
    (void)state;
    struct am_buf out;
    struct am_native_packet packet;
    uint32_t number;

    am_buf_init(&out, 0);
    am_buf_add_str(&out, "before");
    size_t begin = am_native_packet_begin(&out, AM_NATIVE_INSERT_HEADER);
    am_native_put_u32(&out, 0xfedcba98);
    am_native_put_text(&out, "name");
    am_native_packet_end(&out, begin);
    struct am_span bytes = am_span_of(out.data + 6, out.len - 6);
    assert_int_equal(am_native_packet_take(&bytes, &packet), AM_NATIVE_TAKEN);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(packet.command, 'i');
    assert_true(am_native_take_u32(&packet.content, &number));
    assert_int_equal(number, 0xfedcba98);
    assert_string_equal(am_native_take_text(&packet.content), "name");
    assert_int_equal(packet.content.len, 0);
    am_buf_fini(&out);
}

static void the_latest_stage_has_the_say(void **state)
{
    (void)state;
    struct am_native_macros macros = {{NULL}, {0}};

    assert_true(am_native_macros_set(&macros, LITERAL("Ci\0one\0{j}\0mx\0")));
    assert_true(am_native_macros_set(&macros, LITERAL("Mi\0two\0{auth_authen}\0me\0")));
    assert_true(am_native_macros_set(&macros, LITERAL("Li\0three\0")));
    assert_string_equal(am_native_macros_find(&macros, "i"), "two");
    assert_string_equal(am_native_macros_find(&macros, "{i}"), "two");
    assert_string_equal(am_native_macros_find(&macros, "j"), "mx");
    assert_string_equal(am_native_macros_find(&macros, "{auth_authen}"), "me");
    assert_null(am_native_macros_find(&macros, "{auth"));
    assert_true(am_native_macros_set(&macros, LITERAL("M")));
    assert_string_equal(am_native_macros_find(&macros, "i"), "one");
    am_native_macros_clear(&macros, AM_NATIVE_MACROS_HELO);
    assert_string_equal(am_native_macros_find(&macros, "i"), "one");
    am_native_macros_clear(&macros, AM_NATIVE_MACROS_CONNECT);
    assert_null(am_native_macros_find(&macros, "i"));
}

static void malformed_and_endless_macros_are_refused(void **state)
{
    (void)state;
    struct am_native_macros macros = {{NULL}, {0}};
    char *many = calloc(1, AM_NATIVE_MACROS_MAX + 1);

    assert_non_null(many);
    many[0] = 'C';
    assert_false(am_native_macros_set(&macros, LITERAL("")));
    assert_false(am_native_macros_set(&macros, LITERAL("Ci\0one")));
    assert_false(am_native_macros_set(&macros, am_span_of(many, AM_NATIVE_MACROS_MAX + 1)));
    assert_true(am_native_macros_set(&macros, am_span_of(many, AM_NATIVE_MACROS_MAX)));
    assert_null(am_native_macros_find(&macros, "i"));
    /* a name without a value */
    assert_true(am_native_macros_set(&macros, LITERAL("Ci\0")));
    assert_null(am_native_macros_find(&macros, "i"));
    am_native_macros_clear(&macros, AM_NATIVE_MACROS_CONNECT);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_taken_when_it_is_complete),
        cmocka_unit_test(a_length_out_of_bounds_is_told_at_once),
        cmocka_unit_test(a_body_is_taken_before_it_is_complete),
        cmocka_unit_test(fields_end_where_the_packet_does),
        cmocka_unit_test(a_packet_is_written_as_it_is_read),
        cmocka_unit_test(the_latest_stage_has_the_say),
        cmocka_unit_test(malformed_and_endless_macros_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
