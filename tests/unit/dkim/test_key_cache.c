#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_key_cache.h"
#include "tests/support/failing_alloc.h"

/* Ed25519 keys are any 32 octets, so there are as many as a test wants. */
static struct am_span octets_of(unsigned number, char octets[32])
{
    memset(octets, 0, 32);
    memcpy(octets, &number, sizeof(number));
    return am_span_of(octets, 32);
}

static struct dkim_public_key *take(struct dkim_key_cache *cache, unsigned number)
{
    char octets[32];
    struct dkim_public_key *key;
    assert_int_equal(dkim_key_cache_take(cache, DKIM_KEY_ED25519, octets_of(number, octets), &key),
                     DKIM_REASON_NONE);
    assert_non_null(key);
    return key;
}

static struct dkim_key_cache_figures figures_of(struct dkim_key_cache *cache)
{
    struct dkim_key_cache_figures figures;
    dkim_key_cache_read_figures(cache, &figures);
    return figures;
}

static void same_octets_same_key(void **state)
{
    (void)state;
    struct dkim_key_cache *cache = dkim_key_cache_new(0);
    struct dkim_public_key *a = take(cache, 1), *b = take(cache, 1), *c = take(cache, 2);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    struct dkim_key_cache_figures figures = figures_of(cache);
    assert_int_equal(figures.entries, 2);
    assert_int_equal(figures.hits, 1);
    assert_int_equal(figures.misses, 2);
    dkim_key_cache_free(cache); /* keys outlive their cache */
    assert_int_equal(dkim_public_key_bits(a), 256);
    dkim_public_key_drop(a);
    dkim_public_key_drop(b);
    dkim_public_key_drop(c);
}

/* The type is part of what a key is; what is no key is not kept. */
static void type_and_faults(void **state)
{
    char octets[32];
    struct dkim_public_key *key;
    (void)state;
    struct dkim_key_cache *cache = dkim_key_cache_new(64);
    dkim_public_key_drop(take(cache, 1));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dkim_key_cache_take(cache, DKIM_KEY_RSA, octets_of(1, octets), &key),
                         DKIM_REASON_KEY_MALFORMED);
        assert_null(key);
    }
    assert_int_equal(figures_of(cache).entries, 1);
    assert_int_equal(figures_of(cache).misses, 4);
    dkim_key_cache_free(cache);
    dkim_key_cache_free(NULL);
    assert_int_equal(dkim_key_cache_take(NULL, DKIM_KEY_ED25519, octets_of(1, octets), &key),
                     DKIM_REASON_NONE);
    dkim_public_key_drop(key);
}

/* Junk fills the cache to its bound and no further; a key in use all the time is not lost to it. */
static void bounded(void **state)
{
    (void)state;
    struct dkim_key_cache *cache = dkim_key_cache_new(100);
    struct dkim_public_key *used = take(cache, 0);
    unsigned kept = 0;
    for (unsigned i = 1; i <= 5000; i++) {
        dkim_public_key_drop(take(cache, i));
        struct dkim_public_key *again = take(cache, 0);
        kept += again == used;
        dkim_public_key_drop(again);
    }
    assert_int_equal(kept, 5000);
    struct dkim_key_cache_figures figures = figures_of(cache);
    assert_int_equal(figures.entries, 128); /* rounded up */
    assert_int_equal(figures.evicted, 5001 - 128);
    assert_int_equal(figures.hits, 5000);
    dkim_public_key_drop(used);
    dkim_key_cache_free(cache);
}

struct worker {
    pthread_t thread;
    struct dkim_key_cache *cache;
    unsigned seed;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    const uint8_t digest[DKIM_HASH_LEN] = {0};
    char octets[32];
    uintptr_t wrong = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct dkim_public_key *key;
        worker->seed = worker->seed * 1103515245 + 12345;
        unsigned number = worker->seed >> 16 & 127;
        wrong += dkim_key_cache_take(worker->cache, DKIM_KEY_ED25519, octets_of(number, octets),
                                     &key) != DKIM_REASON_NONE;
        if (i % 100 == 0)
            wrong += dkim_public_key_verify(key, digest, am_span_of(octets, 32)) !=
                     DKIM_REASON_SIGNATURE_MISMATCH;
        wrong += dkim_public_key_bits(key) != 256;
        dkim_public_key_drop(key);
    }
    return (void *)wrong;
}

static void many_threads(void **state)
{
    struct worker workers[6];
    (void)state;
    struct dkim_key_cache *cache = dkim_key_cache_new(64);
    for (unsigned i = 0; i < 6; i++) {
        workers[i] = (struct worker){.cache = cache, .seed = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 6; i++) {
        void *wrong;
        pthread_join(workers[i].thread, &wrong);
        assert_null(wrong);
    }
    struct dkim_key_cache_figures figures = figures_of(cache);
    assert_int_equal(figures.hits + figures.misses, 6 * 2000);
    assert_in_range(figures.entries, 1, 64);
    dkim_key_cache_free(cache);
}

static void allocations_fail(void **state)
{
    char octets[32];
    struct dkim_public_key *key;
    (void)state;
    failing_alloc_start(0); /* of the places; the cache itself comes aligned */
    struct dkim_key_cache *cache = dkim_key_cache_new(64);
    assert_true(failing_alloc_stop());
    assert_null(cache);
    cache = dkim_key_cache_new(64);
    failing_alloc_start(0);
    enum dkim_reason reason =
        dkim_key_cache_take(cache, DKIM_KEY_ED25519, octets_of(1, octets), &key);
    assert_true(failing_alloc_stop());
    assert_int_equal(reason, DKIM_REASON_MEMORY);
    assert_null(key);
    assert_int_equal(figures_of(cache).entries, 0);
    dkim_key_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_octets_same_key),
        cmocka_unit_test(type_and_faults),
        cmocka_unit_test(bounded),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
