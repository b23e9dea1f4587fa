#ifndef AM_MILTER_WATCH_H
#define AM_MILTER_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem.h"

/*
 * Tells when any of a set of files is written or replaced. Directories are watched, so that the
 * usual write-beside-and-rename is seen as well as writing in place.
 *
 * Threads: one at a time.
 */
struct am_watch;

/* What is watched. */
struct am_watch_path {
    const char *path; /* of a file; with a slash at the end, all files of that directory, their
                         coming and going included */
    /*
     * Of a file that others keep open, such as a database: each write counts, and replacement, but
     * not being made, opened or closed, as programs that only read a database do that, too. Without
     * it a write counts when the writer closes the file, so that it is not read half written.
     */
    bool writes;
};

/* Makes a watch of nothing. Returns NULL with a sentence. Freed with am_watch_free(). */
struct am_watch *am_watch_new(struct am_problem *problem) AM_MUST_USE;

/* Frees the watch. NULL is allowed. */
void am_watch_free(struct am_watch *watch);

/* Returns the descriptor to poll for reading. */
int am_watch_fd(const struct am_watch *watch);

/* Watches these files in place of the former ones (copied). What cannot be watched is logged. */
void am_watch_set(struct am_watch *watch, const struct am_watch_path *paths, size_t count);

/* Takes the events that are there. Returns true when one of the files changed. Never blocks. */
bool am_watch_read(struct am_watch *watch);

#endif
