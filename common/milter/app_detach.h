#ifndef AM_MILTER_APP_DETACH_H
#define AM_MILTER_APP_DETACH_H

#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Goes into the background. The process that was started waits until am_app_detach_ready() is
 * called in the background, or until that process ends before; in both cases it exits with
 * the status, so that an init script learns of a start that failed.
 *
 * Returns: in the background process only: a descriptor for am_app_detach_ready(), or -1 with a
 * sentence when there is no process to be had. Threads: before any other thread exists.
 */
int am_app_detach(struct am_problem *problem) AM_MUST_USE;

/* Reports success, leaves the terminal and the directory. */
void am_app_detach_ready(int fd);

#endif
