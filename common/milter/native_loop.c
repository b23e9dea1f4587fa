#include "common/milter/native_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"

/* Threads at most: those that wait for the DNS hold one each. */
#define THREADS_MAX 1000

/* Connections taken in one go, before others have their turn. */
#define ACCEPT_MAX 16

/* How often idle connections are looked for, and how often taking connections is tried again. */
#define SWEEP_MS_MAX 5000

/* The watch over the crew: see native_crew.h. */
#define WATCH_MS 20
#define CALM_TICKS 5

/* How often the log is told that no connection can be taken. */
#define PAUSE_LOG_MS (60 * 1000)

/* An MTA that does not read what it waits for is given up long before an idle one. */
#define WRITE_MS_MAX (300 * 1000)

static int64_t coarse_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `what` is a connection, or the address of one of the loop's own descriptors. */
static bool arm(const struct am_native_loop *loop, int operation, int fd, uint32_t events,
                void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0;
}

/* --- connections --- */

static void enlist(struct am_native_loop *loop, struct am_native_conn *conn)
{
    pthread_mutex_lock(&loop->lock);
    conn->next = loop->conns;
    conn->link = &loop->conns;
    if (conn->next != NULL)
        conn->next->link = &conn->next;
    loop->conns = conn;
    pthread_mutex_unlock(&loop->lock);
}

/* With the lock held, or the loop's threads gone. */
static void resume(struct am_native_loop *loop)
{
    if (!loop->paused)
        return;
    loop->paused = false;
    for (size_t i = 0; i < loop->door_count; i++) {
        struct am_native_door *door = &loop->doors[i];
        door->paused =
            door->paused && !arm(loop, EPOLL_CTL_MOD, door->fd, EPOLLIN | EPOLLONESHOT, door);
        loop->paused = loop->paused || door->paused;
    }
    if (!loop->paused && loop->paused_is_logged)
        am_log(AM_LOG_NOTICE, "MTA connections are taken again");
}

/* Off the list before it is closed: the sweep touches sockets of the list only. */
static void close_conn(struct am_native_loop *loop, struct am_native_conn *conn)
{
    pthread_mutex_lock(&loop->lock);
    *conn->link = conn->next;
    if (conn->next != NULL)
        conn->next->link = conn->link;
    pthread_mutex_unlock(&loop->lock);
    am_native_conn_free(conn);
    pthread_mutex_lock(&loop->lock);
    resume(loop);
    pthread_mutex_unlock(&loop->lock);
}

/* Waits for the next event of the connection. From here on it may be in another thread's hands. */
static void rearm_conn(struct am_native_loop *loop, struct am_native_conn *conn, int operation,
                       uint32_t events)
{
    int fd = conn->fd;

    atomic_store_explicit(&conn->active_ms, coarse_ms(), memory_order_release);
    if (!arm(loop, operation, fd, events | EPOLLONESHOT, conn)) {
        am_log(AM_LOG_ERROR, "a connection cannot be waited for: %s", strerror(errno));
        close_conn(loop, conn);
    }
}

static void serve_conn(struct am_native_loop *loop, struct am_native_conn *conn,
                       struct am_native_scratch *scratch)
{
    (void)atomic_exchange_explicit(&conn->active_ms, AM_NATIVE_BUSY, memory_order_acquire);
    switch (am_native_conn_turn(conn, scratch)) {
    case AM_NATIVE_READ:
        rearm_conn(loop, conn, EPOLL_CTL_MOD, EPOLLIN);
        break;
    case AM_NATIVE_WRITE:
        rearm_conn(loop, conn, EPOLL_CTL_MOD, EPOLLOUT);
        break;
    default:
        close_conn(loop, conn);
    }
}

/* --- the listening sockets --- */

