#include "common/milter/app_serve.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/notify.h"
#include "common/base/pid_file.h"
#include "common/base/privilege.h"
#include "common/milter/app_detach.h"
#include "common/milter/control.h"
#include "common/milter/figures.h"
#include "common/milter/listen.h"
#include "common/milter/metrics.h"
#include "common/milter/reload.h"
#include "common/milter/signals.h"
#include "common/milter/transport.h"

#define EXIT_SYSTEM 71
#define EXIT_CONFIG 78

/* Our callbacks need little stack; libmilter makes a thread for every busy connection. */
#define THREAD_STACK_BYTES ((size_t)256 * 1024)
#define DRAIN_TICK_MS 20
#define STOP_TICK_MS 10
#define STOP_LIMIT_MS 2000
#define FILES_SETTLE_MS 300

struct server {
    const struct am_app *app;
    struct am_reload reload;
    struct am_counters *counters;
    struct am_snapshot_holder *holder;
    struct am_milter_options start; /* as they were at the start: what cannot change */
    struct am_runtime *first;       /* keeps the strings of `start` */
    struct am_listen milter, control_listen;
    struct am_control *control;
    int control_fd;
    struct am_metrics *metrics;
    struct am_metrics_source metrics_source;
    int signal_fd, ended_fd;
    pthread_t serving;
    bool serving_started;
    atomic_bool serve_failed;
    atomic_bool healthy;
    bool draining, stop_now;
    int64_t drain_end_us, files_due_us, watchdog_due_us, watchdog_ms;
};

/* --- figures and control ------------------------------------------------------------------------
 */

static char *render_metrics(void *user, size_t *length)
{
    struct server *server = user;
    struct am_buf page;
    am_buf_init(&page, (size_t)1 << 20);
    am_figures_metrics(server->holder, server->counters, &page);
    if (page.failed || page.data == NULL) {
        am_buf_fini(&page);
        return NULL;
    }
    *length = page.len;
    return page.data; /* goes to the HTTP part, which frees it */
}

static bool is_healthy(void *user)
{
    return atomic_load(&((struct server *)user)->healthy);
}

static void control_reload(struct server *server, struct am_buf *out)
{
    struct am_problem problem = {{0}};
    if (server->draining)
        am_buf_add_str(out, "error: the program is stopping\n");
    else if (am_reload_run(&server->reload, AM_RELOAD_ALL, &problem))
        am_buf_add_str(out, "ok\n");
    else
        am_buf_printf(out, "error: %s\n", problem.text);
}

static void on_command(void *user, const char *line, struct am_buf *out)
{
    struct server *server = user;
    if (strcmp(line, "stats") == 0)
        am_figures_stats(server->holder, server->counters, out);
    else if (strcmp(line, "metrics") == 0)
        am_figures_metrics(server->holder, server->counters, out);
    else if (strcmp(line, "reload") == 0)
        control_reload(server, out);
    else if (strcmp(line, "health") == 0)
        am_buf_add_str(out, is_healthy(server) ? "ok\n" : "stopping\n");
    else if (strcmp(line, "version") == 0)
        am_buf_printf(out, "%s %s\n", server->app->program, AM_VERSION);
    else
        am_buf_add_str(out, "error: commands are stats, metrics, reload, health and version\n");
}

/* --- start
 * ---------------------------------------------------------------------------------------- */

static void prepare_process(void)
{
    pthread_attr_t attributes;
    am_signals_block();
    am_privilege_forbid_gain();
    /* Threads come and go with connections: an arena for each would keep memory nobody uses. */
    (void)mallopt(M_ARENA_MAX, 2);
    if (pthread_attr_init(&attributes) == 0) {
        if (pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0)
            (void)pthread_setattr_default_np(&attributes);
        pthread_attr_destroy(&attributes);
    }
}

static bool make_parts(struct server *server, const struct am_runtime_source *source,
                       struct am_problem *problem)
{
    server->reload.source = *source;
    server->reload.program = server->app->program;
    server->counters = am_counters_new();
    server->holder = am_snapshot_holder_new();
    if (server->counters == NULL || server->holder == NULL)
        return am_problem_set(problem, "memory is short");
    server->reload.source.counters = server->counters;
    server->reload.holder = server->holder;
    server->reload.watch = am_watch_new(problem);
    server->signal_fd = am_signals_open(problem);
    server->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->ended_fd < 0)
        return am_problem_set(problem, "cannot make an event descriptor: %s", strerror(errno));
    return server->reload.watch != NULL && server->signal_fd >= 0;
}

