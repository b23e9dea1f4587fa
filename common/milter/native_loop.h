#ifndef AM_MILTER_NATIVE_LOOP_H
#define AM_MILTER_NATIVE_LOOP_H

#include "common/milter/native_conn.h"
#include "common/milter/native_crew.h"

/* A listening socket. */
struct am_native_door {
    int fd;
    bool paused; /* no descriptor or memory for a further connection */
    struct am_listener listener;
};

/*
 * The loop: a crew of threads that wait at one epoll set. Each connection, and each
 * listening socket, is armed for one event at a time; the thread that gets the event serves it to
 * its end and arms it again, so nothing is handed over between threads.
 */
struct am_native_loop {
    struct am_native_shared shared;
    struct am_native_line line;
    int idle_ms;           /* a connection silent for so long is closed */
    int epoll_fd, stop_fd; /* -1 = none */
    struct am_native_door doors[AM_LISTENERS_MAX];
    size_t door_count;
    struct am_native_crew crew;
    pthread_mutex_t lock; /* of the list, and of `paused` */
    struct am_native_conn *conns;
    bool paused;           /* any of the doors */
    bool paused_is_logged; /* this time */
    int64_t pause_log_ms;  /* when the log was told last */
};

/* Makes the loop. Returns false with a sentence. */
bool am_native_loop_open(struct am_native_loop *loop, int idle_s,
                         struct am_snapshot_holder *runtime,
                         struct am_problem *problem) AM_MUST_USE;

/*
 * Adds a listening, non-blocking socket, at most AM_LISTENERS_MAX; connections are taken once the
 * loop runs. Returns false with a sentence. Ownership: the socket is the loop's on success.
 */
bool am_native_loop_add(struct am_native_loop *loop, int fd, const struct am_listener *listener,
                        struct am_problem *problem) AM_MUST_USE;

/*
 * Serves until am_native_loop_stop(); every connection is closed then. Returns false when it could
 * not begin. Blocking: for the life of the process.
 */
bool am_native_loop_run(struct am_native_loop *loop) AM_MUST_USE;

/* Ends it: a step that is under way is finished and answered. Threads: any. */
void am_native_loop_stop(struct am_native_loop *loop);

#endif
