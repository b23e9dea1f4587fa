#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dkim-milter/dkim_canon_header.h"
#include "tests/unit/dkim/random_text.h"
#include "tests/unit/dkim/reference_canon.h"

/* Optimised builds try more. */
#ifdef NDEBUG
#define RANDOM_FIELDS 200000
#else
#define RANDOM_FIELDS 20000
#endif

#define TEXT(text) am_span_of(text, sizeof(text) - 1)

static void expect(enum dkim_canon canon, struct am_span name, struct am_span value,
                   struct am_span expected)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_buf out;
    struct dkim_sink sink = reference_sink(&out);

    am_buf_init(&out, 0);
    dkim_canon_header(canon, dkim_field_new(arena, name, value), &sink);
    assert_int_equal(out.len, expected.len);
    assert_memory_equal(am_buf_str(&out), expected.ptr, expected.len);
    am_buf_fini(&out);
    am_arena_free(arena);
}

#define SIMPLE(name, value, expected)                                                              \
    expect(DKIM_CANON_SIMPLE, TEXT(name), TEXT(value), TEXT(expected))
#define RELAXED(name, value, expected)                                                             \
    expect(DKIM_CANON_RELAXED, TEXT(name), TEXT(value), TEXT(expected))

static void examples_of_the_rfc(void **state)
{
    (void)state;
    SIMPLE("A", " X", "A: X\r\n");
    SIMPLE("B ", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  \r\n");
    RELAXED("A", " X", "a:X\r\n");
    RELAXED("B ", " Y\t\r\n\tZ  ", "b:Y Z\r\n");
}

/* Folds come as LF from a milter; the signer had CRLF. */
static void line_ends(void **state)
{
    (void)state;
    SIMPLE("Subject", " a\n b\r\n\tc", "Subject: a\r\n b\r\n\tc\r\n");
    SIMPLE("Subject", "\n a\n\n b", "Subject:\r\n a\r\n\r\n b\r\n");
    RELAXED("Subject", " a\n b\r\n\tc", "subject:a b c\r\n");
    RELAXED("Subject", "\n a \n \n  b\n ", "subject:a b\r\n");
    RELAXED("Subject", " a\nb", "subject:ab\r\n");
}

static void values(void **state)
{
    (void)state;
    SIMPLE("To\t ", "", "To\t :\r\n");
    RELAXED("To\t ", "", "to:\r\n");
    RELAXED("To", " \t ", "to:\r\n");
    SIMPLE("TO", "x", "TO:x\r\n");
    RELAXED("TO", "x", "to:x\r\n");
    RELAXED("X-ABC-\xc3\x84", "\t A  B\tC ", "x-abc-\xc3\x84:A B C\r\n");
    RELAXED("", " x", ":x\r\n");
}

static void ordinary_octets(void **state)
{
    (void)state;
    SIMPLE("A", " \r\0\v\f", "A: \r\0\v\f\r\n");
    RELAXED("A", " \r", "a:\r\r\n");
    RELAXED("A", "x \r y\r", "a:x \r y\r\r\n");
    RELAXED("A", "x\r\r\n y", "a:x\r y\r\n");
    RELAXED("A", "x \0 \v  \f", "a:x \0 \v \f\r\n");
}

static struct am_span part_of(const struct dkim_field *field, size_t from, size_t len)
{
    return am_span_of(field->value.ptr + from, len);
}

/* The signature: b= left out, no line end. */
static void signature(void **state)
{
    static const char value[] = " v=1; b= abc\n def ; d=e ";
    struct am_arena *arena = am_arena_new(1024, 0);
    const struct dkim_field *field =
        dkim_field_new(arena, TEXT("DKIM-Signature"), am_span_str(value));
    struct am_buf out;
    struct dkim_sink sink = reference_sink(&out);
    (void)state;

    am_buf_init(&out, 0);
    dkim_canon_header_signature(DKIM_CANON_SIMPLE, field, part_of(field, 8, 10), &sink);
    assert_string_equal(am_buf_str(&out), "DKIM-Signature: v=1; b=; d=e ");
    am_buf_clear(&out);
    dkim_canon_header_signature(DKIM_CANON_RELAXED, field, part_of(field, 8, 10), &sink);
    assert_string_equal(am_buf_str(&out), "dkim-signature:v=1; b=; d=e");
    /* All to the end. */
    am_buf_clear(&out);
    dkim_canon_header_signature(DKIM_CANON_RELAXED, field, part_of(field, 8, sizeof(value) - 9),
                                &sink);
    assert_string_equal(am_buf_str(&out), "dkim-signature:v=1; b=");
    /* Nothing, as while it is being made. */
    am_buf_clear(&out);
    dkim_canon_header_signature(DKIM_CANON_RELAXED, field, am_span_of(NULL, 0), &sink);
    assert_string_equal(am_buf_str(&out), "dkim-signature:v=1; b= abc def ; d=e");
    am_buf_fini(&out);
    am_arena_free(arena);
}

static void compare_random(const struct dkim_field *field, struct am_span name, struct am_span cut)
{
    for (int canon = 0; canon < DKIM_CANON_COUNT; canon++) {
        struct am_buf out, expected;
        struct dkim_sink sink = reference_sink(&out);
        am_buf_init(&out, 0);
        am_buf_init(&expected, 0);
        dkim_canon_header_signature((enum dkim_canon)canon, field, cut, &sink);
        reference_canon_header((enum dkim_canon)canon, name, field->value, cut, &expected);
        if (!am_span_equal(am_buf_span(&out), am_buf_span(&expected))) {
            for (size_t i = 0; i < field->value.len; i++)
                print_error("%02x ", (unsigned char)field->value.ptr[i]);
            fail_msg("differs from the reference");
        }
        am_buf_fini(&out);
        am_buf_fini(&expected);
    }
}

static void random_fields(void **state)
{
    static const char *const names[] = {"a", "Subject", "X-Long-Name  ", "List-ID\t"};
    struct random_source source = {2};
    struct am_arena *arena = am_arena_new(0, 0);
    struct am_buf value;
    (void)state;

    am_buf_init(&value, 0);
    for (size_t i = 0; i < RANDOM_FIELDS; i++) {
        am_buf_clear(&value);
        random_value(&source, random_below(&source, 16), &value);
        size_t cut_at = 0, cut_len = 0;
        if (random_below(&source, 2) == 0) {
            am_buf_add_str(&value, "; b=");
            cut_at = value.len;
            random_value(&source, random_below(&source, 4), &value);
            cut_len = value.len - cut_at;
            am_buf_add_char(&value, ';');
            random_value(&source, random_below(&source, 4), &value);
        }
        struct am_span name = am_span_str(names[random_below(&source, 4)]);
        const struct dkim_field *field = dkim_field_new(arena, name, am_buf_span(&value));
        compare_random(field, name, part_of(field, cut_at, cut_len));
        am_arena_reset(arena);
    }
    am_buf_fini(&value);
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(values),
        cmocka_unit_test(ordinary_octets),
        cmocka_unit_test(signature),
        cmocka_unit_test(random_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
