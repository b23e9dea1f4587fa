#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "dmarc-milter/dmarc_redis.h"
#include "dmarc-milter/dmarc_sink.h"

/* Most of a stream is on the server for good; one for a day of a large site is enough. */
#define ROWS_MAX 10000000

struct redis_sink {
    struct dmarc_sink base;
    struct dmarc_sink_options options;
    struct dmarc_redis *redis;
    uint64_t instance, count; /* together a name for each row, on all machines */
};

/*
 * When a connection breaks it is not known which rows arrived, so they are sent again under the
 * names they had: whoever takes them from the stream counts each name once.
 */
static void name_rows(struct redis_sink *sink, struct dmarc_flat *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i]->uid[0] == '\0')
            snprintf(rows[i]->uid, sizeof(rows[i]->uid), "%016llx-%llx",
                     (unsigned long long)sink->instance, (unsigned long long)sink->count++);
}

static bool write_rows(struct dmarc_sink *self, struct dmarc_flat *const *rows, size_t count,
                       size_t *written, struct am_problem *problem)
{
    struct redis_sink *sink = (struct redis_sink *)self;

    *written = 0;
    if (sink->redis == NULL)
        sink->redis = dmarc_redis_open(sink->options.place, problem);
    if (sink->redis == NULL)
        return false;
    name_rows(sink, rows, count);
    if (dmarc_redis_add(sink->redis, rows, count,
                        sink->options.rows_max < ROWS_MAX ? sink->options.rows_max : ROWS_MAX,
                        written, problem))
        return true;
    dmarc_redis_close(sink->redis);
    sink->redis = NULL;
    return false;
}

static void free_sink(struct dmarc_sink *self)
{
    struct redis_sink *sink = (struct redis_sink *)self;

    dmarc_redis_close(sink->redis);
    free(sink);
}

struct dmarc_sink *dmarc_store_redis_new(const struct dmarc_sink_options *options)
{
    struct redis_sink *sink = calloc(1, sizeof(*sink));

    if (sink == NULL)
        return NULL;
    if (getrandom(&sink->instance, sizeof(sink->instance), 0) != sizeof(sink->instance)) {
        free(sink);
        return NULL;
    }
    sink->base = (struct dmarc_sink){write_rows, free_sink};
    sink->options = *options;
    return &sink->base;
}
