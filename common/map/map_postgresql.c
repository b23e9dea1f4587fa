#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/* PostgreSQL, by libpq; no call of it waits longer than we say. */

struct am_map_connection {
    PGconn *pg;
    struct am_arena *arena; /* keeps the query */
    struct am_map_query query;
};

static bool check(const struct am_map_conf *conf, struct am_arena *arena,
                  struct am_problem *problem)
{
    struct am_map_query query;
    struct am_problem inner;

    if (conf->database[0] == '\0')
        return am_problem_set(problem, "database is empty");
    return am_map_query_read(&query, arena, conf->query, AM_MAP_MARKS_DOLLAR, &inner) ||
           am_problem_set(problem, "query: %s", inner.text);
}

/* The library's sentences end in line feeds. */
static bool fail(PGconn *pg, const char *what, struct am_problem *problem)
{
    const struct am_span text = am_span_trim(am_span_str(PQerrorMessage(pg)));
    char line[400];
    size_t len = text.len < sizeof(line) ? text.len : sizeof(line) - 1;

    for (size_t i = 0; i < len; i++)
        line[i] = text.ptr[i] == '\n' ? ' ' : text.ptr[i];
    line[len] = '\0';
    return am_problem_set(problem, "PostgreSQL: %s%s%s", what, len == 0 ? "" : ": ", line);
}

static bool wait_for(PGconn *pg, short events, int64_t until_us)
{
    int64_t left_ms = (until_us - am_clock_now_us(am_clock_system())) / 1000;
    struct pollfd fd = {.fd = PQsocket(pg), .events = events};

    if (left_ms <= 0 || fd.fd < 0)
        return false;
    int ready = poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
    return ready > 0 || (ready < 0 && errno == EINTR);
}

static bool finish_connecting(PGconn *pg, int64_t until_us, struct am_problem *problem)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (PQstatus(pg) != CONNECTION_BAD && status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            break;
        if (!wait_for(pg, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us))
            return am_problem_set(problem, "PostgreSQL: the server does not answer in time");
        status = PQconnectPoll(pg);
    }
    return status == PGRES_POLLING_OK || fail(pg, "cannot connect", problem);
}

static bool is_tcp(const struct am_map_conf *conf)
{
    return conf->host[0] != '\0' && conf->host[0] != '/';
}

static PGconn *start(const struct am_map_conf *conf, struct am_problem *problem)
{
    char port[8];
    struct am_buf password;
    const char *names[16], *values[16];
    size_t count = 0;
    PGconn *pg = NULL;

#define PUT(NAME, VALUE) (names[count] = (NAME), values[count++] = (VALUE))
    snprintf(port, sizeof(port), "%d", (int)conf->port);
    PUT("dbname", conf->database);
    PUT("application_name", "authmilter");
    PUT("client_encoding", "UTF8");
    if (conf->host[0] != '\0')
        PUT("host", conf->host);
    if (conf->port != 0)
        PUT("port", port);
    if (conf->user[0] != '\0')
        PUT("user", conf->user);
    if (is_tcp(conf))
        PUT("sslmode", conf->tls ? "verify-full" : "prefer");
    if (is_tcp(conf) && conf->tls)
        PUT("sslrootcert",
            conf->ca_file[0] != '\0' ? conf->ca_file : "/etc/ssl/certs/ca-certificates.crt");
    if (am_map_password_read(conf->password_file, &password, problem)) {
        if (password.len > 0)
            PUT("password", password.data);
        PUT(NULL, NULL);
        /* dbname is a name: 0 keeps a connection string in it from being read. */
        pg = PQconnectStartParams(names, values, 0);
        if (pg == NULL)
            am_problem_set(problem, "out of memory");
    }
#undef PUT
    am_map_password_wipe(&password);
    return pg;
}

static void disconnect(struct am_map_connection *connection)
{
    PQfinish(connection->pg);
    am_arena_free(connection->arena);
    free(connection);
}

