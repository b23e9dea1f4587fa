/* A From field that is replaced: what is written can stand in a header and names the sender alone.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "author-milter/author_field.h"
#include "common/milter/edits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct am_author bob = {.address = {.local = {"bob", 3}}, .domain = "example.org"};
    struct am_arena *arena = am_arena_new(1024, 0);
    const struct am_span text = {(const char *)data, size};
    struct am_authors authors, written;

    am_authors_read(&authors, arena, text);
    const char *from = author_field_write(arena, text, &bob);
    const char *reply_to = author_field_reply_to(arena, text, &authors);
    if (from == NULL || reply_to == NULL || !am_edit_value_ok(from) ||
        (reply_to[0] != '\0' && !am_edit_value_ok(reply_to)))
        abort();
    am_authors_read(&written, arena, am_span_str(from));
    if (written.mailboxes != 1 || written.count != 1 || written.items[0].domain == NULL ||
        strcmp(written.items[0].domain, "example.org") != 0)
        abort();
    am_arena_free(arena);
    return 0;
}
