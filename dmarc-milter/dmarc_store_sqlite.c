#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_sink.h"

/* How long another process may hold the file: dmarc-report does while it makes a report. */
#define WAIT_MS 3000

/* Old rows are looked for this often. */
#define TIDY_EVERY_S 3600

#define DAY_S 86400

struct sqlite_sink {
    struct dmarc_sink base;
    struct dmarc_sink_options options;
    struct dmarc_db *db;
    int64_t rows; /* in the file, about: others take rows out */
    int64_t tidied_s;
};

/* --- adding rows --- */

static bool put_row(struct dmarc_query *query, const struct dmarc_flat *row,
                    struct am_problem *problem)
{
    dmarc_query_set_text(query, 1, row->uid[0] == '\0' ? NULL : row->uid);
    dmarc_query_set_int(query, 2, row->time_s);
    dmarc_query_set_int(query, 3, row->time_s / DAY_S);
    for (int i = 0; i < DMARC_FLAT_COLUMNS; i++)
        dmarc_query_set_text(query, 4 + i, row->text[i]);
    return dmarc_query_run(query, problem);
}

static struct dmarc_query *new_insert(struct dmarc_db *db, struct am_problem *problem)
{
    struct dmarc_query *query = NULL;
    struct am_buf text;

    am_buf_init(&text, 0);
    am_buf_add_str(&text, "INSERT INTO rows(uid, time, day");
    for (int i = 0; i < DMARC_FLAT_COLUMNS; i++)
        am_buf_printf(&text, ", %s", dmarc_flat_name((enum dmarc_flat_column)i));
    am_buf_add_str(&text, ") VALUES(?1");
    for (int i = 2; i <= 3 + DMARC_FLAT_COLUMNS; i++)
        am_buf_printf(&text, ", ?%d", i);
    am_buf_add_str(&text, ") ON CONFLICT(uid) DO NOTHING");
    if (text.failed)
        am_problem_set(problem, "out of memory");
    else
        query = dmarc_query_new(db, am_buf_str(&text), problem);
    am_buf_fini(&text);
    return query;
}

bool dmarc_store_sqlite_insert(struct dmarc_db *db, struct dmarc_flat *const *rows, size_t count,
                               struct am_problem *problem)
{
    struct dmarc_query *query = new_insert(db, problem);
    bool good = query != NULL;

    for (size_t i = 0; good && i < count; i++)
        good = put_row(query, rows[i], problem);
    dmarc_query_free(query);
    return good;
}

static bool put_rows(struct dmarc_db *db, struct dmarc_flat *const *rows, size_t count,
                     struct am_problem *problem)
{
    if (!dmarc_db_begin(db, problem))
        return false;
    if (dmarc_store_sqlite_insert(db, rows, count, problem))
        return dmarc_db_commit(db, problem);
    dmarc_db_rollback(db);
    return false;
}

/* --- bounds --- */

static int64_t count_rows(struct dmarc_db *db)
{
    struct am_problem problem;
    struct dmarc_query *query = dmarc_query_new(db, "SELECT count(*) FROM rows", &problem);
    int64_t count = 0;

    if (query != NULL && dmarc_query_step(query, &problem) == DMARC_QUERY_ROW)
        count = dmarc_query_int(query, 0);
    dmarc_query_free(query);
    return count;
}

/* Removes rows that nobody has made a report of in time: a piece at a time, so that no lock is
 * long. */
static void tidy(struct sqlite_sink *sink, int64_t now_s)
{
    struct am_problem problem;
    struct dmarc_query *query = dmarc_query_new(sink->db,
                                                "DELETE FROM rows WHERE id IN"
                                                " (SELECT id FROM rows WHERE day < ?1 LIMIT 5000)",
                                                &problem);
    int64_t gone = 0, piece = 1;

    for (int i = 0; query != NULL && piece > 0 && i < 200; i++) {
        dmarc_query_set_int(query, 1, (now_s - sink->options.keep_s) / DAY_S);
        piece = dmarc_query_run(query, &problem) ? dmarc_db_changes(sink->db) : 0;
        gone += piece;
    }
    dmarc_query_free(query);
    if (gone > 0)
        am_log(AM_LOG_WARNING,
               "dmarc: %lld rows of aggregate reports were older than is kept, and are removed: "
               "does 'authmilter dmarc-report' run every day?",
               (long long)gone);
    sink->tidied_s = now_s;
    sink->rows = count_rows(sink->db);
}

static bool ready(struct sqlite_sink *sink, int64_t now_s, struct am_problem *problem)
{
    if (sink->db == NULL) {
        const struct dmarc_db_options options = {
            .path = sink->options.place->path,
            .group = sink->options.group,
            .create = true,
            .wait_ms = WAIT_MS,
        };
        sink->db = dmarc_db_open(&options, problem);
        sink->tidied_s = 0;
    }
    if (sink->db != NULL && now_s - sink->tidied_s >= TIDY_EVERY_S)
        tidy(sink, now_s);
    return sink->db != NULL;
}

static bool write_rows(struct dmarc_sink *self, struct dmarc_flat *const *rows, size_t count,
                       size_t *written, struct am_problem *problem)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)self;
    const struct am_clock *clock = am_clock_system();
    int64_t now_s = clock->wall_s(clock);

    *written = 0;
    if (!ready(sink, now_s, problem))
        return false;
    if (sink->rows + (int64_t)count > sink->options.rows_max)
        sink->rows = count_rows(sink->db);
    if (sink->rows + (int64_t)count > sink->options.rows_max)
        return am_problem_set(problem,
                              "%s holds %lld rows, and %lld are allowed: does 'authmilter "
                              "dmarc-report' run every day?",
                              sink->options.place->path, (long long)sink->rows,
                              (long long)sink->options.rows_max);
    if (!put_rows(sink->db, rows, count, problem)) {
        /* Opened anew next time: the file may have been replaced. */
        dmarc_db_close(sink->db);
        sink->db = NULL;
        return false;
    }
    *written = count;
    sink->rows += (int64_t)count;
    return true;
}

static void free_sink(struct dmarc_sink *self)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)self;

    dmarc_db_close(sink->db);
    free(sink);
}

struct dmarc_sink *dmarc_store_sqlite_new(const struct dmarc_sink_options *options)
{
    struct sqlite_sink *sink = calloc(1, sizeof(*sink));

    if (sink == NULL)
        return NULL;
    sink->base = (struct dmarc_sink){write_rows, free_sink};
    sink->options = *options;
    return &sink->base;
}
