#ifndef DMARC_STORE_H
#define DMARC_STORE_H

#include "dmarc-milter/dmarc_row.h"

#include "common/base/problem.h"

/*
 * Keeps rows for aggregate reports, in an SQLite file or a stream of a Redis server
 * (dmarc_place.h). Mail never waits for disk or server: rows are copied into a queue in memory,
 * and one thread writes them, many at a time. While they cannot be written they wait in the queue,
 * and the thread tries again, first after one second, then less and less often, up to 30 seconds.
 * Rows that find the queue full are lost, counted, and said in the log once a minute.
 *
 * The thread begins and the file is made with the first row: after the process became who it is to
 * be.
 *
 * A reload keeps the store while what it was made from is the same: references are counted.
 */
struct dmarc_store;

/* Most rows that wait in memory, unless said otherwise; about 1 KB each. */
#define DMARC_STORE_QUEUE_MAX 10000

/* Most rows that a database or a stream keeps, unless said otherwise. */
#define DMARC_STORE_ROWS_MAX 5000000

/* Texts are copied. */
struct dmarc_store_options {
    const char *where; /* see dmarc_place.h */
    const char *group; /* who may read and write the file beside its owner; "" or NULL: nobody */
    int64_t keep_ms;   /* older rows are removed; 0 = 14 days */
    size_t queue_max;  /* 0 = DMARC_STORE_QUEUE_MAX */
    int64_t rows_max;  /* 0 = DMARC_STORE_ROWS_MAX */
    /* Counts what is counted: "report_rows" with label "written" or "lost". May be NULL. Must not
     * block. Threads: any. */
    void (*count)(void *user, const char *name, const char *label, uint64_t amount);
    void *user;
};

/*
 * Makes a store. Returns one reference, or NULL with a sentence: the text names no place, there is
 * no such folder, this build has no Redis, memory is short. Blocking: looks at the folder.
 */
struct dmarc_store *dmarc_store_open(const struct dmarc_store_options *options,
                                     struct am_problem *problem) AM_MUST_USE;

/* Tells whether a store was made from the same. */
bool dmarc_store_is_from(const struct dmarc_store *store,
                         const struct dmarc_store_options *options);

/* Takes one more reference. Threads: any. */
struct dmarc_store *dmarc_store_ref(struct dmarc_store *store);

/*
 * Gives a reference back; the last one writes what waits, in one try, and ends the thread. NULL is
 * allowed. Blocking: the last one for a few seconds, when disk or server do not answer.
 */
void dmarc_store_drop(struct dmarc_store *store);

/*
 * Adds a row, which is copied. Returns false when it is lost. Blocking: never. Threads: any.
 */
bool dmarc_store_add(struct dmarc_store *store, const struct dmarc_row *row);

/*
 * Waits until all rows added so far are written, for `ms` at most. Returns false when they are
 * not. For tests and tools.
 */
bool dmarc_store_wait(struct dmarc_store *store, int64_t ms);

#endif
