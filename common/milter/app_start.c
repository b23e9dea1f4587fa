#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/pid_file.h"
#include "common/base/privilege.h"
#include "common/milter/app_server.h"
#include "common/milter/capture.h"
#include "common/milter/runtime_modules.h"
#include "common/milter/signals.h"
#include "common/milter/transport.h"

/* Our callbacks need little stack; libmilter makes a thread for every busy connection. */
#define THREAD_STACK_BYTES ((size_t)256 * 1024)

static void *do_nothing(void *unused)
{
    return unused;
}

/*
 * Gives threads a small stack where threads can be made with one: what is linked in (a sanitizer,
 * say) may need more of each stack than this for its own thread-local storage.
 */
static void shrink_stacks(void)
{
    pthread_attr_t former, small;
    pthread_t thread;

    if (pthread_getattr_default_np(&former) != 0)
        return;
    if (pthread_attr_init(&small) == 0) {
        if (pthread_attr_setstacksize(&small, THREAD_STACK_BYTES) == 0 &&
            pthread_setattr_default_np(&small) == 0) {
            if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
                pthread_join(thread, NULL);
            else
                (void)pthread_setattr_default_np(&former);
        }
        pthread_attr_destroy(&small);
    }
    pthread_attr_destroy(&former);
}

void am_server_prepare_process(void)
{
    am_signals_block();
    am_privilege_forbid_gain();
    /* Threads come and go with connections: an arena for each would keep memory nobody uses. */
    (void)mallopt(M_ARENA_MAX, 2);
    shrink_stacks();
}

static bool make_parts(struct am_server *server, const struct am_runtime_source *source,
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

/* What only the control socket tells is kept only where there is one; mail needs none of it. */
static void make_memory(struct am_server *server)
{
    if (server->start.control_socket[0] == '\0')
        return;
    if (server->start.recent_bytes > 0)
        server->recent = am_recent_new((size_t)server->start.recent_bytes);
    if (server->start.top_entries > 0)
        server->top = am_top_new((size_t)server->start.top_entries);
    server->first->recent = server->reload.source.recent = server->recent;
    server->first->top = server->reload.source.top = server->top;
}

static bool load_first(struct am_server *server, struct am_problem *problem)
{
    struct am_runtime *runtime = am_runtime_load(&server->reload.source, NULL, problem);
    if (runtime == NULL)
        return false;
    server->first = runtime;
    server->start = *runtime->milter;
    make_memory(server);
    am_snapshot_ref(&runtime->snapshot);
    am_snapshot_swap(server->holder, &runtime->snapshot);
    am_watch_set(server->reload.watch, runtime->watches.items, runtime->watches.count);
    return true;
}

bool am_server_load(struct am_server *server, const struct am_runtime_source *source, int *status,
                    struct am_problem *problem)
{
    *status = AM_APP_EXIT_SYSTEM;
    if (!make_parts(server, source, problem))
        return false;
    *status = AM_APP_EXIT_CONFIG;
    return load_first(server, problem);
}

static bool run_uid(const struct am_server *server, uid_t *uid, struct am_problem *problem)
{
    *uid = (uid_t)-1;
    return server->start.user[0] == '\0' || geteuid() != 0 ||
           am_user_find(server->start.user, uid, NULL, problem);
}

static bool open_socket(struct am_server *server, size_t i, uid_t uid, struct am_problem *problem)
{
    const struct am_listener *listener = &server->listeners[i];
    struct am_listen_address address;
    struct am_listen_access access = {listener->socket_owner, listener->socket_group,
                                      (mode_t)listener->socket_mode, uid};

    if (!am_listen_parse(&address, listener->socket, problem) ||
        !am_listen_prepare(&server->milters[i], &address, &access, problem))
        return false;
    bool opened = am_transport_listen(listener, problem);
    server->listening += opened;
    return am_listen_finish(&server->milters[i], opened, problem) && opened;
}

static bool open_milter_sockets(struct am_server *server, uid_t uid, struct am_problem *problem)
{
    const struct am_milter_options *options = &server->start;
    struct am_transport_options transport = {
        .kind = (enum am_transport_kind)options->transport,
        .program = server->app->program,
        .backlog = (int)options->backlog,
        .timeout_s = (int)(options->idle_timeout_ms / 1000),
        .runtime = server->holder,
        .counters = server->counters,
    };

    snprintf(server->usual_socket, sizeof(server->usual_socket),
             "unix:/var/spool/postfix/authmilter/%s.sock", server->app->program);
    server->listener_count =
        am_listeners_of(server->first->config, server->usual_socket, server->listeners);
    if (!am_transport_open(&transport, problem))
        return false;
    for (size_t i = 0; i < server->listener_count; i++)
        if (!open_socket(server, i, uid, problem))
            return false;
    return true;
}

/* Asked once the rights are those that cases will be written with. */
static void warn_of_cases(const struct am_server *server)
{
    struct am_problem problem;

    if (!am_capture_try_directory(am_config_section(server->first->config, am_capture_section.name),
                                  &problem))
        am_log(AM_LOG_WARNING, "no cases will be kept: %s", problem.text);
}

static void log_listeners(const struct am_server *server)
{
    /* Whoever set it may think that the listeners have it, too. */
    if (server->start.role != AM_ROLE_AUTO && server->listeners[0].name[0] != '\0')
        am_log(AM_LOG_WARNING, "milter.role is for milter.socket, which is not set: each listener "
                               "has a role of its own");
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct am_listener *listener = &server->listeners[i];

        am_log(AM_LOG_NOTICE, "%s %s listens on %s%s%s%s", server->app->program, AM_VERSION,
               listener->socket, listener->role == AM_ROLE_AUTO ? "" : " (role ",
               listener->role == AM_ROLE_AUTO ? "" : am_role_words[listener->role].word,
               listener->role == AM_ROLE_AUTO ? "" : ")");
    }
}

