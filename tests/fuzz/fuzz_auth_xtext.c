/* The AUTH parameter of MAIL: what is taken is a mailbox that any header can carry. */
#include <stdint.h>
#include <stdlib.h>

#include "auth-milter/auth_xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(1024, 1 << 20);
    struct am_span mailbox;

    if (auth_xtext_mailbox(arena, am_span_of((const char *)data, size), &mailbox)) {
        if (mailbox.len > size || mailbox.len < 3)
            abort();
        for (size_t i = 0; i < mailbox.len; i++)
            if ((unsigned char)mailbox.ptr[i] < ' ' || mailbox.ptr[i] == 127)
                abort();
    }
    am_arena_free(arena);
    return 0;
}
