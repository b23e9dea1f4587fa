#ifndef AM_BASE_PID_FILE_H
#define AM_BASE_PID_FILE_H

#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Writes the process id into `path` ("" = none), replacing what a former process left. The file
 * appears complete. Returns: false with a sentence.
 */
bool am_pid_file_write(const char *path, struct am_problem *problem) AM_MUST_USE;

/* Removes the file if it holds our process id; tries only ("" and missing rights are no error). */
void am_pid_file_remove(const char *path);

#endif
