#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "common/base/notify.h"
#include "common/milter/app_server.h"
#include "common/milter/signals.h"
#include "common/milter/transport.h"

#define DRAIN_TICK_MS 20
#define FILES_SETTLE_MS 300
#define GUARD_MS 2000

static int64_t now_us(const struct am_server *server)
{
    return am_clock_now_us(server->reload.source.clock);
}

static void begin_drain(struct am_server *server)
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

static void reload_now(struct am_server *server, enum am_reload_kind kind)
{
    struct am_problem problem = {{0}};
    if (!server->draining)
        (void)am_reload_run(&server->reload, kind, &problem); /* logs by itself */
    if (kind == AM_RELOAD_ALL)
        server->files_due_us = 0;
}

static void handle_signals(struct am_server *server)
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

static bool is_over(const struct am_server *server)
{
    if (!server->draining)
        return false;
    return server->stop_now || now_us(server) >= server->drain_end_us ||
           am_counters_read(server->counters, AM_COUNT_MESSAGES_OPEN) <= 0;
}

/* Lowers the poll time-out to what is due next. */
static void wait_until(const struct am_server *server, int64_t due_us, int *timeout_ms)
{
    if (due_us == 0)
        return;
    int64_t left_ms = due_us - now_us(server);
    left_ms = left_ms <= 0 ? 0 : left_ms / 1000 + 1;
    if (*timeout_ms < 0 || left_ms < *timeout_ms)
        *timeout_ms = (int)left_ms;
}

static void handle_times(struct am_server *server)
{
    if (server->guard_due_us != 0 && now_us(server) >= server->guard_due_us) {
        server->guard_due_us = 0;
        if (!am_signals_are_ours())
            am_log(AM_LOG_ERROR, "libmilter waits for signals of its own here: HUP may stop the "
                                 "program; use USR1 or the control socket to reload");
    }
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
static bool loop_once(struct am_server *server)
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
    wait_until(server, server->guard_due_us, &timeout_ms);

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

bool am_server_loop(struct am_server *server)
{
    if (server->start.transport == AM_TRANSPORT_LIBMILTER)
        server->guard_due_us = now_us(server) + (int64_t)GUARD_MS * 1000;
    server->watchdog_ms = am_notify_watchdog_ms();
    server->watchdog_due_us = server->watchdog_ms > 0 ? now_us(server) : 0;
    while (!is_over(server))
        if (!loop_once(server))
            return false;
    return true;
}
