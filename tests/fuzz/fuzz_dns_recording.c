/* A recording of the DNS: what is read is written, and read again as the same. */
#include <stdlib.h>

#include "common/dns/dns_recording_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, (size_t)64 << 20);
    struct am_dns_recording recording, again;
    struct am_problem problem;
    int64_t now_s;

    am_dns_recording_init(&recording, arena);
    am_dns_recording_init(&again, arena);
    if (am_dns_recording_parse(&recording, am_span_of((const char *)data, size), "fuzz", &now_s,
                               &problem)) {
        json_t *answers = am_dns_recording_to_json(&recording);
        if (answers == NULL || !am_dns_recording_from_json(&again, answers, &problem) ||
            again.count != recording.count)
            abort();
        json_decref(answers);
    }
    am_arena_free(arena);
    return 0;
}
