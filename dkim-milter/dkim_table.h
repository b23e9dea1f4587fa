#ifndef DKIM_DKIM_TABLE_H
#define DKIM_DKIM_TABLE_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The rows of a key table or a signing table, from a text file or a database, one after the other.
 *
 * A text file has one row a line; blanks or tabs between words; `#` at the start of a word begins a
 * comment:
 *
 *     NAME DOMAIN SELECTOR KEYFILE [options]     also, as OpenDKIM has it: NAME
 * DOMAIN:SELECTOR:FILE PATTERN KEYNAME[,KEYNAME...]
 *
 * dkim_keys_sqlite.h says what a database holds.
 */
enum dkim_table_what { DKIM_TABLE_KEYS, DKIM_TABLE_SIGNING };

/* Columns of a row; one that a row does not have is empty. */
enum {
    DKIM_KEY_NAME,
    DKIM_KEY_DOMAIN,
    DKIM_KEY_SELECTOR,
    DKIM_KEY_FILE,
    DKIM_KEY_OPTIONS,
    DKIM_KEY_PEM, /* the key itself, of a database */
    DKIM_TABLE_COLUMNS,
    DKIM_SIGNING_PATTERN = 0,
    DKIM_SIGNING_KEYS = 1, /* names with commas or blanks between them */
};

/* Bounds; what is beyond them is refused, never cut. */
#define DKIM_TABLE_BYTES_MAX ((size_t)64 << 20)
#define DKIM_TABLE_ROWS_MAX 1000000
#define DKIM_TABLE_LINE_MAX 8192

struct dkim_sqlite;

struct dkim_table {
    enum dkim_table_what what;
    const char *path;
    bool is_sqlite;
    struct am_buf text;         /* the file's content */
    struct am_span rest;        /* of it, not read yet */
    size_t line;                /* number of the line, or of the row of a database */
    size_t rows;                /* no more rows than this will come */
    struct dkim_sqlite *sqlite; /* of a database; NULL for a text file */
};

enum dkim_table_step {
    DKIM_TABLE_ROW,
    DKIM_TABLE_BROKEN, /* this row cannot be read; the sentence says why; go on */
    DKIM_TABLE_END,
    DKIM_TABLE_FAILED, /* the table cannot be read any further; the sentence says why */
};

/* Says what kind of table a configuration names, and where: the path is absolute. */
struct dkim_table_name {
    const char *path;
    bool is_sqlite;
};

/* Splits "PATH", "file:PATH", "refile:PATH" (the same), "sqlite:PATH". Returns false with a
 * sentence. */
bool dkim_table_name_split(struct dkim_table_name *out, const char *text,
                           struct am_problem *problem);

/*
 * Opens a table.
 *
 * path: must outlive the table. Returns: false with a sentence that names the path.
 * Ownership: closed with dkim_table_close(), after false too. Blocking: reads the file; waits
 *   up to seconds for a locked database.
 */
bool dkim_table_open(struct dkim_table *table, const struct dkim_table_name *name,
                     enum dkim_table_what what, struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory, which must outlive the table; `path` stands for the file. */
void dkim_table_open_text(struct dkim_table *table, const char *path, struct am_span text,
                          enum dkim_table_what what);

/* Takes the next row. The columns live until the next call. */
enum dkim_table_step dkim_table_next(struct dkim_table *table,
                                     struct am_span columns[DKIM_TABLE_COLUMNS],
                                     struct am_problem *problem);

/* Closes it. Zeroed memory is allowed. */
void dkim_table_close(struct dkim_table *table);

/*
 * Writes where row number `line` of a table stands: "/etc/dkim/keys.table:12",
 * "/etc/dkim/keys.db: dkim_keys, row 12".
 */
void dkim_table_place(const struct dkim_table *table, size_t line, struct am_problem *place);

/* Takes the next word off a text: what stands before a blank, tab or one of `also`. */
struct am_span dkim_table_word(struct am_span *text, const char *also);

#endif
