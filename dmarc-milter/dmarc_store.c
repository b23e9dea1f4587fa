#include "dmarc-milter/dmarc_store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "dmarc-milter/dmarc_sink.h"

/* Most rows of one transaction. */
#define BATCH_MAX 500

/* How long the thread waits for more rows, so that a transaction has many of them. */
#define GATHER_MS 200

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 30000
#define COMPLAIN_EVERY_US (60 * INT64_C(1000000))
#define KEEP_DEFAULT_MS (INT64_C(14) * 86400000)

struct dmarc_store {
    atomic_uint references;
    struct dmarc_place place;
    char *where, *group;
    struct dmarc_store_options options;
    struct dmarc_sink *sink;

    pthread_mutex_t lock;
    pthread_cond_t news;      /* for the thread: rows, or the end */
    pthread_cond_t written;   /* for who waits */
    struct dmarc_flat **ring; /* queue_max places */
    size_t first, count;
    uint64_t lost; /* since the last complaint */
    int64_t lost_said_us;
    bool runs, stop;
    pthread_t thread;

    /* The thread's own. */
    int64_t trouble_said_us;
    bool in_trouble;
};

/* --- the thread --- */

static void wait_until(struct dmarc_store *store, pthread_cond_t *condition, int64_t deadline_us)
{
    struct timespec until = {.tv_sec = deadline_us / 1000000,
                             .tv_nsec = deadline_us % 1000000 * 1000};

    (void)pthread_cond_timedwait(condition, &store->lock, &until);
}

/* Says how many rows were lost, once a minute and at the end. The lock is held on both sides. */
static void complain_of_lost(struct dmarc_store *store, int64_t now_us)
{
    uint64_t lost = store->lost;

    if (lost == 0 || (!store->stop && now_us - store->lost_said_us < COMPLAIN_EVERY_US))
        return;
    store->lost = 0;
    store->lost_said_us = now_us;
    pthread_mutex_unlock(&store->lock);
    am_log(AM_LOG_ERROR,
           "dmarc: %llu rows of aggregate reports are lost: they came faster than %s takes them",
           (unsigned long long)lost, store->where);
    pthread_mutex_lock(&store->lock);
}

static void complain_of_trouble(struct dmarc_store *store, const char *why, int64_t now_us)
{
    if (store->in_trouble && now_us - store->trouble_said_us < COMPLAIN_EVERY_US)
        return;
    store->in_trouble = true;
    store->trouble_said_us = now_us;
    am_log(AM_LOG_ERROR, "dmarc: rows of aggregate reports wait in memory: %s", why);
}

/* Takes rows that are written, or given up, off the queue. The lock is held. */
static void take_off(struct dmarc_store *store, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(store->ring[store->first]);
        store->first = (store->first + 1) % store->options.queue_max;
    }
    store->count -= count;
    if (store->count == 0)
        pthread_cond_broadcast(&store->written);
}

/* Writes the first rows of the queue, which stay in it meanwhile: nobody else takes any off. The
 * lock is held on both sides. */
static bool write_batch(struct dmarc_store *store)
{
    struct dmarc_flat *rows[BATCH_MAX];
    struct am_problem problem;
    size_t count = store->count < BATCH_MAX ? store->count : BATCH_MAX, written = 0;

    for (size_t i = 0; i < count; i++)
        rows[i] = store->ring[(store->first + i) % store->options.queue_max];
    pthread_mutex_unlock(&store->lock);
    bool good = store->sink->write(store->sink, rows, count, &written, &problem);
    if (!good)
        complain_of_trouble(store, problem.text, am_clock_now_us(am_clock_system()));
    else if (store->in_trouble)
        am_log(AM_LOG_NOTICE, "dmarc: rows of aggregate reports are written again");
    store->in_trouble = !good;
    if (written > 0 && store->options.count != NULL)
        store->options.count(store->options.user, "report_rows", "written", written);
    pthread_mutex_lock(&store->lock);
    take_off(store, written);
    return good;
}

