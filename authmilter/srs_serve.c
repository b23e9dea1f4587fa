#include "authmilter/srs_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "authmilter/srs_source.h"
#include "common/base/log.h"
#include "common/base/notify.h"
#include "common/base/privilege.h"
#include "common/milter/listen.h"
#include "common/milter/signals.h"
#include "srs-milter/srs_module_socketmap.h"

/* A client that takes no answers is asked for no more questions, and in the end left. */
#define PENDING_MAX 8192
#define IDLE_MS 3600000

/* How long nobody is taken after descriptors or memory ran out, and how long one loop may wait. */
#define PAUSE_MS 1000
#define WAIT_MS 60000

struct client {
    int fd;
    size_t in_len;
    char in[SRS_SOCKETMAP_REQUEST_MAX + 16];
    struct am_buf out;
    size_t sent;
    int64_t active_us;
};

struct server {
    const struct srs_serve_options *options;
    struct am_runtime *runtime;
    struct am_listen listen;
    int listen_fd, signal_fd;
    struct client *clients[SRS_SERVE_CLIENTS_MAX];
    size_t count;
    struct am_arena *arena; /* of one request */
    struct srs_socketmap_counts counts;
    int64_t paused_until_us; /* 0: clients are taken */
    bool stop;
};

/* --- clients --- */

static int64_t now_us(const struct server *server)
{
    return am_clock_now_us(server->options->clock);
}

static void close_client(struct server *server, size_t i)
{
    struct client *client = server->clients[i];

    close(client->fd);
    am_buf_fini(&client->out);
    free(client);
    server->clients[i] = server->clients[--server->count];
}

/* A client that cannot be taken stays in the queue, so that poll() would tell of it without end. */
static void pause_accepting(struct server *server, int error)
{
    am_log(AM_LOG_ERROR, "no further client of the socketmap can be taken for now: %s",
           strerror(error));
    server->paused_until_us = now_us(server) + (int64_t)PAUSE_MS * 1000;
}

static void accept_client(struct server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof(*client));

    if (client == NULL) {
        int error = fd < 0 ? errno : ENOMEM;
        if (fd >= 0)
            close(fd);
        if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
            pause_accepting(server, error);
        return; /* else the client went away in the queue */
    }
    client->fd = fd;
    client->active_us = now_us(server);
    am_buf_init(&client->out, PENDING_MAX + 2 * SRS_SOCKETMAP_REQUEST_MAX);
    server->clients[server->count++] = client;
}

/* Answers what has come whole. Returns false when the client speaks another language. */
static bool answer_all(struct server *server, struct client *client)
{
    const struct am_clock *clock = server->options->clock;
    struct am_span text;
    size_t taken;

    while (client->out.len < PENDING_MAX) {
        enum srs_netstring found =
            srs_netstring_take(am_span_of(client->in, client->in_len), &text, &taken);
        if (found == SRS_NETSTRING_BAD)
            return false;
        if (found == SRS_NETSTRING_PART)
            return true;
        srs_socketmap_answer(srs_source_derived(server->runtime), server->arena, text,
                             clock->wall_s(clock), &client->out, &server->counts);
        am_arena_reset(server->arena);
        client->in_len -= taken;
        memmove(client->in, client->in + taken, client->in_len);
    }
    return !client->out.failed;
}

/* Returns false when the client is gone. */
static bool send_pending(struct client *client)
{
    while (client->sent < client->out.len) {
        ssize_t n = send(client->fd, client->out.data + client->sent,
                         client->out.len - client->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        client->sent += (size_t)n;
    }
    am_buf_clear(&client->out);
    client->sent = 0;
    return true;
}

/* Returns false when the client is gone or shall go. */
static bool serve_client(struct server *server, struct client *client, short events)
{
    size_t asked;

    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        ssize_t n =
            recv(client->fd, client->in + client->in_len, sizeof(client->in) - client->in_len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n > 0)
            client->in_len += (size_t)n;
    }
    client->active_us = now_us(server);
    /* A client that sent many questions at once waits for the answers to all of them. */
    do {
        asked = client->in_len;
        if (!answer_all(server, client)) {
            am_log(AM_LOG_WARNING,
                   "a client of the socketmap is cut off: it sends no netstrings of at "
                   "most %d octets",
                   SRS_SOCKETMAP_REQUEST_MAX);
            return false;
        }
        if (!send_pending(client))
            return false;
    } while (client->out.len == 0 && client->in_len < asked);
    return true;
}

/* --- life --- */

static void reload(struct server *server)
{
    struct am_problem problem;
    struct am_runtime *next;

    am_notify_reloading();
    next = srs_source_load(server->options->config, &problem);
    if (next == NULL) {
        am_log(AM_LOG_ERROR, "the former configuration stays: %s", problem.text);
    } else {
        am_snapshot_drop(&server->runtime->snapshot);
        server->runtime = next;
        am_log(AM_LOG_NOTICE, "the configuration was read again");
    }
    (void)am_notify("READY=1");
}

static void take_signals(struct server *server)
{
    for (int number; (number = am_signals_next(server->signal_fd)) != 0;) {
        if (number == SIGHUP || number == SIGUSR1)
            reload(server);
        else
            server->stop = true;
    }
}

