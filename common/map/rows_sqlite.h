#ifndef AM_MAP_ROWS_SQLITE_H
#define AM_MAP_ROWS_SQLITE_H

#include "common/map/rows.h"

/*
 * Rows from an SQLite 3 database. What is read may be a table or a view, with more columns than we
 * ask for; rows are taken in the order the database gives them.
 *
 * The database is opened for reading only and read in one transaction. One in WAL mode that nobody
 * has open is read as immutable: reading must not make files beside it.
 */

/*
 * Opens a database and begins to read one of its tables.
 *
 * rows: no more rows than this will come, AM_ROWS_COUNT_MAX at most.
 * Returns: NULL with a sentence that begins with `path`: absent, locked, no database, other schema.
 * Ownership: closed with am_rows_sqlite_close(). Blocking: waits up to 3 seconds for a lock.
 * Threads: one at a time.
 */
struct am_rows_sqlite *am_rows_sqlite_open(const char *path, const struct am_rows_kind *kind,
                                           size_t *rows, struct am_problem *problem) AM_MUST_USE;

/* Takes the next row, as am_rows_next() has it. */
enum am_rows_step am_rows_sqlite_next(struct am_rows_sqlite *sqlite, struct am_span *columns,
                                      struct am_problem *problem);

/* Closes it. NULL is allowed. */
void am_rows_sqlite_close(struct am_rows_sqlite *sqlite);

#endif
