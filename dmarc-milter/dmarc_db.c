#include "dmarc-milter/dmarc_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/privilege.h"
#include "dmarc-milter/dmarc_db_schema.h"

/* Largest value of a column: a report, compressed. */
#define VALUE_MAX (64 << 20)

struct dmarc_db {
    sqlite3 *handle;
    char path[PATH_MAX];
    int wait_ms;
};

/* One block with the statement of SQLite. */
struct dmarc_query {
    struct dmarc_db *db;
    sqlite3_stmt *statement;
};

static bool fail(const struct dmarc_db *db, struct am_problem *problem)
{
    switch (sqlite3_errcode(db->handle) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return am_problem_set(problem,
                              "%s is locked: another program has been writing to it for more than "
                              "%d seconds",
                              db->path, db->wait_ms / 1000);
    case SQLITE_NOTADB:
        return am_problem_set(problem, "%s is not an SQLite 3 database", db->path);
    case SQLITE_FULL:
        return am_problem_set(problem, "%s cannot be written: the disk is full", db->path);
    case SQLITE_NOMEM:
        return am_problem_set(problem, "out of memory");
    default:
        return am_problem_set(problem,
                              "%s: %s (it, the files beside it (-wal, -shm) and its "
                              "folder must be writable)",
                              db->path, sqlite3_errmsg(db->handle));
    }
}

/* --- the file --- */

static bool make_file(const struct dmarc_db_options *options, struct am_problem *problem)
{
    bool shared = options->group != NULL && *options->group != '\0';
    gid_t gid = (gid_t)-1;

    if (shared && !am_group_find(options->group, &gid, problem))
        return false;
    int fd = open(options->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return true;
    if (fd < 0)
        return am_problem_set(problem, "%s cannot be made: %s", options->path, strerror(errno));
    bool good = !shared || (fchown(fd, (uid_t)-1, gid) == 0 && fchmod(fd, 0660) == 0);
    if (!good) {
        am_problem_set(problem, "%s cannot be given to group %s: %s", options->path, options->group,
                       strerror(errno));
        (void)unlink(options->path);
    }
    close(fd);
    return good;
}

/* What strangers can write is not taken for what we kept. */
static bool check_file(const char *path, struct am_problem *problem)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return am_problem_set(problem, "%s cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return am_problem_set(problem, "%s is not a file", path);
    if ((info.st_mode & S_IWOTH) != 0)
        return am_problem_set(problem, "%s can be written by anybody; mend it with: chmod o= %s",
                              path, path);
    return true;
}

static bool open_file(struct dmarc_db *db, const struct dmarc_db_options *options,
                      struct am_problem *problem)
{
    const char *modes = options->only_read ? "PRAGMA query_only=ON"
                                           : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                                             "PRAGMA foreign_keys=ON";

    if (options->create && !make_file(options, problem))
        return false;
    if (!check_file(options->path, problem))
        return false;
    if (sqlite3_open_v2(db->path, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK)
        return db->handle == NULL ? am_problem_set(problem, "out of memory") : fail(db, problem);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    (void)sqlite3_busy_timeout(db->handle, options->wait_ms);
    return dmarc_db_run(db, modes, problem) && dmarc_db_schema(db, options->only_read, problem);
}

struct dmarc_db *dmarc_db_open(const struct dmarc_db_options *options, struct am_problem *problem)
{
    struct dmarc_db *db = calloc(1, sizeof(*db));

    if (db == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    db->wait_ms = options->wait_ms;
    if (snprintf(db->path, sizeof(db->path), "%s", options->path) >= (int)sizeof(db->path))
        am_problem_set(problem, "%s is too long a path", options->path);
    else if (open_file(db, options, problem))
        return db;
    dmarc_db_close(db);
    return NULL;
}

void dmarc_db_close(struct dmarc_db *db)
{
    if (db == NULL)
        return;
    sqlite3_close(db->handle);
    free(db);
}

bool dmarc_db_run(struct dmarc_db *db, const char *statements, struct am_problem *problem)
{
    return sqlite3_exec(db->handle, statements, NULL, NULL, NULL) == SQLITE_OK || fail(db, problem);
}

bool dmarc_db_begin(struct dmarc_db *db, struct am_problem *problem)
{
    return dmarc_db_run(db, "BEGIN IMMEDIATE", problem);
}

bool dmarc_db_commit(struct dmarc_db *db, struct am_problem *problem)
{
    if (dmarc_db_run(db, "COMMIT", problem))
        return true;
    dmarc_db_rollback(db);
    return false;
}

void dmarc_db_rollback(struct dmarc_db *db)
{
    if (sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int64_t dmarc_db_changes(const struct dmarc_db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t dmarc_db_last_id(const struct dmarc_db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

/* --- statements --- */

struct dmarc_query *dmarc_query_new(struct dmarc_db *db, const char *statement,
                                    struct am_problem *problem)
{
    struct dmarc_query *query = calloc(1, sizeof(*query));

    if (query == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    query->db = db;
    if (sqlite3_prepare_v2(db->handle, statement, -1, &query->statement, NULL) == SQLITE_OK)
        return query;
    fail(db, problem);
    free(query);
    return NULL;
}

void dmarc_query_free(struct dmarc_query *query)
{
    if (query == NULL)
        return;
    sqlite3_finalize(query->statement);
    free(query);
}

/* A parameter that cannot be set stays null, which our tables refuse. */
void dmarc_query_set_text(struct dmarc_query *query, int index, const char *text)
{
    (void)sqlite3_bind_text(query->statement, index, text, -1, SQLITE_STATIC);
}

void dmarc_query_set_int(struct dmarc_query *query, int index, int64_t number)
{
    (void)sqlite3_bind_int64(query->statement, index, number);
}

void dmarc_query_set_octets(struct dmarc_query *query, int index, struct am_span octets)
{
    (void)sqlite3_bind_blob64(query->statement, index, octets.ptr, octets.len, SQLITE_STATIC);
}

enum dmarc_query_step dmarc_query_step(struct dmarc_query *query, struct am_problem *problem)
{
    int status = sqlite3_step(query->statement);

    if (status == SQLITE_ROW)
        return DMARC_QUERY_ROW;
    if (status == SQLITE_DONE)
        return DMARC_QUERY_END;
    fail(query->db, problem);
    return DMARC_QUERY_FAILED;
}

bool dmarc_query_run(struct dmarc_query *query, struct am_problem *problem)
{
    enum dmarc_query_step step;

    do
        step = dmarc_query_step(query, problem);
    while (step == DMARC_QUERY_ROW);
    (void)sqlite3_reset(query->statement);
    return step == DMARC_QUERY_END;
}

const char *dmarc_query_text(struct dmarc_query *query, int column)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, column);

    return text == NULL ? "" : text;
}

int64_t dmarc_query_int(struct dmarc_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

struct am_span dmarc_query_octets(struct dmarc_query *query, int column)
{
    const char *octets = sqlite3_column_blob(query->statement, column);

    return am_span_of(octets, (size_t)sqlite3_column_bytes(query->statement, column));
}
