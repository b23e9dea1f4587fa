#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/table.h"
#include "common/map/map_cache.h"
#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/*
 * A map that asks a server: a few connections that are opened when they are needed, and answers
 * that are kept for a while. A server that cannot be reached is left alone for a moment, so that
 * mail does not queue up behind it.
 */

#define CONNECTIONS_MAX 64
#define PAUSE_US INT64_C(2000000)

struct live_map {
    struct am_map base;
    const struct am_map_conf *conf;
    const struct am_map_driver *driver;
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    struct am_map_connection *idle[CONNECTIONS_MAX];
    size_t idle_count, open_count;
    int64_t paused_until_us; /* by the question's clock */
    struct am_problem pause_reason;
    struct am_map_cache cache;
};

/* --- connections --- */

static int64_t left_ms(const struct am_map_question *question)
{
    int64_t left_us = question->deadline_us == AM_NEVER
                          ? INT64_MAX
                          : question->deadline_us - am_clock_now_us(question->clock);

    return left_us <= 0 ? 0 : left_us / 1000;
}

/* What one step may take: the option's time, or what is left. */
static int64_t step_ms(const struct live_map *map, const struct am_map_question *question)
{
    int64_t left = left_ms(question);

    return left < map->conf->timeout_ms ? left : map->conf->timeout_ms;
}

/* Waits for a connection to be given back. Returns false when none was in time. */
static bool wait_for_one(struct live_map *map, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return pthread_cond_clockwait(&map->returned, &map->mutex, CLOCK_MONOTONIC, &until) == 0;
}

/*
 * Takes the right to one connection: an idle one, or, with `*connection` NULL, to open one.
 * Returns: false with a sentence.
 */
static bool take(struct live_map *map, const struct am_map_question *question,
                 struct am_map_connection **connection, struct am_problem *problem)
{
    bool good = true;

    pthread_mutex_lock(&map->mutex);
    while (map->idle_count == 0 && map->open_count == (size_t)map->conf->connections && good)
        good = wait_for_one(map, step_ms(map, question));
    *connection = NULL;
    if (map->idle_count > 0) {
        *connection = map->idle[--map->idle_count];
        good = true;
    } else if (!good) {
        am_problem_set(problem, "%s: all %d connections are busy", map->base.name,
                       (int)map->conf->connections);
    } else if (am_clock_now_us(question->clock) < map->paused_until_us) {
        good = am_problem_set(problem, "%s", map->pause_reason.text);
    } else {
        map->open_count++;
    }
    pthread_mutex_unlock(&map->mutex);
    return good;
}

static void give_back(struct live_map *map, struct am_map_connection *connection)
{
    pthread_mutex_lock(&map->mutex);
    map->idle[map->idle_count++] = connection;
    pthread_cond_signal(&map->returned);
    pthread_mutex_unlock(&map->mutex);
}

/* Gives the right to a connection up; with a sentence nobody tries for a moment. */
static void give_up(struct live_map *map, const struct am_map_question *question,
                    const struct am_problem *why)
{
    pthread_mutex_lock(&map->mutex);
    map->open_count--;
    if (why != NULL) {
        map->paused_until_us = am_clock_now_us(question->clock) + PAUSE_US;
        map->pause_reason = *why;
    }
    pthread_cond_signal(&map->returned);
    pthread_mutex_unlock(&map->mutex);
}

static struct am_map_connection *connect_one(struct live_map *map,
                                             const struct am_map_question *question,
                                             struct am_arena *arena, struct am_problem *problem)
{
    struct am_problem inner;
    struct am_map_connection *connection =
        map->driver->connect(map->conf, arena, step_ms(map, question), &inner);

    if (connection == NULL) {
        am_problem_set(problem, "%s: %s", map->base.name, inner.text);
        give_up(map, question, problem);
    }
    return connection;
}

static enum am_map_answer ask_server(struct live_map *map, const struct am_map_question *question,
                                     struct am_arena *arena, struct am_map_values *values,
                                     struct am_problem *problem)
{
    struct am_map_connection *connection;
    struct am_problem inner;

    if (!take(map, question, &connection, problem))
        return AM_MAP_FAILED;
    bool was_idle = connection != NULL;
    for (;;) {
        if (connection == NULL)
            connection = connect_one(map, question, arena, problem);
        if (connection == NULL)
            return AM_MAP_FAILED;
        enum am_map_answer answer =
            map->driver->ask(connection, question, step_ms(map, question), arena, values, &inner);
        if (answer != AM_MAP_FAILED) {
            give_back(map, connection);
            return answer;
        }
        map->driver->disconnect(connection);
        connection = NULL;
        *values = (struct am_map_values){.count = 0};
        am_problem_set(problem, "%s: %s", map->base.name, inner.text);
        /* An idle connection may have been closed by the server meanwhile: once more. */
        if (!was_idle || left_ms(question) == 0) {
            give_up(map, question, NULL);
            return AM_MAP_FAILED;
        }
        was_idle = false;
    }
}

/* --- the map --- */

static enum am_map_answer ask(struct am_map *base, const struct am_map_question *question,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    struct live_map *map = (struct live_map *)base;
    enum am_map_answer answer;

    /* Nobody's table has such an address. */
    if (!am_map_question_is_askable(question))
        return AM_MAP_NONE;
    pthread_mutex_lock(&map->mutex);
    bool known = am_map_cache_find(&map->cache, question, arena, values, &answer);
    pthread_mutex_unlock(&map->mutex);
    if (known)
        return answer;
    if (question->before_wait != NULL)
        question->before_wait(question->waiter);
    answer = ask_server(map, question, arena, values, problem);
    if (answer != AM_MAP_FAILED) {
        pthread_mutex_lock(&map->mutex);
        am_map_cache_put(&map->cache, question, values, answer);
        pthread_mutex_unlock(&map->mutex);
    }
    return answer;
}

static bool try_map(struct am_map *base, struct am_problem *problem)
{
    const struct live_map *map = (const struct live_map *)base;
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_connection *connection =
        arena == NULL ? NULL
                      : map->driver->connect(map->conf, arena, map->conf->timeout_ms, problem);

    if (arena == NULL)
        am_problem_set(problem, "out of memory");
    if (connection != NULL)
        map->driver->disconnect(connection);
    am_arena_free(arena);
    return connection != NULL;
}

static void close_map(struct am_map *base)
{
    struct live_map *map = (struct live_map *)base;

    while (map->idle_count > 0)
        map->driver->disconnect(map->idle[--map->idle_count]);
    am_map_cache_fini(&map->cache);
    pthread_cond_destroy(&map->returned);
    pthread_mutex_destroy(&map->mutex);
}

struct am_map *am_map_live_open(const struct am_map_conf *conf, const struct am_map_env *env,
                                struct am_problem *problem)
{
    struct live_map *map = am_arena_alloc(env->arena, sizeof(*map));
    struct am_buf password;

    /* It is read anew for each connection; that it can be is better known at the start. */
    bool readable = am_map_password_read(conf->password_file, &password, problem);
    am_map_password_wipe(&password);
    if (!readable)
        return NULL;
    if (map == NULL || !am_map_cache_init(&map->cache, conf)) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    map->conf = conf;
    map->driver = am_map_driver_of((enum am_map_kind)conf->kind);
    map->base.ask = ask;
    map->base.close = close_map;
    map->base.try = try_map;
    pthread_mutex_init(&map->mutex, NULL);
    pthread_cond_init(&map->returned, NULL);
    return &map->base;
}
