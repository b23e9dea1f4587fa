#include "dmarc-milter/dmarc_redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_S 2
#define COMMAND_S 3

/* XADD stream MAXLEN ~ n *, then v, uid and time, then the columns; names and values. */
#define ADD_ARGUMENTS (6 + 2 * (3 + DMARC_FLAT_COLUMNS))

/* Version of the fields of an entry. */
#define ENTRY_VERSION "1"

struct dmarc_redis {
    redisContext *context;
    const struct dmarc_place *place;
};

static bool fail(const struct dmarc_redis *redis, struct am_problem *problem)
{
    const struct dmarc_place *place = redis->place;
    const char *why = redis->context->errstr;

    if (redis->context->err == REDIS_ERR_IO && errno == EAGAIN)
        why = "it does not answer";
    return place->path[0] != '\0'
               ? am_problem_set(problem, "the server at %s: %s", place->path, why)
               : am_problem_set(problem, "the server at %s, port %d: %s", place->host, place->port,
                                why);
}

/* Judges a reply and frees it. */
static bool take_reply(const struct dmarc_redis *redis, redisReply *reply,
                       struct am_problem *problem)
{
    bool good = reply != NULL && reply->type != REDIS_REPLY_ERROR;

    if (reply == NULL)
        fail(redis, problem);
    else if (!good)
        am_problem_set(problem, "the server of stream %s says: %s", redis->place->stream,
                       reply->str);
    freeReplyObject(reply);
    return good;
}

/* --- connecting --- */

static bool read_password(const char *path, char *out, size_t size, struct am_problem *problem)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return am_problem_set(problem, "%s cannot be read: %s", path, strerror(errno));
    bool good = fgets(out, (int)size, file) != NULL;
    (void)fclose(file);
    if (good)
        out[strcspn(out, "\r\n")] = '\0';
    return (good && *out != '\0') ||
           am_problem_set(problem, "%s holds no password in its first line", path);
}

static bool log_in(struct dmarc_redis *redis, struct am_problem *problem)
{
    const struct dmarc_place *place = redis->place;
    const char *words[3] = {"AUTH"};
    char password[512];
    int count = 1;

    if (place->password_file[0] == '\0')
        return true;
    if (!read_password(place->password_file, password, sizeof(password), problem))
        return false;
    if (place->user[0] != '\0')
        words[count++] = place->user;
    words[count++] = password;
    redisReply *reply = redisCommandArgv(redis->context, count, words, NULL);
    explicit_bzero(password, sizeof(password));
    return take_reply(redis, reply, problem);
}

static bool connect_to(struct dmarc_redis *redis, struct am_problem *problem)
{
    const struct dmarc_place *place = redis->place;
    const struct timeval soon = {.tv_sec = CONNECT_S}, later = {.tv_sec = COMMAND_S};

    redis->context = place->path[0] != '\0'
                         ? redisConnectUnixWithTimeout(place->path, soon)
                         : redisConnectWithTimeout(place->host, place->port, soon);
    if (redis->context == NULL)
        return am_problem_set(problem, "out of memory");
    if (redis->context->err != 0 || redisSetTimeout(redis->context, later) != REDIS_OK)
        return fail(redis, problem);
    return log_in(redis, problem);
}

struct dmarc_redis *dmarc_redis_open(const struct dmarc_place *place, struct am_problem *problem)
{
    struct dmarc_redis *redis = calloc(1, sizeof(*redis));

