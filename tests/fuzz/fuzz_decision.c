/* A line of a log: hostile mail brings values into it. */
#include "authmilter/decision_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decision_line line;
    struct am_arena *arena = am_arena_new(4096, (size_t)64 << 20);

    if (decision_line_read(&line, arena, am_span_of((const char *)data, size)))
        (void)decision_line_value(&line, "queue_id");
    am_arena_free(arena);
    return 0;
}