static struct am_map_connection *connect_to(const struct am_map_conf *conf, struct am_arena *arena,
                                            int64_t timeout_ms, struct am_problem *problem)
{
    struct am_map_connection *connection = calloc(1, sizeof(*connection));
    int64_t until_us = am_deadline_in_ms(am_clock_system(), timeout_ms);

    (void)arena;
    if (connection != NULL)
        connection->arena = am_arena_new(1024, 0);
    if (connection == NULL || connection->arena == NULL) {
        free(connection);
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    if (am_map_query_read(&connection->query, connection->arena, conf->query, AM_MAP_MARKS_DOLLAR,
                          problem) &&
        (connection->pg = start(conf, problem)) != NULL &&
        finish_connecting(connection->pg, until_us, problem) &&
        (PQsetnonblocking(connection->pg, 1) == 0 ||
         fail(connection->pg, "cannot connect", problem)))
        return connection;
    disconnect(connection);
    return NULL;
}

/* --- asking --- */

static bool send_query(struct am_map_connection *connection, const struct am_map_question *question,
                       int64_t until_us, struct am_arena *arena, struct am_problem *problem)
{
    const struct am_map_query *query = &connection->query;
    const char *values[AM_MAP_PLACES_MAX];
    int unsent;

    for (size_t i = 0; i < query->count; i++)
        if ((values[i] = am_map_part_value(question, query->parts[i], arena)) == NULL)
            return am_problem_set(problem, "out of memory");
    if (PQsendQueryParams(connection->pg, query->text, (int)query->count, NULL, values, NULL, NULL,
                          0) != 1 ||
        PQsetSingleRowMode(connection->pg) != 1)
        return fail(connection->pg, "the query cannot be sent", problem);
    while ((unsent = PQflush(connection->pg)) == 1)
        if (!wait_for(connection->pg, POLLOUT, until_us))
            return am_problem_set(problem, "PostgreSQL: the server does not answer in time");
    return unsent == 0 || fail(connection->pg, "the query cannot be sent", problem);
}

/* Takes the next result; NULL with `*good` true at the end. */
static PGresult *next_result(PGconn *pg, int64_t until_us, bool *good, struct am_problem *problem)
{
    *good = true;
    while (PQisBusy(pg)) {
        if (!wait_for(pg, POLLIN, until_us))
            *good = am_problem_set(problem, "PostgreSQL: the server does not answer in time");
        else if (PQconsumeInput(pg) != 1)
            *good = fail(pg, "the connection is lost", problem);
        if (!*good)
            return NULL;
    }
    return PQgetResult(pg);
}

static bool take(PGconn *pg, const PGresult *result, struct am_arena *arena,
                 struct am_map_values *values, enum am_map_answer *answer,
                 struct am_problem *problem)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
        return fail(pg, "the query failed", problem);
    for (int row = 0; row < PQntuples(result); row++) {
        *answer = AM_MAP_FOUND;
        if (PQnfields(result) > 0 && !PQgetisnull(result, row, 0) &&
            !am_map_values_add(
                values, arena,
                am_span_of(PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0)),
                problem))
            return false;
    }
    return true;
}

static enum am_map_answer ask(struct am_map_connection *connection,
                              const struct am_map_question *question, int64_t timeout_ms,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    int64_t until_us = am_deadline_in_ms(am_clock_system(), timeout_ms);
    enum am_map_answer answer = AM_MAP_NONE;
    PGresult *result;
    size_t rows = 0;
    bool good;

    if (!send_query(connection, question, until_us, arena, problem))
        return AM_MAP_FAILED;
    while ((result = next_result(connection->pg, until_us, &good, problem)) != NULL) {
        good = take(connection->pg, result, arena, values, &answer, problem) &&
               (++rows <= 2 * AM_MAP_VALUES_MAX ||
                am_problem_set(problem, "the answer has more than %d rows", 2 * AM_MAP_VALUES_MAX));
        PQclear(result);
        if (!good)
            break;
    }
    return good ? answer : AM_MAP_FAILED;
}

const struct am_map_driver am_map_postgresql = {
    .check = check, .connect = connect_to, .ask = ask, .disconnect = disconnect};
