#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/* An SQLite database that is asked with a query of the administrator's. */

#define VALUE_MAX (256 * 1024)

struct am_map_connection {
    sqlite3 *db;
    sqlite3_stmt *statement;
    struct am_map_query query;
    int64_t until_us;
};

static bool check(const struct am_map_conf *conf, struct am_arena *arena,
                  struct am_problem *problem)
{
    struct am_map_query query;
    struct am_problem inner;

    if (conf->database[0] != '/')
        return am_problem_set(problem, "database: \"%s\" is no full path of a file",
                              conf->database);
    return am_map_query_read(&query, arena, conf->query, AM_MAP_MARKS_QUESTION, &inner) ||
           am_problem_set(problem, "query: %s", inner.text);
}

static bool fail(struct am_map_connection *connection, const char *what, struct am_problem *problem)
{
    return am_problem_set(problem, "SQLite: %s: %s", what,
                          connection->db == NULL ? "out of memory"
                                                 : sqlite3_errmsg(connection->db));
}

static void disconnect(struct am_map_connection *connection)
{
    sqlite3_finalize(connection->statement);
    sqlite3_close(connection->db);
    free(connection);
}

/* A query that takes too long is broken off. */
static int on_progress(void *user)
{
    const struct am_map_connection *connection = user;

    return am_clock_now_us(am_clock_system()) > connection->until_us;
}

static bool open_database(struct am_map_connection *connection, const struct am_map_conf *conf,
                          int64_t timeout_ms, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_query *query = &connection->query;
    bool good = false;

    if (arena == NULL)
        return am_problem_set(problem, "out of memory");
    if (sqlite3_open_v2(conf->database, &connection->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK) {
        fail(connection, conf->database, problem);
    } else if (am_map_query_read(query, arena, conf->query, AM_MAP_MARKS_QUESTION, problem)) {
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_limit(connection->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
        (void)sqlite3_busy_timeout(connection->db, (int)timeout_ms);
        sqlite3_progress_handler(connection->db, 1000, on_progress, connection);
        connection->until_us = am_deadline_in_ms(am_clock_system(), timeout_ms);
        good = sqlite3_prepare_v2(connection->db, query->text, -1, &connection->statement, NULL) ==
                   SQLITE_OK ||
               fail(connection, "map.query", problem);
        good =
            good && (connection->statement != NULL && sqlite3_stmt_readonly(connection->statement)
                         ? true
                         : am_problem_set(problem, "SQLite: map.query is no query"));
    }
    am_arena_free(arena);
    query->text = NULL;
    return good;
}

static struct am_map_connection *connect_to(const struct am_map_conf *conf, struct am_arena *arena,
                                            int64_t timeout_ms, struct am_problem *problem)
{
    struct am_map_connection *connection = calloc(1, sizeof(*connection));

    (void)arena;
    if (connection == NULL)
        am_problem_set(problem, "out of memory");
    else if (open_database(connection, conf, timeout_ms, problem))
        return connection;
    else
        disconnect(connection);
    return NULL;
}

static bool bind_all(struct am_map_connection *connection, const struct am_map_question *question,
                     struct am_arena *arena, struct am_problem *problem)
{
    for (size_t i = 0; i < connection->query.count; i++) {
        const char *value = am_map_part_value(question, connection->query.parts[i], arena);

        if (value == NULL)
            return am_problem_set(problem, "out of memory");
        if (sqlite3_bind_text(connection->statement, (int)i + 1, value, -1, SQLITE_STATIC) !=
            SQLITE_OK)
            return fail(connection, "a parameter is not taken", problem);
    }
    return true;
}

static bool take_row(struct am_map_connection *connection, struct am_arena *arena,
                     struct am_map_values *values, struct am_problem *problem)
{
    const char *text = (const char *)sqlite3_column_text(connection->statement, 0);
    size_t len = (size_t)sqlite3_column_bytes(connection->statement, 0);

    return text == NULL || am_map_values_add(values, arena, am_span_of(text, len), problem);
}

static enum am_map_answer ask(struct am_map_connection *connection,
                              const struct am_map_question *question, int64_t timeout_ms,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    enum am_map_answer answer = AM_MAP_NONE;
    int status = SQLITE_ROW;

    connection->until_us = am_deadline_in_ms(am_clock_system(), timeout_ms);
    if (!bind_all(connection, question, arena, problem))
        return AM_MAP_FAILED;
    for (size_t rows = 0; answer != AM_MAP_FAILED; rows++) {
        status = sqlite3_step(connection->statement);
        if (status != SQLITE_ROW)
            break;
        answer = AM_MAP_FOUND;
        if (rows == 2 * AM_MAP_VALUES_MAX) {
            am_problem_set(problem, "the answer has more than %d rows", 2 * AM_MAP_VALUES_MAX);
            answer = AM_MAP_FAILED;
        } else if (!take_row(connection, arena, values, problem)) {
            answer = AM_MAP_FAILED;
        }
    }
    if (status != SQLITE_ROW && status != SQLITE_DONE) {
        fail(connection, "the query failed", problem);
        answer = AM_MAP_FAILED;
    }
    sqlite3_reset(connection->statement);
    sqlite3_clear_bindings(connection->statement);
    return answer;
}

const struct am_map_driver am_map_sqlite = {
    .check = check, .connect = connect_to, .ask = ask, .disconnect = disconnect};
