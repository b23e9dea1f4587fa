#include "common/milter/app_serve.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/notify.h"
#include "common/base/pid_file.h"
#include "common/milter/app_detach.h"
#include "common/milter/app_server.h"
#include "common/milter/signals.h"
#include "common/milter/transport.h"

#define STOP_TICK_MS 10
#define STOP_LIMIT_MS 2000

static void *stop_thread(void *user)
{
    (void)user;
    am_transport_stop();
    return NULL;
}

/* Interrupts the serving thread until it ends. Returns false when it does not. */
static bool join_serving(const struct am_server *server)
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
static bool end_serving(const struct am_server *server)
{
    pthread_t stopper;
    bool was_open = am_counters_read(server->counters, AM_COUNT_CONNECTIONS_OPEN) > 0;
    /* Never joined: when its listener ends, libmilter destroys the lock that smfi_stop() waits for.
     */
    if (pthread_create(&stopper, NULL, stop_thread, NULL) == 0)
        (void)pthread_detach(stopper);
    else
        am_transport_stop();
    bool joined = join_serving(server);
    if (!joined)
        am_log(AM_LOG_WARNING, "libmilter does not end its listener; ending without it");
    /* A worker that has just ended a message may still be writing its answer. */
    if (was_open && server->start.transport == AM_TRANSPORT_LIBMILTER)
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    return joined && am_counters_read(server->counters, AM_COUNT_CONNECTIONS_OPEN) <= 0;
}

static void close_all(struct am_server *server, bool all_threads_ended)
{
    am_metrics_stop(server->metrics);
    am_control_free(server->control);
    am_listen_remove(&server->control_listen);
    for (size_t i = 0; i < server->listening; i++)
        am_listen_remove(&server->milters[i]);
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
    am_recent_free(server->recent);
    am_top_free(server->top);
    if (server->ended_fd >= 0)
        close(server->ended_fd);
}

static int complain(const struct am_server *server, const struct am_problem *problem, int status)
{
    /* The log may be syslog; whoever typed the command looks at the terminal. */
    if (server->first != NULL && server->start.log_target == AM_LOG_SYSLOG)
        am_log(AM_LOG_ERROR, "%s", problem->text);
    fprintf(stderr, "%s: %s\n", server->app->program, problem->text);
    return status;
}

static int serve(struct am_server *server, int detach_fd)
{
    atomic_store(&server->healthy, true);
    am_notify("READY=1\nSTATUS=serving with configuration 1");
    if (detach_fd >= 0) {
        server->reload.detached = true;
        am_reload_apply_log(&server->reload, &server->start);
        am_app_detach_ready(detach_fd);
    }
    bool alive = am_server_loop(server);
    if (!alive)
        am_log(AM_LOG_ERROR, "serving has ended without having been asked to");
    else if (am_counters_read(server->counters, AM_COUNT_MESSAGES_OPEN) > 0)
        am_log(AM_LOG_WARNING, "messages under way were cut off; the MTA will try them again");
    return alive ? 0 : AM_APP_EXIT_SYSTEM;
}

int am_app_serve(const struct am_app *app, const struct am_runtime_source *source, bool foreground)
{
    struct am_problem problem = {{0}};
    struct am_server server = {.app = app, .signal_fd = -1, .ended_fd = -1};
    int detach_fd = -1;
    if (!foreground && (detach_fd = am_app_detach(&problem)) < 0)
        return complain(&server, &problem, AM_APP_EXIT_SYSTEM);

    am_server_prepare_process();
    int status;
    bool all_ended = true;
    if (!am_server_load(&server, source, &status, &problem)) {
        complain(&server, &problem, status);
    } else {
        am_reload_apply_log(&server.reload, &server.start);
        if (am_server_start(&server, &problem))
            status = serve(&server, detach_fd);
        else
            status = complain(&server, &problem, AM_APP_EXIT_SYSTEM);
        if (server.serving_started)
            all_ended = end_serving(&server);
        if (status == 0)
            am_log(AM_LOG_NOTICE, "%s has ended", app->program);
    }
    close_all(&server, all_ended);
    return status;
}
