#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "dkim-milter/dkim_key_cache.h"
#include "dkim-milter/dkim_key_file.h"
#include "tests/support/failing_alloc.h"

/* The library's allocations go through ours, so that they fail, too. */
static void *library_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *library_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return realloc(old, size);
}

static void library_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static const uint8_t digest[DKIM_HASH_LEN] = {42};

/* Signs and verifies through all that a message needs. Returns whether all went well. */
static bool everything(struct am_span pem)
{
    struct am_problem problem;
    uint8_t out[DKIM_SIGNATURE_LEN_MAX], hashed[DKIM_HASH_LEN];
    size_t len = 0;
    struct dkim_hash hash = {0}, copy = {0};
    dkim_hash_init(&hash);
    dkim_hash_update(&hash, digest, sizeof(digest));
    dkim_hash_copy(&copy, &hash);
    bool good = dkim_hash_final(&hash, hashed) && dkim_hash_final(&copy, hashed);
    dkim_hash_fini(&hash);
    dkim_hash_fini(&copy);

    struct dkim_private_key *key = dkim_key_file_parse(pem, &problem);
    if (key == NULL)
        return false;
    good = dkim_private_key_sign(key, digest, out, &len) && good;
    struct dkim_public_key *public_key;
    enum dkim_reason reason = dkim_public_key_new(&public_key, dkim_private_key_type(key),
                                                  dkim_private_key_public_octets(key));
    /* Nothing is said about key or signature when it was memory that lacked. */
    if (reason == DKIM_REASON_NONE && len > 0)
        reason = dkim_public_key_verify(public_key, digest, am_span_of((char *)out, len));
    assert_true(reason == DKIM_REASON_NONE || reason == DKIM_REASON_MEMORY ||
                reason == DKIM_REASON_CRYPTO ||
                (reason == DKIM_REASON_SIGNATURE_MISMATCH &&
                 dkim_private_key_type(key) == DKIM_KEY_ED25519));
    dkim_public_key_drop(public_key);
    dkim_private_key_free(key);
    return good && reason == DKIM_REASON_NONE;
}

static void each_allocation_fails(void **state)
{
    struct am_problem problem;
    (void)state;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        struct am_buf pem;
        am_buf_init(&pem, 0);
        struct dkim_private_key *key =
            dkim_private_key_generate((enum dkim_key_type)type, 1024, &problem);
        assert_non_null(key);
        assert_true(dkim_private_key_write_pem(key, &pem));
        dkim_private_key_free(key);
        assert_true(everything(am_buf_span(&pem))); /* what is made once is there from here on */
        bool fired = true;
        size_t given = 0;
        /* Reading PEM takes thousands; of those, one in seven is enough. */
        for (; fired; given += given < 300 ? 1 : 7) {
            failing_alloc_start(given);
            bool good = everything(am_buf_span(&pem));
            fired = failing_alloc_stop();
            if (!fired)
                assert_true(good);
            assert_true(given < 100000);
        }
        assert_true(given > 20);
        am_buf_fini(&pem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),
    };
    if (CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
