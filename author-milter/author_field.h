#ifndef AUTHOR_AUTHOR_FIELD_H
#define AUTHOR_AUTHOR_FIELD_H

#include "author-milter/author.h"

/*
 * Writes the value of a From field for another address: the display name of the former one is kept
 * when it reads as one and holds no address itself.
 *
 * former: the value of the field as it came. Folds become blanks.
 * Returns: the value, or NULL when memory is short. Ownership: `arena`. Threads: any.
 */
const char *author_field_write(struct am_arena *arena, struct am_span former,
                               const struct am_author *author) AM_MUST_USE;

/*
 * Makes a Reply-To of a From field: the same text, if it can stand in a message; else the addresses
 * that were read from it.
 *
 * Returns: the value; "" when there is no address in it; NULL when memory is short.
 * Ownership: `arena`. Threads: any.
 */
const char *author_field_reply_to(struct am_arena *arena, struct am_span former,
                                  const struct am_authors *authors) AM_MUST_USE;

#endif
