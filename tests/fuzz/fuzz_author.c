/* Values of From fields, one a line: no more are kept than there is room, and they are names. */
#include <stdint.h>
#include <stdlib.h>

#include "common/mail/author.h"
#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_from.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_span rest = am_span_of((const char *)data, size);
    struct dmarc_from from = {.count = 0};
    while (rest.len > 0) {
        struct am_span line = am_span_of(rest.ptr, am_span_find(rest, '\n'));
        struct am_authors authors;
        rest = am_span_of(rest.ptr + line.len, rest.len - line.len);
        rest = am_span_of(rest.ptr + (rest.len > 0), rest.len - (rest.len > 0));
        am_authors_read(&authors, arena, line);
        if (authors.count > authors.mailboxes || !dmarc_from_add(&from, arena, line))
            abort();
    }
    for (size_t i = 0; i < from.count; i++)
        if (!am_domain_is_valid(am_span_str(from.domains[i])))
            abort();
    am_arena_free(arena);
    return 0;
}