/* What is left at the end gets one try. */
static void finish(struct dmarc_store *store)
{
    while (store->count > 0 && write_batch(store))
        ;
    store->lost += store->count;
    if (store->count > 0 && store->options.count != NULL)
        store->options.count(store->options.user, "report_rows", "lost", store->count);
    take_off(store, store->count);
    complain_of_lost(store, am_clock_now_us(am_clock_system()));
}

static void *run(void *user)
{
    struct dmarc_store *store = user;
    const struct am_clock *clock = am_clock_system();
    int64_t retry_ms = 0;
    sigset_t all;

    /* Signals are others' business; a server that goes away would send one. */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&store->lock);
    while (!store->stop) {
        while (store->count == 0 && !store->stop)
            pthread_cond_wait(&store->news, &store->lock);
        int64_t until_us = am_deadline_in_ms(clock, retry_ms > 0 ? retry_ms : GATHER_MS);
        while (!store->stop && am_clock_now_us(clock) < until_us &&
               (retry_ms > 0 || store->count < BATCH_MAX))
            wait_until(store, &store->news, until_us);
        if (store->stop)
            break;
        if (write_batch(store))
            retry_ms = 0;
        else
            retry_ms = retry_ms == 0                  ? RETRY_FIRST_MS
                       : retry_ms * 2 < RETRY_MOST_MS ? retry_ms * 2
                                                      : RETRY_MOST_MS;
        complain_of_lost(store, am_clock_now_us(clock));
    }
    finish(store);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* --- making --- */

static bool same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* Puts the values in that 0 stands for. */
static struct dmarc_store_options with_defaults(const struct dmarc_store_options *options)
{
    struct dmarc_store_options own = *options;

    own.keep_ms = own.keep_ms == 0 ? KEEP_DEFAULT_MS : own.keep_ms;
    own.queue_max = own.queue_max == 0 ? DMARC_STORE_QUEUE_MAX : own.queue_max;
    own.rows_max = own.rows_max == 0 ? DMARC_STORE_ROWS_MAX : own.rows_max;
    return own;
}

bool dmarc_store_is_from(const struct dmarc_store *store, const struct dmarc_store_options *options)
{
    const struct dmarc_store_options wanted = with_defaults(options);

    return same(store->where, wanted.where) && same(store->group, wanted.group) &&
           store->options.keep_ms == wanted.keep_ms &&
           store->options.queue_max == wanted.queue_max &&
           store->options.rows_max == wanted.rows_max && store->options.user == wanted.user;
}

/* A folder that is not there does not come by itself. */
static bool check_folder(const struct dmarc_place *place, struct am_problem *problem)
{
    char folder[PATH_MAX];
    struct stat info;

    if (place->is_redis)
        return true;
    strcpy(folder, place->path);
    *strrchr(folder, '/') = '\0';
    const char *path = *folder == '\0' ? "/" : folder;
    if (stat(path, &info) != 0)
        return am_problem_set(problem, "the folder of %s cannot be used: %s: %s", place->path, path,
                              strerror(errno));
    return S_ISDIR(info.st_mode) ||
           am_problem_set(problem, "%s is not a folder, so there can be no %s", path, place->path);
}

static bool init_locks(struct dmarc_store *store)
{
    pthread_condattr_t attributes;

    if (pthread_mutex_init(&store->lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&attributes) == 0) {
        bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(&store->news, &attributes) == 0;
        if (good && pthread_cond_init(&store->written, &attributes) != 0) {
            pthread_cond_destroy(&store->news);
            good = false;
        }
        pthread_condattr_destroy(&attributes);
        if (good)
            return true;
    }
    pthread_mutex_destroy(&store->lock);
    return false;
}

static void free_parts(struct dmarc_store *store)
{
    if (store->sink != NULL)
        store->sink->free(store->sink);
    free(store->ring);
    free(store->where);
    free(store->group);
    free(store);
}