static void add_conn(struct am_native_loop *loop, const struct am_native_door *door, int fd)
{
    int on = 1;
    struct am_native_conn *conn =
        am_native_conn_new(fd, &loop->line, &loop->shared, &door->listener);
    if (conn == NULL) {
        am_log(AM_LOG_ERROR, "memory is short: a connection is refused");
        close(fd);
        return;
    }
    /* Answers are single small packets; a unix socket knows no such option. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    enlist(loop, conn);
    rearm_conn(loop, conn, EPOLL_CTL_ADD, EPOLLIN);
}

/* Not armed again here: the next connection that ends, or the sweep, does it. */
static void pause_accepting(struct am_native_loop *loop, struct am_native_door *door, int error)
{
    int64_t now_ms = coarse_ms();

    pthread_mutex_lock(&loop->lock);
    /* At the limit each connection that ends lets one in: not a line for each. */
    bool log = loop->pause_log_ms == 0 || now_ms - loop->pause_log_ms >= PAUSE_LOG_MS;
    door->paused = true;
    loop->paused = true;
    loop->paused_is_logged = log;
    if (log)
        loop->pause_log_ms = now_ms;
    pthread_mutex_unlock(&loop->lock);
    if (log)
        am_log(AM_LOG_ERROR, "no further MTA connection can be taken for now: %s", strerror(error));
}

static void accept_some(struct am_native_loop *loop, struct am_native_door *door)
{
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add_conn(loop, door, fd);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(loop, door, errno);
            return;
        } /* else the client went away in the queue */
    }
    if (!arm(loop, EPOLL_CTL_MOD, door->fd, EPOLLIN | EPOLLONESHOT, door))
        pause_accepting(loop, door, errno);
}

/* --- threads --- */

static struct am_native_door *door_of(struct am_native_loop *loop, const void *pointer)
{
    for (size_t i = 0; i < loop->door_count; i++)
        if (pointer == &loop->doors[i])
            return &loop->doors[i];
    return NULL;
}

static void serve_events(struct am_native_loop *loop, struct am_native_scratch *scratch)
{
    while (am_native_crew_pause()) {
        struct epoll_event event;
        int count = epoll_wait(loop->epoll_fd, &event, 1, -1);
        am_native_crew_took();
        if (atomic_load_explicit(&loop->line.stopping, memory_order_relaxed))
            return;
        if (count <= 0)
            continue;
        struct am_native_door *door = door_of(loop, event.data.ptr);
        if (door != NULL)
            accept_some(loop, door);
        else if (event.data.ptr != &loop->stop_fd)
            serve_conn(loop, event.data.ptr, scratch);
    }
}

/*
 * The room to read into is mapped, not from malloc(): most of it is never touched, and as threads
 * come and go it would in time cost all its pages.
 */
