#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/* MariaDB and MySQL, by MariaDB's library; what is asked goes as parameters of a prepared query. */

/* Longest value that is taken; a longer one is a failure. */
#define VALUE_MAX 4096

struct am_map_connection {
    MYSQL *db;
    MYSQL_STMT *statement;
    struct am_map_query query;
};

static bool check(const struct am_map_conf *conf, struct am_arena *arena,
                  struct am_problem *problem)
{
    struct am_map_query query;
    struct am_problem inner;

    if (conf->database[0] == '\0')
        return am_problem_set(problem, "database is empty");
    return am_map_query_read(&query, arena, conf->query, AM_MAP_MARKS_QUESTION, &inner) ||
           am_problem_set(problem, "query: %s", inner.text);
}

static bool fail(const char *what, const char *why, struct am_problem *problem)
{
    return am_problem_set(problem, "MariaDB: %s: %s", what, why);
}

static void disconnect(struct am_map_connection *connection)
{
    if (connection->statement != NULL)
        mysql_stmt_close(connection->statement);
    mysql_close(connection->db);
    free(connection);
}

static void set_options(MYSQL *db, const struct am_map_conf *conf, int64_t timeout_ms)
{
    const unsigned seconds = (unsigned)((timeout_ms + 999) / 1000);
    const my_bool yes = 1, no = 0;
    bool is_tcp = conf->host[0] != '\0' && conf->host[0] != '/';

    mysql_optionsv(db, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_optionsv(db, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_optionsv(db, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    /* A server must not ask for files of ours. */
    mysql_optionsv(db, MYSQL_OPT_LOCAL_INFILE, &(unsigned){0});
    mysql_optionsv(db, MYSQL_OPT_RECONNECT, &no);
    mysql_optionsv(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (is_tcp && conf->tls) {
        mysql_optionsv(db, MYSQL_OPT_SSL_ENFORCE, &yes);
        mysql_optionsv(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        mysql_optionsv(db, MYSQL_OPT_SSL_CA,
                       conf->ca_file[0] != '\0' ? conf->ca_file
                                                : "/etc/ssl/certs/ca-certificates.crt");
    }
}

static bool open_database(struct am_map_connection *connection, const struct am_map_conf *conf,
                          struct am_problem *problem)
{
    bool is_path = conf->host[0] == '/';
    struct am_buf password;
    bool good = am_map_password_read(conf->password_file, &password, problem);

    if (good)
        good =
            mysql_real_connect(connection->db, is_path || conf->host[0] == '\0' ? NULL : conf->host,
                               conf->user[0] == '\0' ? NULL : conf->user,
                               password.len == 0 ? NULL : password.data, conf->database,
                               (unsigned)conf->port, is_path ? conf->host : NULL, 0) != NULL ||
            fail("cannot connect", mysql_error(connection->db), problem);
    am_map_password_wipe(&password);
    return good;
}

static bool prepare(struct am_map_connection *connection, const struct am_map_conf *conf,
                    struct am_arena *arena, struct am_problem *problem)
{
    struct am_map_query *query = &connection->query;

    if (!am_map_query_read(query, arena, conf->query, AM_MAP_MARKS_QUESTION, problem))
        return false;
    connection->statement = mysql_stmt_init(connection->db);
    if (connection->statement == NULL)
        return am_problem_set(problem, "out of memory");
    if (mysql_stmt_prepare(connection->statement, query->text, strlen(query->text)) != 0)
        return fail("map.query", mysql_stmt_error(connection->statement), problem);
    query->text = NULL; /* `arena` is the message's */
    return (mysql_stmt_param_count(connection->statement) == query->count &&
            mysql_stmt_field_count(connection->statement) == 1) ||
           am_problem_set(problem, "MariaDB: map.query is no query with one column");
}

/* The library begins by itself, but not in two threads at once. */
static void begin(void)
{
    (void)mysql_library_init(0, NULL, NULL);
}

static struct am_map_connection *connect_to(const struct am_map_conf *conf, struct am_arena *arena,
                                            int64_t timeout_ms, struct am_problem *problem)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct am_map_connection *connection = calloc(1, sizeof(*connection));

    (void)pthread_once(&once, begin);
    if (connection != NULL)
        connection->db = mysql_init(NULL);
    if (connection == NULL || connection->db == NULL) {
        free(connection);
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    set_options(connection->db, conf, timeout_ms);
    if (open_database(connection, conf, problem) && prepare(connection, conf, arena, problem))
        return connection;
    disconnect(connection);
    return NULL;
}

/* --- asking --- */

static bool execute(struct am_map_connection *connection, const struct am_map_question *question,
                    struct am_arena *arena, struct am_problem *problem)
{
    MYSQL_BIND bind[AM_MAP_PLACES_MAX];
    unsigned long lengths[AM_MAP_PLACES_MAX];

    memset(bind, 0, sizeof(bind));
    for (size_t i = 0; i < connection->query.count; i++) {
        const char *value = am_map_part_value(question, connection->query.parts[i], arena);

        if (value == NULL)
            return am_problem_set(problem, "out of memory");
        lengths[i] = strlen(value);
        bind[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                               .buffer = (void *)(uintptr_t)value,
                               .buffer_length = lengths[i],
                               .length = &lengths[i]};
    }
    return (!mysql_stmt_bind_param(connection->statement, bind) &&
            mysql_stmt_execute(connection->statement) == 0) ||
           fail("the query failed", mysql_stmt_error(connection->statement), problem);
}

static bool take_rows(struct am_map_connection *connection, struct am_arena *arena,
                      struct am_map_values *values, enum am_map_answer *answer,
                      struct am_problem *problem)
{
    char text[VALUE_MAX];
    unsigned long len = 0;
    my_bool is_null = 0;
    MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
                       .buffer = text,
                       .buffer_length = sizeof(text),
                       .length = &len,
                       .is_null = &is_null};
    int status;

    if (mysql_stmt_bind_result(connection->statement, &bind))
        return fail("the query failed", mysql_stmt_error(connection->statement), problem);
    for (size_t rows = 0;
         (status = mysql_stmt_fetch(connection->statement)) == 0 || status == MYSQL_DATA_TRUNCATED;
         rows++) {
        *answer = AM_MAP_FOUND;
        if (rows == 2 * AM_MAP_VALUES_MAX || (!is_null && len > VALUE_MAX))
            return am_problem_set(problem,
                                  "the answer has more than %d rows, or a value of more "
                                  "than %d octets",
                                  2 * AM_MAP_VALUES_MAX, VALUE_MAX);
        if (!is_null && !am_map_values_add(values, arena, am_span_of(text, len), problem))
            return false;
    }
    return status == MYSQL_NO_DATA ||
           fail("the query failed", mysql_stmt_error(connection->statement), problem);
}

static enum am_map_answer ask(struct am_map_connection *connection,
                              const struct am_map_question *question, int64_t timeout_ms,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    enum am_map_answer answer = AM_MAP_NONE;

    (void)timeout_ms; /* that of the connection, map.timeout, holds */
    bool good = execute(connection, question, arena, problem) &&
                take_rows(connection, arena, values, &answer, problem);
    (void)mysql_stmt_free_result(connection->statement);
    return good ? answer : AM_MAP_FAILED;
}

const struct am_map_driver am_map_mariadb = {
    .check = check, .connect = connect_to, .ask = ask, .disconnect = disconnect};