static bool load_first(struct server *server, struct am_problem *problem)
{
    struct am_runtime *runtime = am_runtime_load(&server->reload.source, NULL, problem);
    if (runtime == NULL)
        return false;
    server->first = runtime;
    server->start = *runtime->milter;
    am_snapshot_ref(&runtime->snapshot);
    am_snapshot_swap(server->holder, &runtime->snapshot);
    am_watch_set(server->reload.watch, runtime->watches.paths, runtime->watches.count);
    return true;
}

static bool run_uid(const struct server *server, uid_t *uid, struct am_problem *problem)
{
    *uid = (uid_t)-1;
    return server->start.user[0] == '\0' || geteuid() != 0 ||
           am_user_find(server->start.user, uid, NULL, problem);
}

static bool open_milter_socket(struct server *server, uid_t uid, struct am_problem *problem)
{
    const struct am_milter_options *options = &server->start;
    char usual[108 + 8];
    const char *socket = options->socket;
    if (socket[0] == '\0') {
        snprintf(usual, sizeof(usual), "unix:/var/spool/postfix/authmilter/%s.sock",
                 server->app->program);
        socket = usual;
    }
    struct am_listen_address address;
    struct am_listen_access access = {options->socket_owner, options->socket_group,
                                      (mode_t)options->socket_mode, uid};
    struct am_transport_options transport = {
        .program = server->app->program,
        .socket = socket,
        .backlog = (int)options->backlog,
        .timeout_s = (int)(options->idle_timeout_ms / 1000),
        .runtime = server->holder,
        .counters = server->counters,
    };
    if (!am_listen_parse(&address, socket, problem) ||
        !am_listen_prepare(&server->milter, &address, &access, problem))
        return false;
    bool opened = am_transport_open(&transport, problem);
    if (!am_listen_finish(&server->milter, opened, problem) || !opened)
        return false;
    am_log(AM_LOG_NOTICE, "%s %s listens on %s", server->app->program, AM_VERSION, socket);
    return true;
}

static bool open_control_socket(struct server *server, uid_t uid, struct am_problem *problem)
{
    struct am_listen_access access = {"", "", 0660, uid};
    server->control_fd = -1;
    if (server->start.control_socket[0] == '\0')
        return true;
    server->control_fd = am_listen_open_unix(&server->control_listen, server->start.control_socket,
                                             &access, problem);
    if (server->control_fd < 0)
        return false;
    server->control =
        am_control_new(server->control_fd, server->reload.source.clock, on_command, server);
    return server->control != NULL || am_problem_set(problem, "memory is short");
}

static bool start_metrics(struct server *server, struct am_problem *problem)
{
    if (server->start.metrics_listen[0] == '\0')
        return true;
    server->metrics_source = (struct am_metrics_source){render_metrics, is_healthy, server};
    server->metrics =
        am_metrics_start(server->start.metrics_listen, &server->metrics_source, problem);
    return server->metrics != NULL;
}

