#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "dkim-milter/dkim_body_hash.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/dkim/random_text.h"
#include "tests/unit/dkim/reference_canon.h"

/* Optimised builds try more. */
#ifdef NDEBUG
#define RANDOM_BODIES 200000
#else
#define RANDOM_BODIES 20000
#endif

#define TEXT(text) am_span_of(text, sizeof(text) - 1)

static struct am_arena *arena;
static struct dkim_body_hash *hash;

static int set_up(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    hash = dkim_body_hash_new(arena);
    return hash != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static const struct dkim_body_request *want(enum dkim_canon canon, bool has_limit, uint64_t limit)
{
    const struct dkim_body_request *request = dkim_body_hash_want(hash, canon, has_limit, limit);

    assert_non_null(request);
    return request;
}

static void run(struct am_span body)
{
    assert_true(dkim_body_hash_start(hash));
    dkim_body_hash_update(hash, body);
    dkim_body_hash_finish(hash);
}

static void expect_hex(const struct dkim_body_request *request, const char *hex)
{
    char text[2 * DKIM_HASH_LEN + 1];

    assert_true(request->done);
    for (size_t i = 0; i < DKIM_HASH_LEN; i++)
        snprintf(text + 2 * i, 3, "%02x", request->digest[i]);
    assert_string_equal(text, hex);
}

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_line_end[] =
    "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* RFC 6376 3.4.3 and 3.4.4 name these two. */
static void empty_body(void **state)
{
    (void)state;
    const struct dkim_body_request *simple = want(DKIM_CANON_SIMPLE, false, 0);
    const struct dkim_body_request *relaxed = want(DKIM_CANON_RELAXED, false, 0);
    const struct dkim_body_request *simple_0 = want(DKIM_CANON_SIMPLE, true, 0);
    const struct dkim_body_request *relaxed_0 = want(DKIM_CANON_RELAXED, true, 0);
    const struct dkim_body_request *simple_2 = want(DKIM_CANON_SIMPLE, true, 2);
    const struct dkim_body_request *relaxed_1 = want(DKIM_CANON_RELAXED, true, 1);
    run(TEXT(""));
    expect_hex(simple, of_line_end);
    expect_hex(relaxed, of_nothing);
    expect_hex(simple_0, of_nothing);
    expect_hex(relaxed_0, of_nothing);
    expect_hex(simple_2, of_line_end);
    assert_false(relaxed_1->done);
    assert_true(relaxed_1->past_end);
    assert_int_equal(simple_0->unsigned_octets, 2);
    assert_int_equal(relaxed_0->unsigned_octets, 0);
    assert_int_equal(dkim_body_hash_total(hash, DKIM_CANON_SIMPLE), 2);
    assert_int_equal(dkim_body_hash_total(hash, DKIM_CANON_RELAXED), 0);
}

/* A limit counts canonical octets, may lie within a held back line end, and never passes the end.
 */
static void limits(void **state)
{
    (void)state;
    const struct dkim_body_request *first = want(DKIM_CANON_RELAXED, true, 3);
    const struct dkim_body_request *whole = want(DKIM_CANON_RELAXED, false, 0);
    const struct dkim_body_request *again = want(DKIM_CANON_RELAXED, true, 3);
    const struct dkim_body_request *split = want(DKIM_CANON_RELAXED, true, 4);
    const struct dkim_body_request *last = want(DKIM_CANON_RELAXED, true, 8);
    const struct dkim_body_request *beyond = want(DKIM_CANON_RELAXED, true, 9);
    const struct dkim_body_request *most = want(DKIM_CANON_RELAXED, true, UINT64_MAX);
    run(TEXT("abc \t\r\nd\r\n\r\n\r\n"));
    expect_hex(first, of_abc);
    expect_hex(again, of_abc);
    assert_int_equal(first->unsigned_octets, 5);
    assert_true(split->done);
    assert_memory_not_equal(split->digest, first->digest, DKIM_HASH_LEN);
    assert_true(last->done);
    assert_int_equal(last->unsigned_octets, 0);
    assert_true(whole->done);
    assert_int_equal(whole->unsigned_octets, 0);
    assert_memory_equal(whole->digest, last->digest, DKIM_HASH_LEN);
    assert_true(!beyond->done && beyond->past_end);
    assert_true(!most->done && most->past_end);
    assert_false(last->past_end);
    assert_int_equal(dkim_body_hash_total(hash, DKIM_CANON_RELAXED), 8);
    assert_int_equal(dkim_body_hash_total(hash, DKIM_CANON_SIMPLE), 0);
}

/* Octets that no request needs are counted all the same. */
static void only_limits(void **state)
{
    (void)state;
    const struct dkim_body_request *request = want(DKIM_CANON_SIMPLE, true, 3);
    assert_true(dkim_body_hash_start(hash));
    dkim_body_hash_update(hash, TEXT("abc"));
    for (int i = 0; i < 1000; i++)
        dkim_body_hash_update(hash, TEXT("0123456789"));
    dkim_body_hash_finish(hash);
    expect_hex(request, of_abc);
    assert_int_equal(request->unsigned_octets, 10002);
}

static void nobody_asks(void **state)
{
    (void)state;
    run(TEXT("abc"));
    assert_int_equal(dkim_body_hash_total(hash, DKIM_CANON_SIMPLE), 0);
}

static void expect_prefix(const struct dkim_body_request *request, struct am_span canonical)
{
    struct dkim_hash one = {0};
    uint8_t digest[DKIM_HASH_LEN];
    size_t len = request->has_limit ? (size_t)request->limit : canonical.len;

    assert_int_equal(request->past_end, len > canonical.len);
    assert_int_equal(request->done, len <= canonical.len);
    if (!request->done)
        return;
    assert_int_equal(request->unsigned_octets, canonical.len - len);
    assert_true(dkim_hash_init(&one));
    dkim_hash_update(&one, canonical.ptr, len);
    assert_true(dkim_hash_final(&one, digest));
    assert_memory_equal(digest, request->digest, DKIM_HASH_LEN);
    dkim_hash_fini(&one);
}

/* Each request gets what hashing the beginning of the canonical body alone gives. */
static void random_requests(void **state)
{
    struct random_source source = {4};
    struct am_buf text, canonical[DKIM_CANON_COUNT];
    const struct dkim_body_request *requests[100];
    (void)state;

    am_buf_init(&text, 0);
    am_buf_init(&canonical[0], 0);
    am_buf_init(&canonical[1], 0);
    for (size_t round = 0; round < RANDOM_BODIES; round++) {
        am_arena_reset(arena);
        assert_non_null(hash = dkim_body_hash_new(arena));
        am_buf_clear(&text);
        random_body(&source, random_below(&source, 20), &text);
        size_t count = random_below(&source, round % 50 == 0 ? 101 : 6);
        for (size_t i = 0; i < count; i++)
            requests[i] = want((enum dkim_canon)random_below(&source, 2),
                               random_below(&source, 5) != 0, random_below(&source, text.len + 4));
        assert_true(dkim_body_hash_start(hash));
        for (size_t i = 0, len; i < text.len; i += len) {
            len = 1 + random_below(&source, 50);
            if (len > text.len - i)
                len = text.len - i;
            dkim_body_hash_update(hash, am_span_of(text.data + i, len));
        }
        dkim_body_hash_finish(hash);
        for (int canon = 0; canon < DKIM_CANON_COUNT; canon++) {
            am_buf_clear(&canonical[canon]);
            reference_canon_body((enum dkim_canon)canon, am_buf_span(&text), &canonical[canon]);
        }
        for (size_t i = 0; i < count; i++)
            expect_prefix(requests[i], am_buf_span(&canonical[requests[i]->canon]));
    }
    am_buf_fini(&text);
    am_buf_fini(&canonical[0]);
    am_buf_fini(&canonical[1]);
}

static void memory_short(void **state)
{
    bool failed = true;
    (void)state;

    for (size_t successes = 0; failed; successes++) {
        failing_alloc_start(successes);
        struct am_arena *small = am_arena_new(0, 0);
        struct dkim_body_hash *some = small != NULL ? dkim_body_hash_new(small) : NULL;
        bool good = some != NULL;
        for (uint64_t i = 0; i < 100 && good; i++)
            good = dkim_body_hash_want(some, DKIM_CANON_SIMPLE, true, i % 7) != NULL;
        if (good && dkim_body_hash_start(some)) {
            dkim_body_hash_update(some, TEXT("abc"));
            dkim_body_hash_finish(some);
            assert_int_equal(dkim_body_hash_total(some, DKIM_CANON_SIMPLE), 5);
        }
        failed = failing_alloc_stop();
        am_arena_free(small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_asks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_requests, set_up, tear_down),
        cmocka_unit_test(memory_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
