#ifndef AM_MAP_ROWS_H
#define AM_MAP_ROWS_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The rows of a table, from a text file or a database, one after the other.
 *
 * A text file has one row a line; blanks or tabs between words; `#` at the start of a word begins a
 * comment. rows_sqlite.h says what a database holds. What a row means is its reader's to say.
 */

#define AM_ROWS_COLUMNS_MAX 6

/* A kind of table: its columns, as a database names them, and how a line of text is split. */
struct am_rows_kind {
    const char *table; /* in a database */
    struct {
        const char *name;
        bool optional;              /* a database may lack it */
        bool is_key;                /* may be long and have several lines; only databases hold it */
    } columns[AM_ROWS_COLUMNS_MAX]; /* ends with a null name, or when it is full */
    /*
     * Splits a line; NULL: the first word is the first column, the rest is the second one. A column
     * that a row does not have is left empty.
     */
    void (*split)(struct am_span line, struct am_span columns[AM_ROWS_COLUMNS_MAX]);
};

/* Bounds; what is beyond them is refused, never cut. */
#define AM_ROWS_BYTES_MAX ((size_t)64 << 20)
#define AM_ROWS_COUNT_MAX 1000000
#define AM_ROWS_LINE_MAX 8192

struct am_rows_sqlite;

struct am_rows {
    const struct am_rows_kind *kind;
    const char *path;
    bool is_sqlite;
    struct am_buf text;            /* the file's content */
    struct am_span rest;           /* of it, not read yet */
    size_t line;                   /* number of the line, or of the row of a database */
    size_t rows;                   /* no more rows than this will come */
    struct am_rows_sqlite *sqlite; /* of a database; NULL for a text file */
};

enum am_rows_step {
    AM_ROWS_ROW,
    AM_ROWS_BROKEN, /* this row cannot be read; the sentence says why; go on */
    AM_ROWS_END,
    AM_ROWS_FAILED, /* the table cannot be read any further; the sentence says why */
};

/* Says what kind of table a configuration names, and where: the path is absolute. */
struct am_rows_name {
    const char *path;
    bool is_sqlite;
};

/* Splits "PATH", "file:PATH", "refile:PATH" (the same), "sqlite:PATH". Returns false with a
 * sentence. */
bool am_rows_name_split(struct am_rows_name *out, const char *text, struct am_problem *problem);

/*
 * Opens a table.
 *
 * path: must outlive the table. Returns: false with a sentence that names the path.
 * Ownership: closed with am_rows_close(), after false too. Blocking: reads the file; waits
 *   up to seconds for a locked database.
 */
bool am_rows_open(struct am_rows *table, const struct am_rows_name *name,
                  const struct am_rows_kind *kind, struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory, which must outlive the table; `path` stands for the file. */
void am_rows_open_text(struct am_rows *table, const char *path, struct am_span text,
                       const struct am_rows_kind *kind);

/* Takes the next row. The columns live until the next call. */
enum am_rows_step am_rows_next(struct am_rows *table, struct am_span columns[AM_ROWS_COLUMNS_MAX],
                               struct am_problem *problem);

/* Closes it. Zeroed memory is allowed. */
void am_rows_close(struct am_rows *table);

/*
 * Writes where row number `line` of a table stands: "/etc/dkim/keys.table:12",
 * "/etc/dkim/keys.db: dkim_keys, row 12".
 */
void am_rows_place(const struct am_rows *table, size_t line, struct am_problem *place);

/* Takes the next word off a text: what stands before a blank, tab or one of `also`. */
struct am_span am_rows_word(struct am_span *text, const char *also);

#endif
