#ifndef CONTRIB_MIME_MIME_NAMES_H
#define CONTRIB_MIME_MIME_NAMES_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/option.h"
#include "common/base/span.h"

/* Most names of one part that are kept. */
#define AM_MIME_NAMES_MAX 64

/* Adds a name unless it is there or empty. NULs become U+FFFD, which is in no name. Returns false
 * when memory is short or there are too many. Ownership: `arena`. */
bool am_mime_names_add(struct am_strlist *names, struct am_arena *arena, struct am_span name);

/*
 * Adds the value of each parameter of a header that may be a file's name, read as the laxest of
 * clients would: every "name" and "filename" of Content-Type and Content-Disposition fields,
 * however often, whatever stands between them. What is encoded stays so; numbered or encoded pieces
 * (RFC 2231) are there one by one, and once together and decoded, in the order in which they stand.
 *
 * header: the lines of a part's header, as they stand in the message.
 * Returns: as above.
 */
bool am_mime_names_scan(struct am_strlist *names, struct am_arena *arena, struct am_span header);

#endif
