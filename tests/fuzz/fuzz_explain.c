/* The envelope that is guessed from a header of one Received and one Return-Path. */
#include "authmilter/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, (size_t)64 << 20);
    struct am_span text = am_span_of((const char *)data, size);
    struct explain_envelope envelope = {.user = NULL};
    struct dkim_fields fields;

    dkim_fields_init(&fields, arena, false);
    if (dkim_fields_add(&fields, am_span_str("Return-Path"), text) != NULL &&
        dkim_fields_add(&fields, am_span_str("Received"), text) != NULL &&
        dkim_fields_prepare(&fields))
        size = explain_envelope_guess(&envelope, arena, &fields);
    am_arena_free(arena);
    return 0;
}
