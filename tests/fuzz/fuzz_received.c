/* A Received field of a relay, and its text as HELO name and sender in a Received-SPF field. */
#include <stdlib.h>

#include "spf-milter/spf_received.h"
#include "spf-milter/spf_relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_span text = am_span_of((const char *)data, size);
    struct am_arena *arena = am_arena_new(1024, 1 << 20);
    struct spf_outcome outcome = {.result = SPF_FAIL, .domain = "example.org", .reason = "none"};
    struct spf_finding finding = {SPF_MAILFROM, &outcome};
    struct spf_hop hop;

    spf_relay_parse(&hop, text);
    struct spf_received_facts facts = {&finding, &hop.ip, text, hop.helo, "mx (1)", size % 2 == 0};
    const char *value = spf_received_value(arena, &facts);
    for (const char *c = value; value != NULL && *c != '\0'; c++)
        if ((*c == '\n' && c[1] != '\t') || (*c < ' ' && *c > 0 && *c != '\n' && *c != '\t'))
            abort();
    am_arena_free(arena);
    return 0;
}
