#include "dmarc-milter/dmarc_drain.h"

#include <stdlib.h>

#include "dmarc-milter/dmarc_redis.h"
#include "dmarc-milter/dmarc_sink.h"

/* Milters may add while we take: there is an end all the same. */
#define ROUNDS_MAX 50000

static void count_rows(const struct dmarc_redis_rows *rows, struct dmarc_drained *drained)
{
    for (size_t i = 0; i < rows->count; i++) {
        drained->rows += rows->rows[i].row != NULL;
        drained->strange += rows->rows[i].row == NULL;
    }
}

static void free_rows(struct dmarc_redis_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->rows[i].row);
        rows->rows[i].row = NULL;
    }
}

static bool insert(struct dmarc_db *db, const struct dmarc_redis_rows *rows,
                   struct am_problem *problem)
{
    struct dmarc_flat *good_rows[DMARC_REDIS_READ_MAX];
    size_t count = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].row != NULL)
            good_rows[count++] = rows->rows[i].row;
    return dmarc_store_sqlite_insert(db, good_rows, count, problem);
}

/*
 * Copies the oldest rows. They are read after the database is ours to write: another process may
 * have taken the same ones, and made reports of them, while we waited for it.
 */
static bool copy(struct dmarc_redis *redis, struct dmarc_db *db, struct dmarc_redis_rows *rows,
                 struct am_problem *problem)
{
    if (!dmarc_db_begin(db, problem))
        return false;
    if (dmarc_redis_read(redis, rows, problem)) {
        if (insert(db, rows, problem) && dmarc_db_commit(db, problem))
            return true;
        free_rows(rows);
    }
    dmarc_db_rollback(db);
    return false;
}

static bool take(struct dmarc_redis *redis, struct dmarc_db *db, struct dmarc_redis_rows *rows,
                 struct dmarc_drained *drained, struct am_problem *problem)
{
    if (!copy(redis, db, rows, problem))
        return false;
    bool good = rows->count == 0 || dmarc_redis_remove(redis, rows, problem);
    if (good)
        count_rows(rows, drained);
    free_rows(rows);
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
        good = take(redis, db, rows, drained, problem);
        more = good && rows->count > 0;
    }
    if (good && more)
        good = am_problem_set(problem, "rows come faster than they can be taken");
    dmarc_redis_close(redis);
    free(rows);
    return good;
}
