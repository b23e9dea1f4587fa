#include "common/dns/dns_loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/dns/dns_net.h"

/* As many as questions can be under way, so that silent servers let no other question wait. */
#define SOCKETS_MAX 4096
#define EVENTS_AT_ONCE 64

/* Enough for the deepest path with a sanitizer's larger frames; pages not used cost nothing. */
#define STACK_SIZE ((size_t)256 << 10)

int64_t am_dns_loop_now_us(const struct am_dns_loop *loop)
{
    return am_clock_now_us(loop->options.clock);
}

/* --- sockets --- */

bool am_dns_loop_watch(struct am_dns_loop *loop, struct am_dns_job *job, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = job->fd};
    size_t fd = (size_t)job->fd;

    if (fd >= loop->by_fd_count) {
        size_t count = fd + 64;
        struct am_dns_job **by_fd = reallocarray(loop->by_fd, count, sizeof(struct am_dns_job *));
        if (by_fd == NULL)
            return false;
        memset(by_fd + loop->by_fd_count, 0,
               (count - loop->by_fd_count) * sizeof(struct am_dns_job *));
        loop->by_fd = by_fd;
        loop->by_fd_count = count;
    }
    bool known = loop->by_fd[fd] == job;
    loop->by_fd[fd] = job;
    return epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, job->fd, &event) == 0;
}

void am_dns_loop_close(struct am_dns_loop *loop, struct am_dns_job *job)
{
    if (job->fd >= 0) {
        if ((size_t)job->fd < loop->by_fd_count)
            loop->by_fd[job->fd] = NULL;
        close(job->fd);
        job->fd = -1;
    }
    am_dns_stream_free(job->stream);
    job->stream = NULL;
}

/* --- jobs --- */

static void start_job(struct am_dns_loop *loop, struct am_dns_job *job)
{
    TAILQ_INSERT_TAIL(&loop->active, job, link);
    loop->active_count++;
    am_dns_attempt_begin(loop, job);
}

/* Sends a copy of the question to a server that may have come back. */
static void start_probe(struct am_dns_loop *loop, const struct am_dns_job *model)
{
    int server = am_dns_server_list_pick_probe(&loop->options.servers, am_dns_loop_now_us(loop));

    if (server < 0)
        return;
    struct am_dns_job *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return;
    probe->name = model->name;
    probe->type = model->type;
    atomic_init(&probe->wanted, true);
    probe->fd = -1;
    probe->pinned = server;
    loop->options.servers.servers[server].probing = true;
    start_job(loop, probe);
}

void am_dns_loop_finish(struct am_dns_loop *loop, struct am_dns_job *job, struct am_dns_set *set)
{
    am_dns_loop_close(loop, job);
    TAILQ_REMOVE(&loop->active, job, link);
    loop->active_count--;
    if (job->pinned >= 0) {
        struct am_dns_server *server = &loop->options.servers.servers[job->pinned];
        int64_t now_us = am_dns_loop_now_us(loop);
        server->probing = false;
        if (server->aside && server->aside_until_us <= now_us) /* the network refused the probe */
            am_dns_server_silent(server, server->aside_until_us, now_us);
        am_dns_set_drop(set);
        free(job);
    } else {
        loop->options.done(loop->options.context, job, set);
    }
}

/* Starts what waits while there are sockets for it. */
static void start_backlog(struct am_dns_loop *loop)
{
    struct am_dns_job *job;

    while (loop->active_count < loop->active_max && (job = TAILQ_FIRST(&loop->backlog)) != NULL) {
        TAILQ_REMOVE(&loop->backlog, job, link);
        start_probe(loop, job);
        start_job(loop, job);
    }
}

/* Takes over what was submitted. Returns false when the thread shall end. */
static bool read_inbox(struct am_dns_loop *loop)
{
    struct am_dns_job_list inbox = TAILQ_HEAD_INITIALIZER(inbox);
    uint64_t ignored;

    pthread_mutex_lock(&loop->inbox_lock);
    TAILQ_CONCAT(&inbox, &loop->inbox, link);
    if (loop->woken && read(loop->wake_fd, &ignored, sizeof(ignored)) > 0)
        loop->woken = false;
    bool stop = loop->stop;
    pthread_mutex_unlock(&loop->inbox_lock);
    TAILQ_CONCAT(&loop->backlog, &inbox, link);
    return !stop;
}

static void end_all(struct am_dns_loop *loop)
{
    struct am_dns_job *job;

    TAILQ_FOREACH(job, &loop->backlog, link)
    loop->active_count++;
    TAILQ_CONCAT(&loop->active, &loop->backlog, link);
    while ((job = TAILQ_FIRST(&loop->active)) != NULL)
        am_dns_loop_finish(loop, job, am_dns_set_new(AM_DNS_SERVFAIL));
}

