#include "common/map/rows_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#define LOCK_WAIT_MS 3000
#define VALUE_MAX (256 * 1024)

struct am_rows_sqlite {
    sqlite3 *db;
    sqlite3_stmt *rows;
    const struct am_rows_kind *kind;
    size_t count;
    char path[PATH_MAX];
};

static bool fail(const struct am_rows_sqlite *sqlite, struct am_problem *problem)
{
    const char *path = sqlite->path;
    switch (sqlite3_errcode(sqlite->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return am_problem_set(problem,
                              "%s is locked: another program has been writing to it for more than "
                              "%d seconds; it is read again when it is written next",
                              path, LOCK_WAIT_MS / 1000);
    case SQLITE_NOTADB:
        return am_problem_set(problem, "%s is not an SQLite 3 database", path);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return am_problem_set(problem,
                              "%s cannot be read (%s): a program that wrote to it may have been "
                              "broken off, or the files beside it (-wal, -shm, -journal) cannot be "
                              "read and written by the user who signs; mend it with: sqlite3 %s "
                              "'PRAGMA journal_mode=DELETE'",
                              path, sqlite3_errmsg(sqlite->db), path);
    case SQLITE_NOMEM:
        return am_problem_set(problem, "out of memory");
    default:
        return am_problem_set(problem, "%s cannot be read: %s", path, sqlite3_errmsg(sqlite->db));
    }
}

/* Tells whether the database is in WAL mode and its log holds nothing: then all there is is in the
 * file itself. False when in doubt. */
static bool is_settled_wal(const char *path, int fd)
{
    unsigned char header[20];
    char wal[PATH_MAX];
    struct stat info;
    if (pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return false;
    if (header[18] != 2 || snprintf(wal, sizeof(wal), "%s-wal", path) >= (int)sizeof(wal))
        return false;
    return stat(wal, &info) == 0 ? info.st_size == 0 : errno == ENOENT;
}

/* The path as SQLite wants it in a file: name. */
static bool make_uri(char *uri, size_t size, const char *path, bool immutable)
{
    size_t len = (size_t)snprintf(uri, size, "file:");
    for (; *path != '\0' && len + 32 < size; path++) {
        if (strchr("%?#", *path) != NULL)
            len += (size_t)snprintf(uri + len, size - len, "%%%02x", (unsigned char)*path);
        else
            uri[len++] = *path;
    }
    snprintf(uri + len, size - len, "?mode=ro%s", immutable ? "&immutable=1" : "");
    return *path == '\0';
}

static bool connect_to(struct am_rows_sqlite *sqlite, struct am_problem *problem)
{
    char uri[PATH_MAX + 64];
    int fd = open(sqlite->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return am_problem_set(problem, "%s cannot be opened: %s", sqlite->path, strerror(errno));
    bool immutable = is_settled_wal(sqlite->path, fd);
    close(fd);
    if (!make_uri(uri, sizeof(uri), sqlite->path, immutable))
        return am_problem_set(problem, "%s is too long a path", sqlite->path);
    if (sqlite3_open_v2(uri, &sqlite->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK)
        return sqlite->db == NULL ? am_problem_set(problem, "out of memory")
                                  : fail(sqlite, problem);
    /* The schema is another program's text: it must not reach further than its own tables. */
    (void)sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_limit(sqlite->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    (void)sqlite3_busy_timeout(sqlite->db, LOCK_WAIT_MS);
    return sqlite3_exec(sqlite->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ||
           fail(sqlite, problem);
}

/* Runs a query that gives one number. */
static bool ask_number(struct am_rows_sqlite *sqlite, const char *query, int64_t *number,
                       struct am_problem *problem)
{
    sqlite3_stmt *statement;
    bool good = sqlite3_prepare_v2(sqlite->db, query, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *number = sqlite3_column_int64(statement, 0);
    else
        fail(sqlite, problem);
    sqlite3_finalize(statement);
    return good;
}

static bool wrong_schema(const struct am_rows_sqlite *sqlite, const char *column,
                         struct am_problem *problem)
{
    char columns[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < AM_ROWS_COLUMNS_MAX && sqlite->kind->columns[i].name != NULL; i++)
        len += (size_t)snprintf(columns + len, sizeof(columns) - len, "%s%s", i == 0 ? "" : ", ",
                                sqlite->kind->columns[i].name);
    if (column == NULL)
        return am_problem_set(problem, "%s has no table %s; make it with: CREATE TABLE %s (%s)",
                              sqlite->path, sqlite->kind->table, sqlite->kind->table, columns);
    return am_problem_set(problem, "%s: table %s has no column %s; it needs these: %s",
                          sqlite->path, sqlite->kind->table, column, columns);
}

/* Writes the query for the columns that are there. */
static bool make_query(struct am_rows_sqlite *sqlite, char query[512], struct am_problem *problem)
{
    const char *table = sqlite->kind->table;
    char ask[128];
    int64_t there = 0;
    size_t len = (size_t)snprintf(query, 512, "SELECT");
    snprintf(ask, sizeof(ask), "SELECT count(*) FROM pragma_table_info('%s')", table);
    if (!ask_number(sqlite, ask, &there, problem))
        return false;
    if (there == 0)
        return wrong_schema(sqlite, NULL, problem);
    for (size_t i = 0; i < AM_ROWS_COLUMNS_MAX && sqlite->kind->columns[i].name != NULL; i++) {
        const char *column = sqlite->kind->columns[i].name;
        snprintf(ask, sizeof(ask),
                 "SELECT count(*) FROM pragma_table_info('%s') WHERE lower(name)='%s'", table,
                 column);
        if (!ask_number(sqlite, ask, &there, problem))
            return false;
        if (there == 0 && !sqlite->kind->columns[i].optional)
            return wrong_schema(sqlite, column, problem);
        len += (size_t)snprintf(query + len, 512 - len, "%s %s", i == 0 ? "" : ",",
                                there == 0 ? "NULL" : column);
    }
    snprintf(query + len, 512 - len, " FROM %s", table);
    return true;
}

static bool begin(struct am_rows_sqlite *sqlite, size_t *rows, struct am_problem *problem)
{
    char query[512], ask[64];
    int64_t count = 0;
    if (!connect_to(sqlite, problem) || !make_query(sqlite, query, problem))
        return false;
    snprintf(ask, sizeof(ask), "SELECT count(*) FROM %s", sqlite->kind->table);
    if (!ask_number(sqlite, ask, &count, problem))
        return false;
    if (count > AM_ROWS_COUNT_MAX)
        return am_problem_set(problem, "%s: %s has %lld rows, more than the %d of a table",
                              sqlite->path, sqlite->kind->table, (long long)count,
                              AM_ROWS_COUNT_MAX);
    *rows = (size_t)count;
    return sqlite3_prepare_v2(sqlite->db, query, -1, &sqlite->rows, NULL) == SQLITE_OK ||
           fail(sqlite, problem);
}

struct am_rows_sqlite *am_rows_sqlite_open(const char *path, const struct am_rows_kind *kind,
                                           size_t *rows, struct am_problem *problem)
{
    struct am_rows_sqlite *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    sqlite->kind = kind;
    if (snprintf(sqlite->path, sizeof(sqlite->path), "%s", path) >= (int)sizeof(sqlite->path))
        am_problem_set(problem, "%s is too long a path", path);
    else if (begin(sqlite, rows, problem))
        return sqlite;
    am_rows_sqlite_close(sqlite);
    return NULL;
}

enum am_rows_step am_rows_sqlite_next(struct am_rows_sqlite *sqlite, struct am_span *columns,
                                      struct am_problem *problem)
{
    int status = sqlite3_step(sqlite->rows);
    if (status == SQLITE_DONE)
        return AM_ROWS_END;
    if (status != SQLITE_ROW) {
        fail(sqlite, problem);
        return AM_ROWS_FAILED;
    }
    int count = sqlite3_column_count(sqlite->rows);
    for (int i = 0; i < count; i++) {
        const char *text = (const char *)sqlite3_column_text(sqlite->rows, i);
        size_t len = (size_t)sqlite3_column_bytes(sqlite->rows, i);
        if (text == NULL && sqlite3_errcode(sqlite->db) == SQLITE_NOMEM) {
            am_problem_set(problem, "out of memory");
            return AM_ROWS_FAILED;
        }
        columns[i] = am_span_trim(am_span_of(text, text == NULL ? 0 : len));
        if (!sqlite->kind->columns[i].is_key && columns[i].len > AM_ROWS_LINE_MAX) {
            am_problem_set(problem, "column %s has %zu octets, more than the %d of a row",
                           sqlite->kind->columns[i].name, columns[i].len, AM_ROWS_LINE_MAX);
            return AM_ROWS_BROKEN;
        }
    }
    return AM_ROWS_ROW;
}

void am_rows_sqlite_close(struct am_rows_sqlite *sqlite)
{
    if (sqlite == NULL)
        return;
    sqlite3_finalize(sqlite->rows);
    sqlite3_close(sqlite->db);
    free(sqlite);
}
