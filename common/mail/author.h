#ifndef AM_MAIL_AUTHOR_H
#define AM_MAIL_AUTHOR_H

#include "common/base/arena.h"
#include "common/mail/address.h"

/* Who a From field names (RFC 5322 section 3.6.2). */

/* Most mailboxes of one field that are kept; the others are counted. */
#define AM_AUTHORS_MAX 8

struct am_author {
    struct am_address address; /* the domain as written */
    const char *domain; /* lower-case A-labels, no final dot; NULL: no domain name stands there,
                           and `address` is to be left alone */
};

struct am_authors {
    struct am_author items[AM_AUTHORS_MAX]; /* in the order they stand in */
    size_t count;                           /* of `items` */
    size_t mailboxes;                       /* of the field, as far as it was read */
    bool unreadable; /* the field breaks the grammar; what stood before that is kept */
    bool no_memory;  /* nothing is kept then */
};

/*
 * Reads the value of one From field. Comments, quoted strings, quoted pairs, folds, groups
 * (RFC 6854) and route addresses are read as RFC 5322 sections 3.4 and 4.4 have them; no recursion,
 * time linear in the field's length.
 *
 * Ownership: what `out` points to lives in `arena`. Threads: any.
 */
void am_authors_read(struct am_authors *out, struct am_arena *arena, struct am_span value);

#endif
