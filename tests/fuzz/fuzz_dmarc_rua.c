/* A value of rua: whatever it is, an address is one that can be handed to sendmail. */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_rua.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_rua rua;

    dmarc_rua_parse(&rua, arena, am_span_of((const char *)data, size), DMARC_RUA_MAX);
    for (size_t i = 0; i < rua.count; i++) {
        const char *address = rua.uris[i].address;
        if (*address == '-' || strlen(address) > DMARC_RUA_ADDRESS_MAX ||
            strpbrk(address, " \t\r\n,;<>()\"\\") != NULL ||
            !am_domain_is_multi_label(am_span_str(rua.uris[i].domain)))
            abort();
    }
    am_arena_free(arena);
    return 0;
}
