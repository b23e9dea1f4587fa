#ifndef DMARC_DB_H
#define DMARC_DB_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The database of aggregate reports: an SQLite file of our own making, with rows (dmarc_flat.h),
 * reports that were made of them, and their deliveries. Several processes may use one file.
 *
 * Threads: one at a time per handle. Blocking: disk, and locks of others for at most `wait_ms`.
 */
struct dmarc_db;

struct dmarc_db_options {
    const char *path;
    const char *group; /* may read and write it too; "" or NULL: only its owner may */
    bool create;       /* make it when it is not there */
    bool only_read;    /* change nothing */
    int wait_ms;
};

/*
 * Opens the file, makes it (mode 0600, or 0660 with a group) and its tables where they are not.
 * Returns NULL with a sentence: others may write to it, it is of a later version, no database, ...
 */
struct dmarc_db *dmarc_db_open(const struct dmarc_db_options *options,
                               struct am_problem *problem) AM_MUST_USE;

/* Closes it; what was not committed is undone. NULL is allowed. */
void dmarc_db_close(struct dmarc_db *db);

/* Runs statements that give nothing back. Returns false with a sentence. */
bool dmarc_db_run(struct dmarc_db *db, const char *statements, struct am_problem *problem);

/* Begins a transaction that writes, in which nobody else writes. Returns false with a sentence. */
bool dmarc_db_begin(struct dmarc_db *db, struct am_problem *problem) AM_MUST_USE;

/* Ends it. Returns false with a sentence, when all of it is undone. */
bool dmarc_db_commit(struct dmarc_db *db, struct am_problem *problem) AM_MUST_USE;

/* Undoes the transaction, when there is one. */
void dmarc_db_rollback(struct dmarc_db *db);

/* Returns how many rows the last statement changed. */
int64_t dmarc_db_changes(const struct dmarc_db *db);

/* Returns the number of the row that was added last. */
int64_t dmarc_db_last_id(const struct dmarc_db *db);

/* A statement with parameters ?1, ?2, ... */
struct dmarc_query;

/* Makes a statement. Returns NULL with a sentence. Ownership: dmarc_query_free(). */
struct dmarc_query *dmarc_query_new(struct dmarc_db *db, const char *statement,
                                    struct am_problem *problem) AM_MUST_USE;

/* Frees it. NULL is allowed. */
void dmarc_query_free(struct dmarc_query *query);

/* Sets parameter `index` (from 1); the text must live until the query is begun anew. NULL: null. */
void dmarc_query_set_text(struct dmarc_query *query, int index, const char *text);

/* Sets a number. */
void dmarc_query_set_int(struct dmarc_query *query, int index, int64_t number);

/* Sets octets, which must live as long as a text. */
void dmarc_query_set_octets(struct dmarc_query *query, int index, struct am_span octets);

enum dmarc_query_step { DMARC_QUERY_ROW, DMARC_QUERY_END, DMARC_QUERY_FAILED };

/* Runs on to the next row. A sentence comes with DMARC_QUERY_FAILED. */
enum dmarc_query_step dmarc_query_step(struct dmarc_query *query, struct am_problem *problem);

/* Runs a statement that gives no row, and makes it ready to be run again. */
bool dmarc_query_run(struct dmarc_query *query, struct am_problem *problem);

/* Returns a column (from 0) of the row as text, never NULL; it lives until the next step. */
const char *dmarc_query_text(struct dmarc_query *query, int column);

/* Returns a column as a number. */
int64_t dmarc_query_int(struct dmarc_query *query, int column);

/* Returns a column as octets; they live until the next step. */
struct am_span dmarc_query_octets(struct dmarc_query *query, int column);

#endif
