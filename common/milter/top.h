#ifndef AM_MILTER_TOP_H
#define AM_MILTER_TOP_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/milter/results.h"

/*
 * Which domains come most often, in memory of a fixed size, however many there are (space-saving,
 * Metwally et al. 2005): a new domain takes the place of the one with the smallest count
 * and inherits it, so a count is at most the true one plus the `error` beside it, and never less
 * than the true one. A domain with more than 1/size of all is always there.
 *
 * Threads: any.
 */
struct am_top;

/* Longest domain that is told apart, and most entries. */
#define AM_TOP_NAME_MAX 80
#define AM_TOP_ENTRIES_MAX 10000

/* Makes a list of so many entries. Returns NULL when memory is short. Freed with am_top_free(). */
struct am_top *am_top_new(size_t entries);

/* Frees it. NULL is allowed. */
void am_top_free(struct am_top *top);

/*
 * Counts a result under its method and the domain it is about: header.from, smtp.mailfrom,
 * header.d or smtp.helo, whichever it has first; results without any are not counted. NULL is
 * allowed.
 */
void am_top_count(struct am_top *top, const struct am_result *result);

/*
 * Appends the entries with the highest counts, one a line: "METHOD DOMAIN COUNT ERROR
 * RESULT=N...". The numbers of results are those since the domain took its place. What is no
 * printable UTF-8 of a domain stands as \xNN.
 *
 * method, result: NULL = all; with a result the order is by its number. most: lines.
 * Returns: false when memory is short; a list that is NULL has no entries. Counting waits for a
 * copy of the list only.
 */
bool am_top_print(struct am_top *top, const char *method, const char *result, size_t most,
                  struct am_buf *out) AM_MUST_USE;

#endif
