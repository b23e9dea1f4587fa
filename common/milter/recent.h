#ifndef AM_MILTER_RECENT_H
#define AM_MILTER_RECENT_H

#include <stdint.h>

#include "common/base/buf.h"

/*
 * The latest lines of the log, in memory of a fixed size: the newest push the oldest out. For
 * `authmilter why`, where no log can be read.
 *
 * Threads: any.
 */
struct am_recent;

/* Makes one of so many bytes. Returns NULL when memory is short. Freed with am_recent_free(). */
struct am_recent *am_recent_new(size_t bytes);

/* Frees it. NULL is allowed. */
void am_recent_free(struct am_recent *recent);

/* Keeps a line without its end; one that is larger than a quarter of all is left out. NULL is
 * allowed. Never blocks for long. */
void am_recent_add(struct am_recent *recent, int64_t time_s, struct am_span line);

/*
 * Appends the lines that hold ` key=value ` (as the log writes them, at their begin or end too),
 * oldest first, each as "SECONDS LINE"; those that come meanwhile may be left out. Who adds lines
 * waits for a part of the search only.
 */
void am_recent_find(struct am_recent *recent, const char *pair, struct am_buf *out);

#endif
