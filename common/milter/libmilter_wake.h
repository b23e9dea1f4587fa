#ifndef AM_MILTER_LIBMILTER_WAKE_H
#define AM_MILTER_LIBMILTER_WAKE_H

#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Keeps libmilter's worker pool from leaving connections unserved.
 *
 * The pool hands a connection that has data to an idle worker if its count of idle workers is
 * above zero, and starts a new worker otherwise. The count goes down only when the chosen worker
 * runs. Connections that become ready before that are all promised to the same worker, and when
 * that one then blocks, on the DNS for example, they wait until some worker is free again,
 * while nothing but a further event makes the pool look. Measured with 20 ms DNS: 12 workers for
 * 50 busy connections, some of which waited for seconds.
 *
 * So a callback that is about to block causes that event: it sends an abort, which libmilter
 * ignores outside a message, over a connection of our own to our own socket. The pool then sees
 * that nobody is idle and starts a worker, which goes on to take what was left lying. The
 * connection is made before any other: libmilter looks through connections in the order they came,
 * so ours is never among those left lying.
 */

/*
 * Connects to the socket that was just opened, given in libmilter's syntax. Returns false with a
 * sentence; everything works without, only slower. Threads: start-up only.
 */
bool am_libmilter_wake_open(const char *socket, struct am_problem *problem) AM_MUST_USE;

/* Makes the pool look for connections left lying. Never blocks. Threads: any. */
void am_libmilter_wake(void);

#endif
