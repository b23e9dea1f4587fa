#include "tests/bench/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/mta/daemon.h"

/* Latencies kept for percentiles; a longer run keeps the latest. */
enum { SAMPLES_MAX = 1 << 20, EVENTS_MAX = 64, SILENCE_MS = 60000 };

struct load {
    const struct load_options *options;
    struct load_result *result;
    struct load_contents contents[LOAD_ROW_MAX];
    /* The counted ones, then the stuck ones, then the idle ones; each is a row of connections. */
    struct load_conn *conns;
    unsigned conn_count;
    int epoll;
    int64_t started_us, report_us;
    uint64_t begun;                /* counted messages that were begun */
    unsigned busy;                 /* counted connections with a message in hand */
    struct load_conn **free_conns; /* with a rate: a ring of those without one, longest first */
    unsigned free_head, free_count;
    unsigned next_sender;
    uint32_t *samples;
    uint64_t sample_count;
};

int64_t load_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* "<u@d%.example>" with the next number in place of the percent sign. */
static void next_sender(struct load *load, const char *pattern, char *out, size_t size)
{
    const char *percent = strchr(pattern, '%');
    unsigned number = load->next_sender++ % load->options->senders;
    if (load->options->random_sender)
        number = (unsigned)random() % load->options->senders;
    if (percent == NULL)
        snprintf(out, size, "<%s>", pattern);
    else
        snprintf(out, size, "<%.*s%u%s>", (int)(percent - pattern), pattern, number, percent + 1);
}

static bool more_to_begin(const struct load *load)
{
    const struct load_options *options = load->options;
    if (options->messages > 0)
        return load->begun < options->messages;
    return load_now_us() - load->started_us < options->seconds * INT64_C(1000000);
}

/* Has the socket of a message that did not fit watched until it has room again. */
static void watch_room(struct load *load, struct load_conn *conn)
{
    if (conn->blocked == conn->awaits_room)
        return;
    struct epoll_event event = {.events = EPOLLIN | (conn->blocked ? EPOLLOUT : 0),
                                .data.ptr = conn};
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, conn->fd, &event) == 0)
        conn->awaits_room = conn->blocked;
}

static enum load_progress begin(struct load *load, struct load_conn *conn, int64_t due_us)
{
    next_sender(load, conn->stuck ? load->options->stuck_sender : load->options->sender,
                conn->sender, sizeof(conn->sender));
    if (!conn->stuck) {
        load->begun++;
        load->busy++;
    }
    enum load_progress progress = load_conn_begin(conn, due_us);
    watch_room(load, conn);
    return progress;
}

static void put_free(struct load *load, struct load_conn *conn)
{
    unsigned connections = load->options->connections;
    load->free_conns[(load->free_head + load->free_count++) % connections] = conn;
}

static struct load_conn *take_free(struct load *load)
{
    struct load_conn *conn = load->free_conns[load->free_head];
    load->free_head = (load->free_head + 1) % load->options->connections;
    load->free_count--;
    return conn;
}

/* Hands a message on to the next milter of its row. */
static enum load_progress hand_on(struct load *load, const struct load_conn *conn)
{
    struct load_conn *next = conn->next;
    memcpy(next->sender, conn->sender, sizeof(next->sender));
    enum load_progress progress = load_conn_begin(next, conn->started_us);
    watch_room(load, next);
    return progress;
}

static bool open_all(struct load *load, struct am_problem *problem)
{
    const struct load_options *options = load->options;
    unsigned row = options->row_count;
    unsigned active = (options->connections + options->stuck) * row;
    unsigned total = active + options->idle * row;
    load->conns = calloc(total, sizeof(*load->conns));
    if (load->conns == NULL)
        return am_problem_set(problem, "out of memory");
    for (; load->conn_count < total; load->conn_count++) {
        struct load_conn *conn = &load->conns[load->conn_count];
        unsigned k = load->conn_count % row;
        if (!load_conn_open(conn, options, k, &load->contents[k], problem))
            return false;
        conn->first = conn - k;
        conn->next = k + 1 < row ? conn + 1 : NULL;
        conn->stuck = load->conn_count >= options->connections * row;
        if (load->conn_count >= active)
            continue;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) < 0)
            return am_problem_set(problem, "epoll_ctl: %s", strerror(errno));
    }
    return true;
}

