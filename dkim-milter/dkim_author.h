#ifndef DKIM_DKIM_AUTHOR_H
#define DKIM_DKIM_AUTHOR_H

#include "common/mail/address.h"
#include "dkim-milter/dkim_fields.h"

/* Who a message says it is from (RFC 5322 section 3.6.2). */

enum dkim_author_kind {
    DKIM_AUTHOR_ONE,
    DKIM_AUTHOR_NONE,       /* no From field */
    DKIM_AUTHOR_SEVERAL,    /* several From fields, or several addresses in one */
    DKIM_AUTHOR_UNREADABLE, /* a From that holds no address by any reading we dare */
    DKIM_AUTHOR_MEMORY,
};

struct dkim_author {
    enum dkim_author_kind kind;
    struct am_address address; /* with DKIM_AUTHOR_ONE; the domain as written */
    const char *domain;        /* lower-case A-labels, no final dot; "" when there is none */
};

/*
 * Reads the author of a message by the grammar of common/mail/author.h; time linear in the fields'
 * length.
 *
 * Ownership: what `out` points to lives in `arena`.
 */
void dkim_author_find(struct dkim_author *out, struct am_arena *arena,
                      const struct dkim_fields *fields);

#endif
