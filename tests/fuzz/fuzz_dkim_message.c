#include "tests/fuzz/dkim_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key record in the first line, then a message; its body comes in two pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_span rest = am_span_of((const char *)data, size);
    struct one_record dns;
    struct am_arena *arena = am_arena_new(65536, 0);
    struct dkim_fields fields;

    one_record_init(&dns, take_line(&rest));
    dkim_fields_init(&fields, arena, size % 2 == 1);
    struct dkim_verify_env env = {.arena = arena,
                                  .resolver = &dns.resolver,
                                  .clock = am_clock_system(),
                                  .limits = &dkim_limits_default,
                                  .lookup_deadline_us = AM_NEVER};
    if (take_fields(&fields, &rest)) {
        size_t cut = rest.len / 3;
        struct dkim_verifier *verifier = dkim_engine_builtin.start(&env, &fields);
        dkim_engine_builtin.body(verifier, am_span_of(rest.ptr, cut));
        dkim_engine_builtin.body(verifier, am_span_of(rest.ptr + cut, rest.len - cut));
        check_field(dkim_engine_builtin.finish(verifier), arena);
    }
    am_arena_free(arena);
    return 0;
}
