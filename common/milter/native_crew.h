#ifndef AM_MILTER_NATIVE_CREW_H
#define AM_MILTER_NATIVE_CREW_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/problem.h"

/*
 * Threads that serve events. A few of them run: as many as there are processors, so that none
 * competes with another for one. One that is about to wait within an event stops being counted and
 * another takes its place; when it comes back and its place is taken it rests until it is needed
 * again. Resting threads end after a while, the one that rests longest first, so that a burst
 * leaves none behind and a steady load starts none.
 */
struct am_native_crew {
    /* Serves events until am_native_crew_pause() returns false. */
    void (*work)(void *user);
    void *user;
    unsigned places, most; /* threads that shall run; threads at most, the waiting ones included */

    pthread_mutex_t lock;
    pthread_cond_t empty;
    struct am_native_hand *resting; /* the latest first */
    unsigned count, running;
    bool ending, told_full;
};

/* Starts the threads. `work`, `user`, `places`, `most` are set. Returns false with a sentence. */
bool am_native_crew_start(struct am_native_crew *crew, struct am_problem *problem) AM_MUST_USE;

/* Tells all threads to end; those in an event are not interrupted. Threads: any. */
void am_native_crew_end(struct am_native_crew *crew);

/* Waits until every thread has ended. */
void am_native_crew_wait(struct am_native_crew *crew);

/* Called by a thread of the crew between two events; it may rest in here. Returns false when it
 * shall end. */
bool am_native_crew_pause(void) AM_MUST_USE;

/* Called within an event, before a wait. Does nothing in a thread that is of no crew. Never
 * blocks. */
void am_native_crew_before_wait(void);

#endif
