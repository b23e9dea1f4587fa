#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "dkim-milter/dkim_canon_body.h"
#include "tests/unit/dkim/random_text.h"
#include "tests/unit/dkim/reference_canon.h"

/* Optimised builds try more. */
#ifdef NDEBUG
#define RANDOM_BODIES 200000
#else
#define RANDOM_BODIES 20000
#endif

/* Each chunk in memory of its own size, so that a read beyond its end is seen. */
static void update(struct dkim_canon_body *body, struct am_span chunk, const struct dkim_sink *sink)
{
    char *copy = malloc(chunk.len > 0 ? chunk.len : 1);

    assert_non_null(copy);
    memcpy(copy, chunk.ptr, chunk.len);
    dkim_canon_body_update(body, am_span_of(copy, chunk.len), sink);
    free(copy);
}

static void expect_equal(struct am_span got, struct am_span expected, struct am_span body)
{
    if (am_span_equal(got, expected))
        return;
    print_error("of a body of %zu octets: %zu octets, expected %zu\n", body.len, got.len,
                expected.len);
    for (size_t i = 0; i < body.len; i++)
        print_error("%02x%s", (unsigned char)body.ptr[i], i % 32 == 31 ? "\n" : " ");
    fail_msg("differs from the reference");
}

/* Every way to cut the body in three. */
static void expect(enum dkim_canon canon, struct am_span text, struct am_span expected)
{
    for (size_t i = 0; i <= text.len; i++) {
        for (size_t j = i; j <= text.len; j++) {
            struct am_buf out;
            am_buf_init(&out, 0);
            struct dkim_sink sink = reference_sink(&out);
            struct dkim_canon_body body;
            dkim_canon_body_init(&body, canon);
            update(&body, am_span_of(text.ptr, i), &sink);
            update(&body, am_span_of(text.ptr + i, j - i), &sink);
            update(&body, am_span_of(text.ptr + j, text.len - j), &sink);
            dkim_canon_body_finish(&body, &sink);
            expect_equal(am_buf_span(&out), expected, text);
            am_buf_fini(&out);
        }
    }
}

#define TEXT(text) am_span_of(text, sizeof(text) - 1)
#define SIMPLE(text, expected) expect(DKIM_CANON_SIMPLE, TEXT(text), TEXT(expected))
#define RELAXED(text, expected) expect(DKIM_CANON_RELAXED, TEXT(text), TEXT(expected))
#define BOTH(text, expected) (SIMPLE(text, expected), RELAXED(text, expected))

