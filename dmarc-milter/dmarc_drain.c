#include "dmarc-milter/dmarc_drain.h"

#include <stdlib.h>

#include "dmarc-milter/dmarc_redis.h"
#include "dmarc-milter/dmarc_sink.h"

/* Milters may add while we take: there is an end all the same. */
#define ROUNDS_MAX 50000

static bool take(struct dmarc_redis *redis, struct dmarc_db *db, struct dmarc_redis_rows *rows,
                 struct dmarc_drained *drained, struct am_problem *problem)
{
    struct dmarc_flat *good_rows[DMARC_REDIS_READ_MAX];
    size_t count = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].row != NULL)
            good_rows[count++] = rows->rows[i].row;
    bool good = (count == 0 || dmarc_store_sqlite_put(db, good_rows, count, problem)) &&
                dmarc_redis_remove(redis, rows, problem);
    for (size_t i = 0; i < count; i++)
        free(good_rows[i]);
    if (good) {
        drained->rows += (int64_t)count;
        drained->strange += (int64_t)(rows->count - count);
    }
    return good;
}

bool dmarc_drain(const struct dmarc_place *place, struct dmarc_db *db,
                 struct dmarc_drained *drained, struct am_problem *problem)
{
    struct dmarc_redis_rows *rows = calloc(1, sizeof(*rows));
    struct dmarc_redis *redis = rows == NULL ? NULL : dmarc_redis_open(place, problem);
    bool good = redis != NULL, more = true;

    *drained = (struct dmarc_drained){0};
    if (rows == NULL)
        am_problem_set(problem, "out of memory");
    for (int i = 0; good && more && i < ROUNDS_MAX; i++) {
        good = dmarc_redis_read(redis, rows, problem);
        more = good && rows->count > 0;
        if (more)
            good = take(redis, db, rows, drained, problem);
    }
    dmarc_redis_close(redis);
    free(rows);
    return good;
}
