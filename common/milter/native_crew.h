#ifndef AM_MILTER_NATIVE_CREW_H
#define AM_MILTER_NATIVE_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Threads that serve events. A few of them run: as many as there are processors, so that none
 * competes with another for one. One that is about to wait within an event stops being counted and
 * another takes its place; when it comes back and its place is taken it rests until it is needed
 * again. Resting threads end after a while, the one that rests longest first, so that a burst
 * leaves none behind and a steady load starts none.
 *
 * A thread that waits without saying so keeps its place. When all do, the watch finds out and
 * starts another one: late, but mail goes on.
 */
struct am_native_crew {
    /* Serves events: am_native_crew_pause() until it returns false, _took() once there is one. */
    void (*work)(void *user);
    void *user;
    int busy_fd;           /* an eventfd: written when nobody is free for the next event */
    unsigned places, most; /* threads that shall run; threads at most, the waiting ones included */

    pthread_mutex_t lock;
    pthread_cond_t empty;
    struct am_native_hand *resting; /* the latest first */
    unsigned count, running;
    atomic_bool surplus; /* more threads run than there are places */
    bool ending, told_full;
    bool any_left;
    pthread_t left;             /* the last thread that ended */
    atomic_uint free;           /* threads that are ready for an event */
    atomic_ullong ended;        /* events */
    unsigned long long watched; /* `ended` at the last watch, when nobody was free then */
    bool was_busy;
    atomic_bool busy_is_told; /* until am_native_crew_calm() */
};

/* Starts the threads. `work`, `user`, `places`, `most` are set. Returns false with a sentence. */
bool am_native_crew_start(struct am_native_crew *crew, struct am_problem *problem) AM_MUST_USE;

/* Tells all threads to end; those in an event are not interrupted. Threads: any. */
void am_native_crew_end(struct am_native_crew *crew);

/* Waits until every thread has ended; also those of a crew whose start failed half-way. */
void am_native_crew_wait(struct am_native_crew *crew);

/*
 * Called by a thread of the crew when it begins: names whole pages of its own whose content it can
 * do without between two events. They are given back while it rests; NULL: there are none.
 */
void am_native_crew_spare(void *memory, size_t len);

/* Called by a thread of the crew between two events; it may rest in here. Returns false when it
 * shall end. */
bool am_native_crew_pause(void) AM_MUST_USE;

/* Called by a thread of the crew when it got an event. */
void am_native_crew_took(void);

/*
 * The watch, to be called every few milliseconds once `busy_fd` was written: tells whether nobody
 * is free, and starts a thread when that was so at the last call too and no event has ended since.
 * Threads: one.
 */
bool am_native_crew_watch(struct am_native_crew *crew);

/* Ends the watch: `busy_fd` is written again the next time. Threads: the one that watches. */
void am_native_crew_calm(struct am_native_crew *crew);

/* Called within an event, before a wait. Does nothing in a thread that is of no crew. Never
 * blocks. */
void am_native_crew_before_wait(void);

#endif