static void finish_message(struct load *load, struct load_conn *conn, enum load_progress progress)
{
    if (!conn->stuck) {
        int64_t took_us = load_now_us() - conn->started_us;
        load->busy--;
        load->result->messages++;
        load->samples[load->sample_count++ % SAMPLES_MAX] = (uint32_t)took_us;
    }
    if (progress == LOAD_BROKEN) {
        load->result->errors++;
        epoll_ctl(load->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
        return;
    }
    conn = conn->first;
    if (!conn->stuck && load->options->rate > 0) {
        put_free(load, conn);
    } else if (conn->stuck || more_to_begin(load)) {
        if (begin(load, conn, load_now_us()) == LOAD_BROKEN)
            finish_message(load, conn, LOAD_BROKEN);
    }
}

/* When the next message is due. With a rate the time a message had to wait for a connection counts.
 */
static int64_t next_due_us(const struct load *load)
{
    return load->started_us + (int64_t)(load->begun * 1000000 / load->options->rate);
}

/* Begins what is due; returns how long nothing will be, in microseconds. */
static int64_t begin_due(struct load *load)
{
    while (load->free_count > 0 && more_to_begin(load)) {
        int64_t due_us = next_due_us(load), now_us = load_now_us();
        if (due_us > now_us)
            return due_us - now_us;
        struct load_conn *conn = take_free(load);
        if (begin(load, conn, due_us) == LOAD_BROKEN)
            finish_message(load, conn, LOAD_BROKEN);
    }
    return SILENCE_MS * INT64_C(1000);
}

/* Waits for answers, or until the next message is due. Returns the number of events. */
static int wait_events(struct load *load, struct epoll_event *events)
{
    int64_t left_us = load->options->rate > 0 ? begin_due(load) : SILENCE_MS * INT64_C(1000);
    const struct timespec timeout = {left_us / 1000000, left_us % 1000000 * 1000};
    return epoll_pwait2(load->epoll, events, EVENTS_MAX, &timeout, NULL);
}

static void report(struct load *load)
{
    const struct load_options *options = load->options;
    int64_t now_us = load_now_us();
    if (options->report_s == 0 || now_us < load->report_us)
        return;
    pid_t pid = options->row[0].pid;
    load->report_us = now_us + options->report_s * INT64_C(1000000);
    printf("second %4ld: %10llu messages, RSS %6ld KiB, %4ld descriptors, %3ld threads\n",
           (long)((now_us - load->started_us) / 1000000),
           (unsigned long long)load->result->messages, mta_process_figure(pid, "VmRSS"),
           mta_process_descriptors(pid), mta_process_figure(pid, "Threads"));
    fflush(stdout);
}

/* Adds what one milter has done of a message. */
static void add_counts(struct load_result *result, const struct load_result *part, bool is_last)
{
    result->edits += part->edits;
    result->refused += part->refused;
    result->deferred += part->deferred;
    if (is_last)
        result->accepted += part->accepted;
}

/* Looks at a connection. Returns what has become of the message in hand. */
static enum load_progress look(struct load *load, struct load_conn *conn, uint32_t events)
{
    struct load_result part = {0};
    enum load_progress progress = LOAD_WAITING;
    if ((events & EPOLLOUT) != 0)
        progress = load_conn_push(conn);
    if (progress == LOAD_WAITING && (events & ~(uint32_t)EPOLLOUT) != 0)
        progress = load_conn_go_on(conn, &part);
    if (!conn->stuck)
        add_counts(load->result, &part, conn->next == NULL);
    if (progress == LOAD_DONE && part.accepted > 0 && conn->next != NULL)
        progress = hand_on(load, conn);
    return progress;
}

static bool drive(struct load *load, struct am_problem *problem)
{
    struct epoll_event events[EVENTS_MAX];
    unsigned active = load->options->connections + load->options->stuck;
    /* The stuck ones first: they shall be stuck when the others begin. */
    for (unsigned i = active; i > 0; i--) {
        struct load_conn *conn = &load->conns[(i - 1) * load->options->row_count];
        if (!conn->stuck && load->options->rate > 0)
            put_free(load, conn);
        else if ((conn->stuck || more_to_begin(load)) &&
                 begin(load, conn, load_now_us()) == LOAD_BROKEN)
            finish_message(load, conn, LOAD_BROKEN);
    }
    while (load->busy > 0 || (load->options->rate > 0 && more_to_begin(load))) {
        int count = wait_events(load, events);
        if (count == 0 && load->options->rate == 0)
            return am_problem_set(problem, "no answer for %d s", SILENCE_MS / 1000);
        for (int i = 0; i < count; i++) {
            struct load_conn *conn = events[i].data.ptr;
            enum load_progress progress = look(load, conn, events[i].events);
            if (progress != LOAD_WAITING)
                finish_message(load, conn, progress);
            watch_room(load, conn);
        }
        report(load);
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Adds what the milter's own processes use to what it uses: an engine may live in such. */
static void add_children(pid_t pid, double *cpu_us, long *rss_kb)
{
    char path[64];
    long child;
    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char list[sizeof(path) + sizeof(task->d_name) + sizeof("//children")];
        snprintf(list, sizeof(list), "%s/%s/children", path, task->d_name);
        FILE *file = fopen(list, "re");
        while (file != NULL && fscanf(file, "%ld", &child) == 1) {
            *cpu_us += (double)mta_process_cpu_us((pid_t)child);
            *rss_kb += mta_process_figure((pid_t)child, "VmRSS");
        }
        if (file != NULL)
            fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
}

/* The time of all milters whose process is known. */
static double cpu_of(const struct load_options *options, long *rss_kb)
{
    double cpu_us = 0;
    *rss_kb = 0;
    for (unsigned i = 0; i < options->row_count; i++) {
        pid_t pid = options->row[i].pid;
        if (pid == 0)
            continue;
        cpu_us += (double)mta_process_cpu_us(pid);
        *rss_kb += mta_process_figure(pid, "VmRSS");
        add_children(pid, &cpu_us, rss_kb);
    }
    return cpu_us;
}

static void summarize(struct load *load, double cpu_before_us)
{
    struct load_result *result = load->result;
    pid_t pid = load->options->row[0].pid;
    size_t kept = load->sample_count < SAMPLES_MAX ? load->sample_count : SAMPLES_MAX;
    result->seconds = (double)(load_now_us() - load->started_us) / 1e6;
    if (pid != 0) {
        double cpu_us = cpu_of(load->options, &result->rss_kb) - cpu_before_us;
        result->cpu_us = result->messages == 0 ? 0 : cpu_us / (double)result->messages;
        result->threads = mta_process_figure(pid, "Threads");
        result->descriptors = mta_process_descriptors(pid);
    }
    if (kept == 0)
        return;
    qsort(load->samples, kept, sizeof(*load->samples), compare);
    result->p50_us = load->samples[(kept - 1) * 50 / 100];
    result->p90_us = load->samples[(kept - 1) * 90 / 100];
    result->p99_us = load->samples[(kept - 1) * 99 / 100];
    result->max_us = load->samples[kept - 1];
}

bool load_run(const struct load_options *options, struct load_result *result,
              struct am_problem *problem)
{
    struct load load = {
        .options = options, .result = result, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    *result = (struct load_result){0};
    load.samples = calloc(SAMPLES_MAX, sizeof(*load.samples));
    load.free_conns = calloc(options->connections + 1, sizeof(struct load_conn *));
    bool ok = load.epoll >= 0 && load.samples != NULL && load.free_conns != NULL &&
              open_all(&load, problem);
    if (ok) {
        double cpu_before_us = cpu_of(options, &result->rss_kb);
        load.started_us = load_now_us();
        ok = drive(&load, problem);
        summarize(&load, cpu_before_us);
    }
    for (unsigned i = 0; i < load.conn_count; i++)
        load_conn_close(&load.conns[i]);
    for (unsigned i = 0; i < options->row_count; i++)
        load_contents_fini(&load.contents[i]);
    free(load.conns);
    free(load.free_conns);
    free(load.samples);
    if (load.epoll >= 0)
        close(load.epoll);
    return ok;
}
