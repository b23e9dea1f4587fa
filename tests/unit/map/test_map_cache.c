#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/map/map_cache.h"

/* Answers are kept as long as they hold, each for its own question. */

static int64_t now_us;

static int64_t monotonic_us(const struct am_clock *self)
{
    (void)self;
    return now_us;
}

static const struct am_clock test_clock = {.monotonic_us = monotonic_us};
static const struct am_map_conf conf = {
    .cache_entries = 1, .cache_ttl_ms = 1000, .cache_negative_ttl_ms = 100};

static struct am_map_question about(const char *local, const char *login)
{
    return (struct am_map_question){
        .local = am_span_str(local), .domain = "example.org", .login = login, .clock = &test_clock};
}

static bool knows(const struct am_map_cache *cache, const struct am_map_question *question,
                  enum am_map_answer *answer, struct am_map_values *values, struct am_arena *arena)
{
    *values = (struct am_map_values){.count = 0};
    return am_map_cache_find(cache, question, arena, values, answer);
}

static void keeps(void **state)
{
    const char *items[] = {"alice", "bob"};
    const struct am_map_values two = {items, 2}, none = {NULL, 0};
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_cache cache;
    struct am_map_values values;
    enum am_map_answer answer;
    struct am_map_question sales = about("sales", "bob"), other = about("sales", "carol"),
                           shifted = about("sale", "s\0bob");

    (void)state;
    now_us = 5;
    assert_true(am_map_cache_init(&cache, &conf));
    assert_false(knows(&cache, &sales, &answer, &values, arena));
    am_map_cache_put(&cache, &sales, &two, AM_MAP_FOUND);
    assert_true(knows(&cache, &sales, &answer, &values, arena));
    assert_int_equal(answer, AM_MAP_FOUND);
    assert_int_equal(values.count, 2);
    assert_string_equal(values.items[1], "bob");
    assert_false(knows(&cache, &other, &answer, &values, arena));
    assert_false(knows(&cache, &shifted, &answer, &values, arena));
    now_us += 1000 * 1000;
    assert_false(knows(&cache, &sales, &answer, &values, arena));
    /* One place: the later one stays. */
    am_map_cache_put(&cache, &sales, &two, AM_MAP_FOUND);
    am_map_cache_put(&cache, &other, &none, AM_MAP_NONE);
    assert_false(knows(&cache, &sales, &answer, &values, arena));
    assert_true(knows(&cache, &other, &answer, &values, arena));
    assert_int_equal(answer, AM_MAP_NONE);
    assert_int_equal(values.count, 0);
    now_us += 100 * 1000;
    assert_false(knows(&cache, &other, &answer, &values, arena));
    am_map_cache_fini(&cache);
    am_arena_free(arena);
}

static void keeps_nothing_large(void **state)
{
    static char big[5000];
    const char *items[] = {big};
    const struct am_map_values values = {items, 1};
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_cache cache;
    struct am_map_values found;
    enum am_map_answer answer;
    struct am_map_question sales = about("sales", "bob");

    (void)state;
    memset(big, 'a', sizeof(big) - 1);
    assert_true(am_map_cache_init(&cache, &conf));
    am_map_cache_put(&cache, &sales, &values, AM_MAP_FOUND);
    assert_false(knows(&cache, &sales, &answer, &found, arena));
    am_map_cache_fini(&cache);
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps),
                                       cmocka_unit_test(keeps_nothing_large)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