static bool open_control_socket(struct am_server *server, uid_t uid, struct am_problem *problem)
{
    /* Whoever reaches it may reload and read: us and root, not the MTA. */
    struct am_listen_access access = {geteuid() == 0 ? server->start.user : "", "", 0600, uid};
    if (server->start.control_socket[0] == '\0')
        return true;
    int fd = am_listen_open_unix(&server->control_listen, server->start.control_socket, &access,
                                 problem);
    if (fd < 0)
        return false;
    server->control = am_control_new(fd, server->reload.source.clock, am_server_command, server);
    return server->control != NULL || am_problem_set(problem, "memory is short");
}

static bool start_metrics(struct am_server *server, struct am_problem *problem)
{
    if (server->start.metrics_listen[0] == '\0')
        return true;
    server->metrics_source =
        (struct am_metrics_source){am_server_render_metrics, am_server_is_healthy, server};
    server->metrics =
        am_metrics_start(server->start.metrics_listen, &server->metrics_source, problem);
    return server->metrics != NULL;
}

static void *serve_thread(void *user)
{
    struct am_server *server = user;
    if (!am_transport_serve())
        am_log(AM_LOG_ERROR, "MTA connections cannot be served; the system log may say why");
    (void)!write(server->ended_fd, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

static bool start_threads(struct am_server *server, struct am_problem *problem)
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
static bool open_all(struct am_server *server, struct am_problem *problem)
{
    uid_t uid;
    return run_uid(server, &uid, problem) && open_milter_sockets(server, uid, problem) &&
           open_control_socket(server, uid, problem) &&
           am_pid_file_write(server->start.pid_file, problem) &&
           am_privilege_drop(server->start.user, server->start.group, problem) &&
           start_threads(server, problem);
}

bool am_server_start(struct am_server *server, struct am_problem *problem)
{
    if (!open_all(server, problem))
        return false;
    log_listeners(server);
    warn_of_cases(server);
    am_runtime_log_modules(server->first);
    return true;
}
