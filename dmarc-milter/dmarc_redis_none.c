#include "dmarc-milter/dmarc_redis.h"

/* In place of dmarc_redis.c where there is no hiredis. */

struct dmarc_redis *dmarc_redis_open(const struct dmarc_place *place, struct am_problem *problem)
{
    (void)place;
    am_problem_set(problem, "this build has no Redis: hiredis was missing when it was made; name a "
                            "file");
    return NULL;
}

void dmarc_redis_close(struct dmarc_redis *redis)
{
    (void)redis;
}

bool dmarc_redis_add(struct dmarc_redis *redis, struct dmarc_flat *const *rows, size_t count,
                     int64_t rows_max, size_t *written, struct am_problem *problem)
{
    (void)redis, (void)rows, (void)count, (void)rows_max;
    *written = 0;
    return am_problem_set(problem, "there is no connection");
}

bool dmarc_redis_read(struct dmarc_redis *redis, struct dmarc_redis_rows *out,
                      struct am_problem *problem)
{
    (void)redis;
    out->count = 0;
    return am_problem_set(problem, "there is no connection");
}

bool dmarc_redis_remove(struct dmarc_redis *redis, const struct dmarc_redis_rows *rows,
                        struct am_problem *problem)
{
    (void)redis, (void)rows;
    return am_problem_set(problem, "there is no connection");
}