static void drop_idle(struct server *server)
{
    int64_t oldest_us = now_us(server) - (int64_t)IDLE_MS * 1000;

    for (size_t i = server->count; i-- > 0;)
        if (server->clients[i]->active_us < oldest_us)
            close_client(server, i);
}

static bool has_place(struct server *server)
{
    if (server->paused_until_us != 0 && now_us(server) >= server->paused_until_us)
        server->paused_until_us = 0;
    return server->count < SRS_SERVE_CLIENTS_MAX && server->paused_until_us == 0;
}

/* Who has answers to take is asked for no further question. */
static size_t fill(struct server *server, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = server->signal_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = has_place(server) ? server->listen_fd : -1, .events = POLLIN};
    for (size_t i = 0; i < server->count; i++)
        fds[2 + i] = (struct pollfd){.fd = server->clients[i]->fd,
                                     .events = server->clients[i]->out.len > 0 ? POLLOUT : POLLIN};
    return 2 + server->count;
}

/* Returns for how long poll() may wait, in milliseconds. */
static int wait_ms(const struct server *server, int64_t watchdog_ms)
{
    int64_t ms = server->paused_until_us != 0 ? PAUSE_MS : WAIT_MS;

    return (int)(watchdog_ms > 0 && watchdog_ms < ms ? watchdog_ms : ms);
}

static bool loop(struct server *server, struct am_problem *problem)
{
    struct pollfd fds[2 + SRS_SERVE_CLIENTS_MAX];
    int64_t watchdog_ms = am_notify_watchdog_ms();

    while (!server->stop) {
        size_t count = fill(server, fds);
        int ready = poll(fds, count, wait_ms(server, watchdog_ms));
        if (ready < 0 && errno != EINTR)
            return am_problem_set(problem, "cannot poll: %m");
        if (watchdog_ms > 0)
            (void)am_notify("WATCHDOG=1");
        if (ready <= 0) {
            drop_idle(server);
            continue;
        }
        if (fds[0].revents != 0)
            take_signals(server);
        for (size_t i = count - 2; i-- > 0;)
            if (fds[2 + i].revents != 0 &&
                !serve_client(server, server->clients[i], fds[2 + i].revents))
                close_client(server, i);
        if (server->count == SRS_SERVE_CLIENTS_MAX)
            drop_idle(server); /* with many clients a minute of silence never comes */
        if (fds[1].revents != 0)
            accept_client(server);
    }
    return true;
}

static bool open_server(struct server *server, struct am_problem *problem)
{
    const struct am_milter_options *milter = server->runtime->milter;
    uid_t uid = (uid_t)-1;

    if (milter->user[0] != '\0' && !am_user_find(milter->user, &uid, NULL, problem))
        return false;
    const struct am_listen_access access = {.owner = "",
                                            .group = server->options->socket_group,
                                            .mode = (mode_t)milter->socket_mode,
                                            .run_uid = uid};
    server->signal_fd = am_signals_open(problem);
    if (server->signal_fd < 0)
        return false;
    server->listen_fd =
        am_listen_open_unix(&server->listen, server->options->socket, &access, problem);
    return server->listen_fd >= 0 && am_privilege_drop(milter->user, milter->group, problem);
}

static bool run(struct server *server, struct am_problem *problem)
{
    bool good;

    if (!open_server(server, problem))
        return false;
    am_log(AM_LOG_NOTICE, "authmilter srs %s answers on %s", AM_VERSION, server->options->socket);
    (void)am_notify("READY=1");
    good = loop(server, problem);
    (void)am_notify("STOPPING=1");
    while (server->count > 0)
        close_client(server, server->count - 1);
    am_listen_remove(&server->listen);
    am_log(AM_LOG_NOTICE, "ended: %llu addresses rewritten, %llu not, %llu refused, %llu failures",
           (unsigned long long)server->counts.found, (unsigned long long)server->counts.not_found,
           (unsigned long long)server->counts.refused, (unsigned long long)server->counts.failed);
    return good;
}

bool srs_serve(const struct srs_serve_options *options, struct am_problem *problem)
{
    struct server server = {.options = options, .listen_fd = -1, .signal_fd = -1};
    bool good = false;

    am_signals_block();
    am_privilege_forbid_gain();
    server.runtime = srs_source_load(options->config, problem);
    if (server.runtime == NULL)
        return false;
    const struct am_milter_options *milter = server.runtime->milter;
    const struct am_log_options log = {.target = (enum am_log_target)milter->log_target,
                                       .format = (enum am_log_format)milter->log_format,
                                       .level = (enum am_log_level)milter->log_level,
                                       .facility = (int)milter->log_facility};
    am_log_open("srs-map", &log);
    server.arena = am_arena_new(8192, 0);
    if (server.arena == NULL)
        am_problem_set(problem, "out of memory");
    else
        good = run(&server, problem);
    if (server.listen_fd >= 0)
        close(server.listen_fd);
    if (server.signal_fd >= 0)
        close(server.signal_fd);
    am_arena_free(server.arena);
    am_snapshot_drop(&server.runtime->snapshot);
    return good;
}
