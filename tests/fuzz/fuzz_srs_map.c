/* The socketmap: netstrings and requests of a client. */

#include "srs-milter/srs_module_socketmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct srs_secrets secrets = {{{"a secret for fuzzing", 20}}, 1};
    struct am_span input = am_span_of((const char *)data, size), text;
    struct srs_socketmap_counts counts = {0};
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_patterns *none = am_patterns_new(arena, 1);
    const struct srs_derived derived = {
        .scheme = {&secrets, "fwd.example", '=', SRS_SHA1, 4, 4, 21},
        .own_senders = none,
        .sign_senders = none,
        .sign_domains = none,
    };
    struct am_buf out;
    size_t taken;

    am_buf_init(&out, 1 << 16);
    while (srs_netstring_take(input, &text, &taken) == SRS_NETSTRING_WHOLE) {
        srs_socketmap_answer(&derived, arena, text, 1796126400, &out, &counts);
        input = am_span_of(input.ptr + taken, input.len - taken);
    }
    am_buf_fini(&out);
    am_arena_free(arena);
    return 0;
}
