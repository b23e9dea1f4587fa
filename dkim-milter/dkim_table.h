#ifndef DKIM_DKIM_TABLE_H
#define DKIM_DKIM_TABLE_H

#include "common/map/rows.h"

/*
 * The tables of keys and of who signs, as text or in an SQLite database:
 *
 *     NAME DOMAIN SELECTOR KEYFILE [options]     also, as OpenDKIM has it:
 *     NAME DOMAIN:SELECTOR:FILE
 *     PATTERN KEYNAME[,KEYNAME...]
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
 */
extern const struct am_rows_kind dkim_key_rows, dkim_signing_rows;

/* Columns of a row. */
enum {
    DKIM_KEY_NAME,
    DKIM_KEY_DOMAIN,
    DKIM_KEY_SELECTOR,
    DKIM_KEY_FILE,
    DKIM_KEY_OPTIONS,
    DKIM_KEY_PEM, /* the key itself, of a database */
    DKIM_SIGNING_PATTERN = 0,
    DKIM_SIGNING_KEYS = 1, /* names with commas or blanks between them */
};

#endif
