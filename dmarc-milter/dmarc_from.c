#include "dmarc-milter/dmarc_from.h"

#include <string.h>

#include "common/mail/author.h"

static void add_domain(struct dmarc_from *from, const char *domain)
{
    for (size_t i = 0; i < from->count; i++)
        if (strcmp(from->domains[i], domain) == 0)
            return;
    if (from->count == DMARC_AUTHORS_MAX)
        from->too_many = true;
    else
        from->domains[from->count++] = domain;
}

bool dmarc_from_add(struct dmarc_from *from, struct am_arena *arena, struct am_span value)
{
    struct am_authors authors;

    from->fields++;
    am_authors_read(&authors, arena, value);
    if (authors.no_memory)
        return false;
    /* What stands before the place where the grammar ends is a guess that nobody needs. */
    if (authors.unreadable) {
        from->unreadable = true;
        return true;
    }
    from->too_many = from->too_many || authors.mailboxes > authors.count;
    for (size_t i = 0; i < authors.count; i++) {
        if (authors.items[i].domain != NULL)
            add_domain(from, authors.items[i].domain);
        else
            from->unreadable = true;
    }
    return true;
}

const char *dmarc_from_fault(const struct dmarc_from *from)
{
    if (from->fields == 0)
        return "no From field";
    if (from->fields > 1)
        return "several From fields";
    if (from->unreadable)
        return "From cannot be read";
    if (from->too_many)
        return "too many authors in From";
    return from->count == 0 ? "no address in From" : NULL;
}
