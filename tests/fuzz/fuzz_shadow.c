#include <stdint.h>
#include <stdlib.h>

#include "common/milter/shadow_claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void tell(void *user, const struct am_shadow_claim *a, const struct am_shadow_claim *b)
{
    *(size_t *)user += am_shadow_claim_word(a, a != NULL ? a : b) != NULL;
}

/* A field or signature that another milter, or a stranger in its name, has written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {"mx.example.org"}, *const names[] = {"spf", "dkim"};
    const struct am_shadow_methods methods = {names, 2};
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_shadow_claims fields = {0}, signatures = {0};
    struct am_span value = am_span_of((const char *)data, size);
    size_t told = 0;

    am_shadow_claims_add_field(&fields, arena, value, ids, 1, &methods);
    am_shadow_claims_add_signature(&signatures, arena, value);
    am_shadow_claims_compare(&fields, &signatures, tell, &told);
    if (told != fields.count + signatures.count) /* these never belong together */
        abort();
    am_arena_free(arena);
    return 0;
}
