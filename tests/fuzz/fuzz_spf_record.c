/* A record: parsed as it is, and evaluated over a small zone; prefetching must not change the
 * result. */
#include <stdlib.h>

#include "spf-milter/spf_record.h"
#include "tests/fuzz/spf_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(65536, 8 << 20);
    struct am_span text = am_span_of((const char *)data, size), bad;
    struct spf_record record;
    struct spf_request request = fuzz_spf_request();
    am_address_parse(&request.sender, am_span_str("u.v-w@a.example"));
    if (spf_record_is_spf(text) && spf_record_parse(arena, text, &record, &bad) == SPF_PARSE_OK &&
        record.count > size)
        abort();
    request.record = am_arena_copy(arena, text);
    enum spf_result result = spf_evaluate(arena, &request)->result;
    request.prefetch = true;
    if (spf_evaluate(arena, &request)->result != result)
        abort();
    am_arena_free(arena);
    return 0;
}