static struct dmarc_store *make(const struct dmarc_store_options *options,
                                const struct dmarc_place *place)
{
    struct dmarc_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    atomic_init(&store->references, 1);
    store->place = *place;
    store->options = with_defaults(options);
    store->where = strdup(options->where);
    store->group = strdup(options->group == NULL ? "" : options->group);
    store->ring = calloc(store->options.queue_max, sizeof(struct dmarc_flat *));
    const struct dmarc_sink_options sink = {
        .place = &store->place,
        .group = store->group,
        .keep_s = store->options.keep_ms / 1000,
        .rows_max = store->options.rows_max,
    };
    if (store->where != NULL && store->group != NULL && store->ring != NULL)
        store->sink =
            place->is_redis ? dmarc_store_redis_new(&sink) : dmarc_store_sqlite_new(&sink);
    if (store->sink != NULL && init_locks(store))
        return store;
    free_parts(store);
    return NULL;
}

struct dmarc_store *dmarc_store_open(const struct dmarc_store_options *options,
                                     struct am_problem *problem)
{
    struct dmarc_place place;

    if (!dmarc_place_parse(&place, options->where, problem) || !check_folder(&place, problem))
        return NULL;
    struct dmarc_store *store = make(options, &place);
    if (store == NULL)
        am_problem_set(problem, "out of memory");
    return store;
}

struct dmarc_store *dmarc_store_ref(struct dmarc_store *store)
{
    atomic_fetch_add(&store->references, 1);
    return store;
}

void dmarc_store_drop(struct dmarc_store *store)
{
    if (store == NULL || atomic_fetch_sub(&store->references, 1) > 1)
        return;
    pthread_mutex_lock(&store->lock);
    store->stop = true;
    pthread_cond_signal(&store->news);
    bool runs = store->runs;
    pthread_mutex_unlock(&store->lock);
    if (runs)
        pthread_join(store->thread, NULL);
    for (; store->count > 0; store->count--) {
        free(store->ring[store->first]);
        store->first = (store->first + 1) % store->options.queue_max;
    }
    pthread_cond_destroy(&store->written);
    pthread_cond_destroy(&store->news);
    pthread_mutex_destroy(&store->lock);
    free_parts(store);
}

/* --- adding --- */

/* The lock is held. Without a thread nothing would ever be written. */
static bool has_thread(struct dmarc_store *store)
{
    if (!store->runs)
        store->runs = pthread_create(&store->thread, NULL, run, store) == 0;
    return store->runs;
}

bool dmarc_store_add(struct dmarc_store *store, const struct dmarc_row *row)
{
    struct dmarc_flat *flat = dmarc_flat_new(row);

    pthread_mutex_lock(&store->lock);
    bool room = flat != NULL && store->count < store->options.queue_max && has_thread(store);
    if (room) {
        store->ring[(store->first + store->count++) % store->options.queue_max] = flat;
        /* The thread gathers rows: one word for the first of them, and for a full batch. */
        if (store->count == 1 || store->count == BATCH_MAX)
            pthread_cond_signal(&store->news);
    } else {
        store->lost++;
    }
    pthread_mutex_unlock(&store->lock);
    if (room)
        return true;
    free(flat);
    if (store->options.count != NULL)
        store->options.count(store->options.user, "report_rows", "lost", 1);
    return false;
}

bool dmarc_store_wait(struct dmarc_store *store, int64_t ms)
{
    const struct am_clock *clock = am_clock_system();
    int64_t until_us = am_deadline_in_ms(clock, ms);

    pthread_mutex_lock(&store->lock);
    while (store->count > 0 && am_clock_now_us(clock) < until_us)
        wait_until(store, &store->written, until_us);
    bool all = store->count == 0;
    pthread_mutex_unlock(&store->lock);
    return all;
}
