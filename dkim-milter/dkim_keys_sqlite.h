#ifndef DKIM_DKIM_KEYS_SQLITE_H
#define DKIM_DKIM_KEYS_SQLITE_H

#include "dkim-milter/dkim_table.h"

/*
 * Keys and signing rows from an SQLite 3 database. These may be tables or views, with more columns
 * than we ask for; rows are taken in the order the database gives them:
 *
 *     CREATE TABLE dkim_keys (
 *         name     TEXT PRIMARY KEY,  -- what signing rows call the key
 *         domain   TEXT NOT NULL,     -- d=
 *         selector TEXT NOT NULL,     -- s=
 *         key_file TEXT,              -- one of these two: a path, taken from the database's
 *         key_pem  TEXT,              -- folder when relative, or the key itself
 *         options  TEXT               -- "headers=+X,-Y expire=30d", or NULL
 *     );
 *     CREATE TABLE dkim_signing (
 *         pattern  TEXT NOT NULL,
 *         keys     TEXT NOT NULL      -- names with commas between them
 *     );
 *
 * key_file, key_pem and options may be absent as columns. A database whose rows hold key_pem is
 * held to the rules of a key file.
 *
 * The database is opened for reading only and read in one transaction. One in WAL mode that nobody
 * has open is read as immutable: reading must not make files beside it.
 */

/*
 * Opens a database and begins to read one of its tables.
 *
 * rows: no more rows than this will come, DKIM_TABLE_ROWS_MAX at most.
 * Returns: NULL with a sentence that begins with `path`: absent, locked, no database, other schema.
 * Ownership: closed with dkim_sqlite_close(). Blocking: waits up to 3 seconds for a lock.
 * Threads: one at a time.
 */
struct dkim_sqlite *dkim_sqlite_open(const char *path, enum dkim_table_what what, size_t *rows,
                                     struct am_problem *problem) AM_MUST_USE;

/* Takes the next row, as dkim_table_next() has it. */
enum dkim_table_step dkim_sqlite_next(struct dkim_sqlite *sqlite, struct am_span *columns,
                                      struct am_problem *problem);

/* Closes it. NULL is allowed. */
void dkim_sqlite_close(struct dkim_sqlite *sqlite);

/* Returns the table's name: "dkim_keys", "dkim_signing". */
const char *dkim_sqlite_table_name(enum dkim_table_what what);

#endif
