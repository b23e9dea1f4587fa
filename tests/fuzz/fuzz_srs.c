/* An SRS address: whatever is turned back was made here, and what is made is turned back. */

#include <stdlib.h>

#include "srs-milter/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct srs_secrets secrets = {{{"a secret for fuzzing", 20}}, 1};
    const struct srs_scheme scheme = {&secrets, "fwd.example", '=', SRS_SHA1, 4, 4, 21};
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_address address;

    if (!am_address_parse(&address, am_span_of((const char *)data, size)))
        address = (struct am_address){.is_null = true};
    struct srs_outcome outcome = srs_reverse(&scheme, arena, &address, 1796126400);
    if (outcome.status == SRS_OK && (outcome.address == NULL || outcome.age_days > 21))
        abort();
    /* Who claims to come from here says nothing of what comes back. */
    bool ours = am_span_equal_nocase(address.domain, am_span_str("fwd.example"));
    outcome = srs_forward(&scheme, arena, &address, 1796126400);
    if (!ours && outcome.status == SRS_OK &&
        (!am_address_parse(&address, am_span_str(outcome.address)) ||
         srs_reverse(&scheme, arena, &address, 1796126400).status != SRS_OK))
        abort();
    am_arena_free(arena);
    return 0;
}
