#ifndef AM_BASE_FILE_H
#define AM_BASE_FILE_H

#include "common/base/buf.h"

/* Whole files and whole texts: signals, and reads and writes of a part only, are no ends. */

/*
 * Appends all that a descriptor gives until its end.
 *
 * Returns: false with errno: EFBIG when it does not fit into the buffer's limit, ENOMEM.
 * Blocking: reads.
 */
bool am_file_read_rest(int fd, struct am_buf *out) AM_MUST_USE;

/*
 * Appends a file's content; what is no regular file is not waited for.
 *
 * Returns: false with a sentence that names the file. Blocking: reads it.
 */
bool am_file_read(const char *path, struct am_buf *out, struct am_problem *problem) AM_MUST_USE;

/* Writes all of a text. Returns false with errno. Blocking: writes. */
bool am_file_write_all(int fd, struct am_span text) AM_MUST_USE;

#endif
