#include "common/milter/libmilter_transport.h"

#include "common/milter/libmilter_wake.h"
#include "common/milter/transport_ops.h"

/* Longest field that Postfix passes on is 100 KB; libmilter drops the session beyond its own limit.
 */
#define MAX_DATA_SIZE ((size_t)1 << 20)

static struct am_transport transport;

struct am_transport *am_libmilter_transport(void)
{
    return &transport;
}

static bool register_filter(const struct am_transport_options *options, struct am_problem *problem)
{
    struct smfiDesc description = {.xxfi_name = (char *)options->program,
                                   .xxfi_version = SMFI_VERSION};

    am_libmilter_callbacks(&description);
    if (smfi_register(description) != MI_SUCCESS)
        return am_problem_set(problem, "libmilter refuses the program (another version?)");
    (void)smfi_setmaxdatasize(MAX_DATA_SIZE);
    if (options->timeout_s > 0 && smfi_settimeout(options->timeout_s) != MI_SUCCESS)
        return am_problem_set(problem, "libmilter refuses a time-out of %d s", options->timeout_s);
    if (options->backlog > 0 && smfi_setbacklog(options->backlog) != MI_SUCCESS)
        return am_problem_set(problem, "libmilter refuses a backlog of %d", options->backlog);
    return true;
}

static bool open_libmilter(const struct am_transport_options *options, struct am_problem *problem)
{
    transport.options = *options;
    return register_filter(options, problem);
}

static bool listen_libmilter(const struct am_listener *listener, struct am_problem *problem)
{
    if (transport.listens)
        return am_problem_set(problem, "libmilter serves one socket only");
    transport.listener = *listener;
    transport.listens = true;
    if (smfi_setconn((char *)listener->socket) != MI_SUCCESS)
        return am_problem_set(problem, "libmilter does not understand the socket \"%s\"",
                              listener->socket);
    /* A stale socket file is the business of listen.c, which looks whether somebody answers. */
    if (smfi_opensocket(false) != MI_SUCCESS)
        return am_problem_set(
            problem, "cannot listen on \"%s\": it is in use, or this user may not bind there",
            listener->socket);

    struct am_problem why;
    if (!am_libmilter_wake_open(listener->socket, &why))
        am_log(AM_LOG_WARNING, "connections may wait for each other's DNS: %s", why.text);
    return true;
}

static bool serve_libmilter(void)
{
    return smfi_main() == MI_SUCCESS;
}

static void drain_libmilter(void)
{
    atomic_store(&transport.draining, true);
}

static void stop_libmilter(void)
{
    (void)smfi_stop();
}

const struct am_transport_ops am_transport_libmilter = {
    .open = open_libmilter,
    .listen = listen_libmilter,
    .serve = serve_libmilter,
    .before_wait = am_libmilter_wake,
    .drain = drain_libmilter,
    .stop = stop_libmilter,
};
