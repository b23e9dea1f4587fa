/* An SMTP path and its domain. */
#include <stdint.h>
#include <stdlib.h>

#include "common/mail/address.h"
#include "common/mail/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_span text = am_span_of((const char *)data, size);
    struct am_arena *arena = am_arena_new(256, 1 << 20);
    struct am_address address;
    const char *ascii;

    if (am_address_parse(&address, text) && address.local.len + address.domain.len > size)
        abort();
    ascii = am_domain_to_ascii(arena, address.domain.len > 0 ? address.domain : text);
    if (ascii != NULL && am_domain_is_valid(am_span_str(ascii)) && strlen(ascii) > AM_DOMAIN_MAX)
        abort();
    am_arena_free(arena);
    return 0;
}
