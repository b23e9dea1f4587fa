#ifndef AM_MILTER_CAPTURE_WRITE_H
#define AM_MILTER_CAPTURE_WRITE_H

#include "common/milter/capture.h"
#include "common/milter/case.h"

/* The files of cases. */

/* Returns the options that differ from their defaults as the file has them; NULL when memory is
 * short. Secrets are masked. */
const char *am_capture_config_text(struct am_arena *arena, const struct am_config *config);

/*
 * Writes a case beside the others, for its owner alone to read. A directory that is full, or that
 * cannot be written, is counted and said at most once a minute. Blocking: writes a file.
 */
void am_capture_write(const struct am_capture_options *options, struct am_runtime *runtime,
                      const struct am_case *kept);

/* Counts what became of a case: "written", "full", "failed", "too_large". */
void am_capture_count(const struct am_runtime *runtime, const char *what);

#endif