static void examples_of_the_rfc(void **state)
{
    (void)state;
    SIMPLE(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n");
    RELAXED(" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
}

static void nothing_left(void **state)
{
    (void)state;
    SIMPLE("", "\r\n");
    SIMPLE("\r\n", "\r\n");
    SIMPLE("\r\n\r\n\r\n", "\r\n");
    RELAXED("", "");
    RELAXED("\r\n", "");
    RELAXED("\r\n\r\n\r\n", "");
    RELAXED(" \t \r\n\t\r\n\r\n", "");
    RELAXED(" ", "");
    SIMPLE(" \r\n\r\n", " \r\n");
    SIMPLE(" ", " \r\n");
}

static void final_line_end(void **state)
{
    (void)state;
    BOTH("a", "a\r\n");
    BOTH("a\r\n", "a\r\n");
    BOTH("a\r\nb", "a\r\nb\r\n");
    BOTH("\r\n\r\na\r\n\r\n", "\r\n\r\na\r\n");
    RELAXED("a\r\n \t", "a\r\n");
    RELAXED("a \t", "a\r\n");
}

static void blanks(void **state)
{
    (void)state;
    RELAXED("a \r\n \r\nb", "a\r\n\r\nb\r\n");
    RELAXED("\ta\tb \t c\t\r\n", " a b c\r\n");
    RELAXED(" a b c d \r\n  e\r\n\r\n \r\n", " a b c d\r\n e\r\n");
}

/* Only CRLF ends a line; only SP and TAB are blanks. */
static void ordinary_octets(void **state)
{
    (void)state;
    BOTH("\n", "\n\r\n");
    BOTH("\r", "\r\r\n");
    BOTH("a\n\n\r\n", "a\n\n\r\n");
    BOTH("a\r\r\n\r\n", "a\r\r\n");
    BOTH("a\r\n\r", "a\r\n\r\r\n");
    BOTH("a\n\rb\r", "a\n\rb\r\r\n");
    BOTH("a\0b\vc\fd\r\n", "a\0b\vc\fd\r\n");
    BOTH("\v\f\r\n\0", "\v\f\r\n\0\r\n");
    RELAXED("a \rb", "a \rb\r\n");
    RELAXED("a \r", "a \r\r\n");
    RELAXED("a \r\r\n", "a \r\r\n");
    RELAXED("a \n \r\n", "a \n\r\n");
    RELAXED("a\r  \n", "a\r \n\r\n");
    RELAXED("a \v \r\n", "a \v\r\n");
}

static void count_octets(void *user, const char *ptr, size_t len)
{
    (void)ptr;
    *(uint64_t *)user += len;
}

/* A hundred megabytes that have to be held back are a number only, and come out right. */
static void much_to_hold_back(void **state)
{
    static const char *const units[] = {"\r\n", " \t", " \r\n"};
    static const uint64_t simple_sizes[] = {98304004, 98304004, 147456004};
    static const uint64_t relaxed_sizes[] = {98304004, 5, 98304004};
    char chunk[3 * 16384];
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        for (int canon = 0; canon < DKIM_CANON_COUNT; canon++) {
            struct dkim_canon_body body;
            uint64_t seen = 0;
            struct dkim_sink sink = {count_octets, &seen};
            size_t len = strlen(units[i]);
            for (size_t at = 0; at < 16384; at++)
                memcpy(chunk + at * len, units[i], len);
            dkim_canon_body_init(&body, (enum dkim_canon)canon);
            if (i == 1)
                dkim_canon_body_update(&body, TEXT("x"), &sink);
            for (size_t k = 0; k < 3000; k++)
                dkim_canon_body_update(&body, am_span_of(chunk, 16384 * len), &sink);
            if (canon == DKIM_CANON_RELAXED)
                assert_true(seen <= 1);
            dkim_canon_body_update(&body, i == 1 ? TEXT("y") : TEXT("xy"), &sink);
            dkim_canon_body_finish(&body, &sink);
            assert_int_equal(seen, (canon == DKIM_CANON_SIMPLE ? simple_sizes : relaxed_sizes)[i]);
        }
    }
}

static void compare_random(struct random_source *source, struct am_span text)
{
    for (int canon = 0; canon < DKIM_CANON_COUNT; canon++) {
        struct am_buf out, expected;
        struct dkim_sink sink = reference_sink(&out);
        struct dkim_canon_body body;

        am_buf_init(&out, 0);
        am_buf_init(&expected, 0);
        dkim_canon_body_init(&body, (enum dkim_canon)canon);
        size_t most = random_below(source, 3) == 0 ? 3 : 1 + random_below(source, 400);
        for (size_t i = 0; i < text.len;) {
            size_t len = random_below(source, most + 1);
            if (len > text.len - i)
                len = text.len - i;
            update(&body, am_span_of(text.ptr + i, len), &sink);
            i += len;
        }
        dkim_canon_body_finish(&body, &sink);
        reference_canon_body((enum dkim_canon)canon, text, &expected);
        expect_equal(am_buf_span(&out), am_buf_span(&expected), text);
        am_buf_fini(&out);
        am_buf_fini(&expected);
    }
}

static void random_bodies(void **state)
{
    struct random_source source = {1};
    struct am_buf text;
    (void)state;

    am_buf_init(&text, 0);
    for (size_t i = 0; i < RANDOM_BODIES; i++) {
        am_buf_clear(&text);
        random_body(&source, random_below(&source, 24), &text);
        compare_random(&source, am_buf_span(&text));
    }
    /* Some are longer than what is collected on the stack. */
    for (size_t i = 0; i < RANDOM_BODIES / 1000; i++) {
        am_buf_clear(&text);
        random_body(&source, 3000, &text);
        compare_random(&source, am_buf_span(&text));
    }
    am_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc), cmocka_unit_test(nothing_left),
        cmocka_unit_test(final_line_end),      cmocka_unit_test(blanks),
        cmocka_unit_test(ordinary_octets),     cmocka_unit_test(much_to_hold_back),
        cmocka_unit_test(random_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
