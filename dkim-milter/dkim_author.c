#include "dkim-milter/dkim_author.h"

#include "common/mail/author.h"

void dkim_author_find(struct dkim_author *out, struct am_arena *arena,
                      const struct dkim_fields *fields)
{
    size_t count;
    const struct dkim_field *const *from = dkim_fields_find(fields, am_span_str("from"), &count);
    struct am_authors authors;

    *out = (struct dkim_author){.kind = DKIM_AUTHOR_UNREADABLE, .domain = ""};
    if (count != 1) {
        out->kind = count == 0 ? DKIM_AUTHOR_NONE : DKIM_AUTHOR_SEVERAL;
        return;
    }
    am_authors_read(&authors, arena, from[0]->value);
    if (authors.no_memory) {
        out->kind = DKIM_AUTHOR_MEMORY;
    } else if (authors.mailboxes > 1) {
        out->kind = DKIM_AUTHOR_SEVERAL;
    } else if (authors.mailboxes == 1 && !authors.unreadable && authors.items[0].domain != NULL) {
        out->kind = DKIM_AUTHOR_ONE;
        out->address = authors.items[0].address;
        out->domain = authors.items[0].domain;
    }
}