static void *serve_thread(void *user)
{
    struct server *server = user;
    if (!am_transport_serve())
        atomic_store(&server->serve_failed, true);
    (void)!write(server->ended_fd, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

static bool start_threads(struct server *server, struct am_problem *problem)
{
    if (!start_metrics(server, problem))
        return false;
    int error = pthread_create(&server->serving, NULL, serve_thread, server);
    if (error != 0)
        return am_problem_set(problem, "cannot start a thread: %s", strerror(error));
    server->serving_started = true;
    return true;
}

/* Everything that needs rights comes before they are given up; threads come after. */
static bool start(struct server *server, struct am_problem *problem)
{
    uid_t uid;
    return run_uid(server, &uid, problem) && open_milter_socket(server, uid, problem) &&
           open_control_socket(server, uid, problem) &&
           am_pid_file_write(server->start.pid_file, problem) &&
           am_privilege_drop(server->start.user, server->start.group, problem) &&
           start_threads(server, problem);
}

/* --- the control loop
 * ------------------------------------------------------------------------------ */

static int64_t now_us(const struct server *server)
{
    return am_clock_now_us(server->reload.source.clock);
}

static void begin_drain(struct server *server)
{
    if (server->draining) {
        am_log(AM_LOG_NOTICE, "told to stop again: not waiting for messages under way");
        server->stop_now = true;
        return;
    }
    server->draining = true;
    atomic_store(&server->healthy, false);
    am_transport_drain();
    struct am_runtime *runtime = (struct am_runtime *)am_snapshot_take(server->holder);
    int64_t drain_ms = runtime->milter->drain_ms;
    am_snapshot_drop(&runtime->snapshot);
    server->drain_end_us = now_us(server) + drain_ms * 1000;
    am_notify("STOPPING=1\nSTATUS=waiting for messages under way");
    am_log(AM_LOG_NOTICE, "stopping: %lld messages are under way",
           (long long)am_counters_read(server->counters, AM_COUNT_MESSAGES_OPEN));
}

static void reload_now(struct server *server, enum am_reload_kind kind)
{
    struct am_problem problem = {{0}};
    if (!server->draining)
        (void)am_reload_run(&server->reload, kind, &problem); /* logs by itself */
    if (kind == AM_RELOAD_ALL)
        server->files_due_us = 0;
}

static void handle_signals(struct server *server)
{
    bool reload = false;
    for (int number; (number = am_signals_next(server->signal_fd)) != 0;) {
        if (number == SIGHUP || number == SIGUSR1)
            reload = true;
        else
            begin_drain(server);
    }
    if (reload)
        reload_now(server, AM_RELOAD_ALL);
}

static bool is_over(const struct server *server)
{
    if (!server->draining)
        return false;
    return server->stop_now || now_us(server) >= server->drain_end_us ||
           am_counters_read(server->counters, AM_COUNT_MESSAGES_OPEN) <= 0;
}

/* Lowers the poll time-out to what is due next. */
static void wait_until(const struct server *server, int64_t due_us, int *timeout_ms)
{
    if (due_us == 0)
        return;
    int64_t left_ms = due_us - now_us(server);
    left_ms = left_ms <= 0 ? 0 : left_ms / 1000 + 1;
    if (*timeout_ms < 0 || left_ms < *timeout_ms)
        *timeout_ms = (int)left_ms;
}

static void handle_times(struct server *server)
{
    if (server->files_due_us != 0 && now_us(server) >= server->files_due_us) {
        server->files_due_us = 0;
        reload_now(server, AM_RELOAD_FILES);
    }
    if (server->watchdog_ms > 0 && now_us(server) >= server->watchdog_due_us) {
        am_notify("WATCHDOG=1");
        server->watchdog_due_us = now_us(server) + server->watchdog_ms * 1000;
    }
}

/* One round. Returns false when serving has ended by itself. */
static bool loop_once(struct server *server)
{
    struct pollfd fds[3 + AM_CONTROL_POLL_MAX] = {
        {.fd = server->signal_fd, .events = POLLIN},
        {.fd = server->ended_fd, .events = POLLIN},
        {.fd = am_watch_fd(server->reload.watch), .events = POLLIN},
    };
    int timeout_ms = server->draining ? DRAIN_TICK_MS : -1;
    size_t controls = 0;
    if (server->control != NULL)
        controls = am_control_poll(server->control, fds + 3, &timeout_ms);
    wait_until(server, server->files_due_us, &timeout_ms);
    wait_until(server, server->watchdog_due_us, &timeout_ms);

    if (poll(fds, 3 + controls, timeout_ms) < 0) {
        if (errno != EINTR)
            am_log(AM_LOG_ERROR, "the control loop cannot poll: %s", strerror(errno));
        return errno == EINTR;
    }
    if (fds[1].revents != 0)
        return false;
    if (fds[0].revents != 0)
        handle_signals(server);
    /* Editors and postmap-like tools write in several steps: wait until it is quiet. */
    if (fds[2].revents != 0 && am_watch_read(server->reload.watch))
        server->files_due_us = now_us(server) + (int64_t)FILES_SETTLE_MS * 1000;
    if (server->control != NULL)
        am_control_serve(server->control, fds + 3, controls);
    handle_times(server);
    return true;
}

/* --- end
 * --------------------------------------------------------------------------------------------- */

static void *stop_thread(void *user)
{
    (void)user;
    am_transport_stop();
    return NULL;
}

/* Interrupts the serving thread until it ends. Returns false when it does not. */
static bool join_serving(const struct server *server)
{
    for (int waited_ms = 0; waited_ms < STOP_LIMIT_MS; waited_ms += STOP_TICK_MS) {
        struct timespec until;
        am_signals_interrupt(server->serving);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += STOP_TICK_MS * 1000 * 1000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        if (pthread_timedjoin_np(server->serving, NULL, &until) == 0)
            return true;
    }
    return false;
}

/*
 * libmilter's listener looks only every five seconds whether it shall end, and holds a lock
 * meanwhile that smfi_stop() waits for. A signal interrupts its poll(); one that comes just before
 * poll() is lost, hence again and again, and from beside smfi_stop().
 *
 * Returns: whether no thread is left that could still use the program's objects.
 */
static bool end_serving(const struct server *server)
{
    pthread_t stopper;
    bool was_open = am_counters_read(server->counters, AM_COUNT_CONNECTIONS_OPEN) > 0;
    bool beside = pthread_create(&stopper, NULL, stop_thread, NULL) == 0;
    if (!beside)
        am_transport_stop();
    bool joined = join_serving(server);
    if (!joined)
        am_log(AM_LOG_WARNING, "libmilter does not end its listener; ending without it");
    else if (beside)
        (void)pthread_join(stopper, NULL);
    /* A worker that has just ended a message may still be writing its answer. */
    if (was_open)
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    return joined && am_counters_read(server->counters, AM_COUNT_CONNECTIONS_OPEN) <= 0;
}

static void close_all(struct server *server, bool all_threads_ended)
{
    am_metrics_stop(server->metrics);
    am_control_free(server->control);
    am_listen_remove(&server->control_listen);
    am_listen_remove(&server->milter);
    am_pid_file_remove(server->start.pid_file == NULL ? "" : server->start.pid_file);
    am_watch_free(server->reload.watch);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    if (server->first != NULL)
        am_snapshot_drop(&server->first->snapshot);
    /* Sessions that libmilter has dropped open still point here: the system takes it back then. */
    if (!all_threads_ended)
        return;
    am_snapshot_holder_free(server->holder);
    am_counters_free(server->counters);
    if (server->ended_fd >= 0)
        close(server->ended_fd);
}

static int complain(const struct server *server, const struct am_problem *problem, int status)
{
    /* The log may be syslog; whoever typed the command looks at the terminal. */
    if (server->first != NULL && server->start.log_target == AM_LOG_SYSLOG)
        am_log(AM_LOG_ERROR, "%s", problem->text);
    fprintf(stderr, "%s: %s\n", server->app->program, problem->text);
    return status;
}

static int serve(struct server *server, int detach_fd)
{
    atomic_store(&server->healthy, true);
    server->watchdog_ms = am_notify_watchdog_ms();
    server->watchdog_due_us = server->watchdog_ms > 0 ? now_us(server) : 0;
    am_notify("READY=1\nSTATUS=serving with configuration 1");
    if (detach_fd >= 0) {
        server->reload.detached = true;
        am_reload_apply_log(&server->reload, &server->start);
        am_app_detach_ready(detach_fd);
    }
    bool alive = true;
    while (alive && !is_over(server))
        alive = loop_once(server);
    if (!alive)
        am_log(AM_LOG_ERROR, "serving has ended without having been asked to");
    else if (am_counters_read(server->counters, AM_COUNT_MESSAGES_OPEN) > 0)
        am_log(AM_LOG_WARNING, "messages under way were cut off; the MTA will try them again");
    return alive ? 0 : EXIT_SYSTEM;
}

int am_app_serve(const struct am_app *app, const struct am_runtime_source *source, bool foreground)
{
    struct am_problem problem = {{0}};
    struct server server = {.app = app, .signal_fd = -1, .ended_fd = -1, .control_fd = -1};
    int detach_fd = -1;
    if (!foreground && (detach_fd = am_app_detach(&problem)) < 0)
        return complain(&server, &problem, EXIT_SYSTEM);

    prepare_process();
    int status = EXIT_SYSTEM;
    bool all_ended = true;
    if (!make_parts(&server, source, &problem)) {
        complain(&server, &problem, EXIT_SYSTEM);
    } else if (!load_first(&server, &problem)) {
        status = complain(&server, &problem, EXIT_CONFIG);
    } else {
        am_reload_apply_log(&server.reload, &server.start);
        if (start(&server, &problem))
            status = serve(&server, detach_fd);
        else
            complain(&server, &problem, EXIT_SYSTEM);
        if (server.serving_started)
            all_ended = end_serving(&server);
        if (status == 0)
            am_log(AM_LOG_NOTICE, "%s has ended", app->program);
    }
    close_all(&server, all_ended);
    return status;
}
