#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/milter/listen.h"
#include "common/milter/native_loop.h"
#include "common/milter/transport_ops.h"

/* The process' transport: see transport.h. */
static struct am_native_loop native;
static int backlog;

static bool bind_unix(int fd, const struct am_listen_address *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, where->path, strnlen(where->path, sizeof(address.sun_path) - 1));
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool bind_inet(int fd, const struct am_listen_address *where, struct am_problem *problem)
{
    const struct addrinfo hints = {.ai_family = where->kind == AM_LISTEN_INET6 ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char port[8];
    int on = 1;
    struct addrinfo *found;

    snprintf(port, sizeof(port), "%u", where->port);
    int status = getaddrinfo(where->host[0] == '\0' ? NULL : where->host, port, &hints, &found);
    if (status != 0)
        return am_problem_set(problem, "cannot find the address of \"%s\": %s", where->host,
                              gai_strerror(status));
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                bind(fd, found->ai_addr, found->ai_addrlen) == 0;
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    return good;
}

/* Returns the listening socket, or -1 with a sentence. */
static int listen_at(const char *socket_name, struct am_problem *problem)
{
    static const int families[] = {
        [AM_LISTEN_UNIX] = AF_UNIX, [AM_LISTEN_INET] = AF_INET, [AM_LISTEN_INET6] = AF_INET6};
    struct am_listen_address where;

    if (!am_listen_parse(&where, socket_name, problem))
        return -1;
    problem->text[0] = '\0';
    int fd = socket(families[where.kind], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good =
        fd >= 0 &&
        (where.kind == AM_LISTEN_UNIX ? bind_unix(fd, &where) : bind_inet(fd, &where, problem)) &&
        listen(fd, backlog > 0 ? backlog : SOMAXCONN) == 0;
    if (good)
        return fd;
    if (problem->text[0] == '\0')
        am_problem_set(problem, "cannot listen on \"%s\": %s", socket_name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool open_native(const struct am_transport_options *options, struct am_problem *problem)
{
    backlog = options->backlog;
    return am_native_loop_open(&native, options->timeout_s, options->runtime, problem);
}

static bool listen_native(const struct am_listener *listener, struct am_problem *problem)
{
    int fd = listen_at(listener->socket, problem);

    if (fd >= 0 && am_native_loop_add(&native, fd, listener, problem))
        return true;
    if (fd >= 0)
        close(fd);
    return false;
}

static bool serve_native(void)
{
    return am_native_loop_run(&native);
}

static void drain_native(void)
{
    atomic_store(&native.shared.draining, true);
}

static void stop_native(void)
{
    am_native_loop_stop(&native);
}

const struct am_transport_ops am_transport_native = {
    .open = open_native,
    .listen = listen_native,
    .serve = serve_native,
    .before_wait = am_native_crew_before_wait,
    .drain = drain_native,
    .stop = stop_native,
};