/* --- the thread --- */

static int sleep_ms(const struct am_dns_loop *loop)
{
    const struct am_dns_job *first = TAILQ_FIRST(&loop->active);

    if (first == NULL)
        return -1;
    int64_t left_us = first->due_us - am_dns_loop_now_us(loop);
    return left_us <= 0 ? 0 : (int)(left_us / 1000 + 1);
}

static void handle_sockets(struct am_dns_loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        /*
         * An earlier event of this turn may have closed the socket, and a new
         * one have its number: it reads nothing then, and no harm is done.
         */
        if (fd != loop->wake_fd && (size_t)fd < loop->by_fd_count && loop->by_fd[fd] != NULL)
            am_dns_attempt_ready(loop, loop->by_fd[fd]);
    }
}

static void handle_timeouts(struct am_dns_loop *loop)
{
    int64_t now_us = am_dns_loop_now_us(loop);
    struct am_dns_job *job;

    while ((job = TAILQ_FIRST(&loop->active)) != NULL && job->due_us <= now_us)
        am_dns_attempt_timed_out(loop, job);
}

static void *run(void *argument)
{
    struct am_dns_loop *loop = argument;
    struct epoll_event events[EVENTS_AT_ONCE];

    for (;;) {
        int count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, sleep_ms(loop));
        if (!read_inbox(loop))
            break;
        handle_sockets(loop, events, count);
        handle_timeouts(loop);
        start_backlog(loop);
    }
    end_all(loop);
    return NULL;
}

/* --- from outside --- */

static size_t socket_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 4 > SOCKETS_MAX)
        return SOCKETS_MAX;
    return limit.rlim_cur / 4 > 0 ? (size_t)(limit.rlim_cur / 4) : 1;
}

static bool open_descriptors(struct am_dns_loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN};

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    event.data.fd = loop->wake_fd;
    return loop->epoll_fd >= 0 && loop->wake_fd >= 0 &&
           epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0;
}

/* Signals are for the program's own threads. */
static int start_thread(struct am_dns_loop *loop)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    sigfillset(&all);
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&loop->thread, &attributes, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

static void release(struct am_dns_loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->inbox_lock);
    free(loop->by_fd);
    free(loop);
}

struct am_dns_loop *am_dns_loop_new(const struct am_dns_loop_options *options,
                                    struct am_problem *problem)
{
    struct am_dns_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        am_problem_set(problem, "the resolver cannot start: memory is short");
        return NULL;
    }
    loop->options = *options;
    loop->active_max = socket_limit();
    loop->epoll_fd = -1;
    loop->wake_fd = -1;
    TAILQ_INIT(&loop->inbox);
    TAILQ_INIT(&loop->backlog);
    TAILQ_INIT(&loop->active);
    pthread_mutex_init(&loop->inbox_lock, NULL);
    int error = open_descriptors(loop) ? start_thread(loop) : errno;
    if (error != 0) {
        am_problem_set(problem, "the resolver cannot start: %s", strerror(error));
        release(loop);
        return NULL;
    }
    return loop;
}

/* With the inbox locked: has the thread look, unless it was told already. */
static void wake(struct am_dns_loop *loop)
{
    const uint64_t one = 1;

    if (!loop->woken)
        loop->woken = write(loop->wake_fd, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

void am_dns_loop_free(struct am_dns_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    loop->stop = true;
    wake(loop);
    pthread_mutex_unlock(&loop->inbox_lock);
    pthread_join(loop->thread, NULL);
    release(loop);
}

void am_dns_loop_submit(struct am_dns_loop *loop, struct am_dns_job *job)
{
    job->fd = -1;
    job->pinned = -1;
    pthread_mutex_lock(&loop->inbox_lock);
    TAILQ_INSERT_TAIL(&loop->inbox, job, link);
    wake(loop);
    pthread_mutex_unlock(&loop->inbox_lock);
}

void am_dns_loop_read_figures(const struct am_dns_loop *loop, struct am_dns_loop_figures *figures)
{
    figures->queries_udp = atomic_load_explicit(&loop->queries_udp, memory_order_relaxed);
    figures->queries_tcp = atomic_load_explicit(&loop->queries_tcp, memory_order_relaxed);
    figures->timeouts = atomic_load_explicit(&loop->timeouts, memory_order_relaxed);
    figures->spoofed = atomic_load_explicit(&loop->spoofed, memory_order_relaxed);
    figures->servfails = atomic_load_explicit(&loop->servfails, memory_order_relaxed);
}
