#ifndef DMARC_SINK_H
#define DMARC_SINK_H

#include "dmarc-milter/dmarc_flat.h"
#include "dmarc-milter/dmarc_place.h"

struct dmarc_db;

/* Where the writer of a store puts rows. Threads: that of the writer only. */
struct dmarc_sink {
    /*
     * Writes rows; connects first when there is no connection. `written`: how many of them,
     * from the first on, are safe. Returns false with a sentence: the others are to come again.
     * Blocking: for a few seconds at most.
     */
    bool (*write)(struct dmarc_sink *self, struct dmarc_flat *const *rows, size_t count,
                  size_t *written, struct am_problem *problem);
    void (*free)(struct dmarc_sink *self);
};

/* What a sink is made from; it lives longer. */
struct dmarc_sink_options {
    const struct dmarc_place *place;
    const char *group;
    int64_t keep_s;   /* rows that are older go */
    int64_t rows_max; /* most rows kept */
};

/* Makes a sink of an SQLite file, which is opened at the first row. NULL: memory is short. */
struct dmarc_sink *dmarc_store_sqlite_new(const struct dmarc_sink_options *options) AM_MUST_USE;

/* The same of a stream of a Redis server. */
struct dmarc_sink *dmarc_store_redis_new(const struct dmarc_sink_options *options) AM_MUST_USE;

/*
 * Adds rows to a database, within a transaction that the caller began and ends; those with a uid
 * that is there already are passed over. Returns false with a sentence: the transaction has to be
 * rolled back.
 */
bool dmarc_store_sqlite_insert(struct dmarc_db *db, struct dmarc_flat *const *rows, size_t count,
                               struct am_problem *problem) AM_MUST_USE;

#endif