static char *map_room(void)
{
    void *room =
        mmap(NULL, AM_NATIVE_READ_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return room == MAP_FAILED ? NULL : room;
}

static void work(void *user)
{
    struct am_native_loop *loop = user;
    struct pollfd stop = {.fd = loop->stop_fd, .events = POLLIN};
    struct am_native_scratch scratch = {.in = NULL};

    am_buf_init(&scratch.out, 0);
    /* The thread has its place already: without memory it waits for some rather than leave it. */
    while ((scratch.in = map_room()) == NULL && poll(&stop, 1, WATCH_MS) == 0)
        continue;
    if (scratch.in != NULL) {
        am_native_crew_spare(scratch.in, AM_NATIVE_READ_MAX);
        serve_events(loop, &scratch);
    }
    am_buf_fini(&scratch.out);
    if (scratch.in != NULL)
        (void)munmap(scratch.in, AM_NATIVE_READ_MAX);
}

/* --- the life of the loop --- */

bool am_native_loop_open(struct am_native_loop *loop, int idle_s,
                         struct am_snapshot_holder *runtime, struct am_problem *problem)
{
    *loop = (struct am_native_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                                    .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                    .idle_ms = idle_s * 1000};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    pthread_mutex_init(&loop->lock, NULL);
    loop->shared.runtime = runtime;
    loop->line.stop_fd = loop->stop_fd;
    loop->line.write_timeout_ms = loop->idle_ms < WRITE_MS_MAX ? loop->idle_ms : WRITE_MS_MAX;
    loop->line.before_wait = am_native_crew_before_wait;
    loop->crew.work = work;
    loop->crew.user = loop;
    loop->crew.busy_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->crew.places = processors < 2 ? 2 : processors > 64 ? 64 : (unsigned)processors;
    loop->crew.most = THREADS_MAX;
    if (loop->epoll_fd < 0 || loop->stop_fd < 0 || loop->crew.busy_fd < 0 ||
        !arm(loop, EPOLL_CTL_ADD, loop->stop_fd, EPOLLIN, &loop->stop_fd))
        return am_problem_set(problem, "cannot wait for connections: %s", strerror(errno));
    return true;
}

bool am_native_loop_add(struct am_native_loop *loop, int fd, const struct am_listener *listener,
                        struct am_problem *problem)
{
    if (loop->door_count == AM_LISTENERS_MAX)
        return am_problem_set(problem, "more than %d sockets", AM_LISTENERS_MAX);
    struct am_native_door *door = &loop->doors[loop->door_count];
    *door = (struct am_native_door){.fd = fd, .listener = *listener};
    if (!arm(loop, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, door))
        return am_problem_set(problem, "cannot wait for connections: %s", strerror(errno));
    loop->door_count++;
    return true;
}

/* A connection that is idle for too long looks as if its MTA had closed it: whoever serves it
 * notices. */
static void sweep(struct am_native_loop *loop)
{
    int64_t before_ms = coarse_ms() - loop->idle_ms;

    pthread_mutex_lock(&loop->lock);
    for (struct am_native_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (atomic_load_explicit(&conn->active_ms, memory_order_relaxed) <= before_ms)
            (void)shutdown(conn->fd, SHUT_RDWR);
    }
    resume(loop);
    pthread_mutex_unlock(&loop->lock);
}

/* Watches the crew from when nobody was free for an event until somebody has been for a while. */
static void watch_crew(struct am_native_loop *loop, struct pollfd *stop)
{
    for (int calm = 0; calm < CALM_TICKS && !atomic_load(&loop->line.stopping);) {
        (void)poll(stop, 1, WATCH_MS);
        calm = am_native_crew_watch(&loop->crew) ? 0 : calm + 1;
    }
    am_native_crew_calm(&loop->crew);
}

/* The loop's own thread: it serves nothing, so that it is there when all others are busy. */
static void keep_house(struct am_native_loop *loop)
{
    int tick_ms = loop->idle_ms / 8 < SWEEP_MS_MAX ? loop->idle_ms / 8 + 1 : SWEEP_MS_MAX;
    int64_t sweep_ms = coarse_ms() + tick_ms;
    struct pollfd fds[2] = {{.fd = loop->stop_fd, .events = POLLIN},
                            {.fd = loop->crew.busy_fd, .events = POLLIN}};

    while (!atomic_load(&loop->line.stopping)) {
        if (poll(fds, 2, tick_ms) > 0 && fds[1].revents != 0)
            watch_crew(loop, fds);
        if (coarse_ms() >= sweep_ms) {
            sweep(loop);
            sweep_ms = coarse_ms() + tick_ms;
        }
    }
}

bool am_native_loop_run(struct am_native_loop *loop)
{
    struct am_problem problem = {{0}};
    bool started = am_native_crew_start(&loop->crew, &problem);

    if (started)
        keep_house(loop);
    else
        am_log(AM_LOG_ERROR, "%s", problem.text);
    am_native_loop_stop(loop);
    /* Refuses connections from here on; a thread may still have it in hand. */
    for (size_t i = 0; i < loop->door_count; i++)
        (void)shutdown(loop->doors[i].fd, SHUT_RDWR);
    am_native_crew_end(&loop->crew);
    am_native_crew_wait(&loop->crew);
    while (loop->conns != NULL) {
        struct am_native_conn *conn = loop->conns;
        loop->conns = conn->next;
        am_native_conn_free(conn);
    }
    for (size_t i = 0; i < loop->door_count; i++)
        close(loop->doors[i].fd);
    close(loop->epoll_fd);
    return started;
}

void am_native_loop_stop(struct am_native_loop *loop)
{
    atomic_store(&loop->line.stopping, true);
    (void)!write(loop->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
}
