#ifndef AM_MILTER_SIGNALS_H
#define AM_MILTER_SIGNALS_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Signals as descriptor events: HUP and USR1 (reload), TERM and INT (stop).
 *
 * libmilter starts a thread of its own that waits for HUP, TERM and INT with sigwait() and stops
 * the program on each, HUP included. Whoever of two waiters gets a signal is chance, so this file
 * takes libmilter's waiter out of the game: see signals.c.
 */

/*
 * Blocks the four signals in the calling thread and all it makes later, and ignores PIPE. Call it
 * before any other thread exists.
 */
void am_signals_block(void);

/* Opens the descriptor that delivers them. Returns -1 with a sentence on failure. */
int am_signals_open(struct am_problem *problem) AM_MUST_USE;

/* Takes the next one. Returns its number, or 0 when there is none. Never blocks. */
int am_signals_next(int fd);

/* Tells whether libmilter's waiter has been caught; true soon after serving began. Threads: any. */
bool am_signals_are_ours(void);

/* Makes system calls of another thread return early (EINTR). Threads: any. */
void am_signals_interrupt(pthread_t thread);

#endif
