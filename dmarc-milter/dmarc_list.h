#ifndef DMARC_DMARC_LIST_H
#define DMARC_DMARC_LIST_H

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * Returns the identifier of a List-Id field (RFC 2919): what stands in the last angle brackets, or
 * the whole of a value without any, as a domain name in lower-case A-labels; NULL when that is no
 * domain name.
 *
 * Ownership: `arena`. Threads: any.
 */
const char *dmarc_list_id(struct am_arena *arena, struct am_span value);

#endif
