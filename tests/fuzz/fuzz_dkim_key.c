/* A key record and its key, and the same octets as p=; no key passes a null signature. */
#include <stdlib.h>

#include "dkim-milter/dkim_key_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(enum dkim_key_type type, struct am_span octets)
{
    static const char signature[DKIM_SIGNATURE_LEN_MAX];
    static const uint8_t digest[DKIM_HASH_LEN] = {1};
    struct dkim_public_key *key;
    dkim_public_key_new(&key, type, octets);
    size_t len = key != NULL ? (dkim_public_key_bits(key) + 7) / 8 : 0;
    if (len > 0 && dkim_public_key_verify(key, digest, am_span_of(signature, len)) == 0)
        abort();
    dkim_public_key_drop(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, 8 << 20);
    struct dkim_key_record record;
    if (dkim_key_record_parse(&record, arena, am_span_of((const char *)data, size)) ==
        DKIM_REASON_NONE)
        use(record.type, record.octets);
    use(DKIM_KEY_RSA, am_span_of((const char *)data, size));
    am_arena_free(arena);
    return 0;
}