    if (redis == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    redis->place = place;
    if (connect_to(redis, problem))
        return redis;
    dmarc_redis_close(redis);
    return NULL;
}

void dmarc_redis_close(struct dmarc_redis *redis)
{
    if (redis == NULL)
        return;
    redisFree(redis->context);
    free(redis);
}

/* --- adding --- */

static bool append_row(struct dmarc_redis *redis, const struct dmarc_flat *row, int64_t rows_max)
{
    const char *words[ADD_ARGUMENTS] = {"XADD", redis->place->stream, "MAXLEN", "~"};
    char most[24], time[24];
    int count = 4;

    snprintf(most, sizeof(most), "%lld", (long long)rows_max);
    snprintf(time, sizeof(time), "%lld", (long long)row->time_s);
    words[count++] = most;
    words[count++] = "*";
    words[count++] = "v";
    words[count++] = ENTRY_VERSION;
    words[count++] = "uid";
    words[count++] = row->uid;
    words[count++] = "time";
    words[count++] = time;
    for (int i = 0; i < DMARC_FLAT_COLUMNS; i++) {
        words[count++] = dmarc_flat_name((enum dmarc_flat_column)i);
        words[count++] = row->text[i];
    }
    return redisAppendCommandArgv(redis->context, count, words, NULL) == REDIS_OK;
}

bool dmarc_redis_add(struct dmarc_redis *redis, struct dmarc_flat *const *rows, size_t count,
                     int64_t rows_max, size_t *written, struct am_problem *problem)
{
    size_t sent = 0;
    bool good = true;

    *written = 0;
    while (sent < count && append_row(redis, rows[sent], rows_max))
        sent++;
    for (size_t i = 0; i < sent; i++) {
        redisReply *reply = NULL;
        bool answered = redisGetReply(redis->context, (void **)&reply) == REDIS_OK;
        /* Every reply that comes is read, so that the next command gets its own. */
        if (!take_reply(redis, answered ? reply : NULL, good ? problem : NULL))
            good = false;
        if (!answered)
            return false;
        *written += good;
    }
    return good && (sent == count || fail(redis, problem));
}

/* --- taking --- */

static const char *text_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && strlen(reply->str) == reply->len ? reply->str
                                                                                 : NULL;
}

static int64_t number_of(const char *text)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno != 0 || *end != '\0' || end == text || number < 0 ? -1 : number;
}

/* Reads names and values. Returns NULL when they are no row of a version we know. */
static struct dmarc_flat *read_fields(const redisReply *fields)
{
    const char *text[DMARC_FLAT_COLUMNS] = {0};
    const char *uid = NULL, *version = NULL, *time = NULL;

    if (fields->type != REDIS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = text_of(fields->element[i]);
        const char *value = text_of(fields->element[i + 1]);

        if (name == NULL || value == NULL)
            return NULL;
        if (strcmp(name, "v") == 0)
            version = value;
        else if (strcmp(name, "uid") == 0)
            uid = value;
        else if (strcmp(name, "time") == 0)
            time = value;
        for (int column = 0; column < DMARC_FLAT_COLUMNS; column++)
            if (strcmp(name, dmarc_flat_name((enum dmarc_flat_column)column)) == 0)
                text[column] = value;
    }
    if (version == NULL || strcmp(version, ENTRY_VERSION) != 0 || uid == NULL || *uid == '\0' ||
        time == NULL || number_of(time) < 0)
        return NULL;
    return dmarc_flat_of(number_of(time), uid, text);
}

static bool read_entries(const redisReply *reply, struct dmarc_redis_rows *out)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i < reply->elements && out->count < DMARC_REDIS_READ_MAX; i++) {
        const redisReply *entry = reply->element[i];
        const char *name = entry->type == REDIS_REPLY_ARRAY && entry->elements == 2
                               ? text_of(entry->element[0])
                               : NULL;

        if (name == NULL || strlen(name) >= DMARC_REDIS_ENTRY_MAX)
            return false;
        strcpy(out->rows[out->count].entry, name);
        out->rows[out->count++].row = read_fields(entry->element[1]);
    }
    return true;
}

bool dmarc_redis_read(struct dmarc_redis *redis, struct dmarc_redis_rows *out,
                      struct am_problem *problem)
{
    out->count = 0;
    redisReply *reply = redisCommand(redis->context, "XRANGE %s - + COUNT %d", redis->place->stream,
                                     DMARC_REDIS_READ_MAX);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        return take_reply(redis, reply, problem);
    bool good = read_entries(reply, out);
    freeReplyObject(reply);
    if (good)
        return true;
    for (size_t i = 0; i < out->count; i++)
        free(out->rows[i].row);
    out->count = 0;
    return am_problem_set(problem, "%s is no stream of rows", redis->place->stream);
}

bool dmarc_redis_remove(struct dmarc_redis *redis, const struct dmarc_redis_rows *rows,
                        struct am_problem *problem)
{
    const char *words[DMARC_REDIS_READ_MAX + 2] = {"XDEL", redis->place->stream};
    int count = 2;

    for (size_t i = 0; i < rows->count; i++)
        words[count++] = rows->rows[i].entry;
    return count == 2 ||
           take_reply(redis, redisCommandArgv(redis->context, count, words, NULL), problem);
}
