#ifndef AM_MILTER_APP_SERVER_H
#define AM_MILTER_APP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/milter/app.h"
#include "common/milter/control.h"
#include "common/milter/listen.h"
#include "common/milter/listener.h"
#include "common/milter/metrics.h"
#include "common/milter/reload.h"

/*
 * A running program, shared by the files of its life: app_start.c, app_loop.c, app_serve.c. The
 * main thread owns it; what other threads read is atomic or has its own locks.
 */
struct am_server {
    const struct am_app *app;
    struct am_reload reload;
    struct am_counters *counters;
    struct am_recent *recent; /* NULL: none */
    struct am_top *top;       /* NULL: none */
    struct am_snapshot_holder *holder;
    struct am_milter_options start; /* as they were at the start: what cannot change */
    struct am_runtime *first;       /* keeps the strings of `start` */
    char usual_socket[108 + 8];     /* what an empty milter.socket stands for */
    struct am_listener listeners[AM_LISTENERS_MAX]; /* as they were at the start */
    struct am_listen milters[AM_LISTENERS_MAX];     /* the first `listening` are open */
    size_t listener_count, listening;
    struct am_listen control_listen;
    struct am_control *control;
    struct am_metrics *metrics;
    struct am_metrics_source metrics_source;
    int signal_fd, ended_fd; /* -1 = none; ended_fd tells that serving has ended */
    pthread_t serving;
    bool serving_started;
    atomic_bool healthy;
    bool draining, stop_now;
    int64_t drain_end_us, files_due_us, watchdog_due_us, watchdog_ms;
    int64_t guard_due_us; /* when the signals must be known to be ours; 0 = checked */
};

/* Sets signals, rights, memory and stacks of the process. Threads: before any other exists. */
void am_server_prepare_process(void);

/*
 * Makes the parts and loads the first configuration.
 * Returns: false with a sentence and the exit status in `*status`.
 */
bool am_server_load(struct am_server *server, const struct am_runtime_source *source, int *status,
                    struct am_problem *problem) AM_MUST_USE;

/* Opens the sockets, gives up rights, starts the threads. Returns false with a sentence. */
bool am_server_start(struct am_server *server, struct am_problem *problem) AM_MUST_USE;

/* Runs the control loop until the program shall end. Returns false when serving ended by itself. */
bool am_server_loop(struct am_server *server) AM_MUST_USE;

/* Answers a line of the control socket. `server`: struct am_server. */
void am_server_command(void *server, const char *line, struct am_buf *out);

/* Makes the page of figures: see struct am_metrics_source. Threads: any. */
char *am_server_render_metrics(void *server, size_t *length);

/* Tells whether mail is served: see struct am_metrics_source. Threads: any. */
bool am_server_is_healthy(void *server);

#endif
