#include "dmarc-milter/dmarc_db_schema.h"

#include <stdio.h>

#include "common/base/buf.h"
#include "dmarc-milter/dmarc_flat.h"

/* "application_id" of our files: "amDR". */
#define APPLICATION 0x616d4452

static bool ask_number(struct dmarc_db *db, const char *statement, int64_t *number,
                       struct am_problem *problem)
{
    struct dmarc_query *query = dmarc_query_new(db, statement, problem);
    bool good = query != NULL && dmarc_query_step(query, problem) == DMARC_QUERY_ROW;

    if (good)
        *number = dmarc_query_int(query, 0);
    dmarc_query_free(query);
    return good;
}

/* `instance` tells this file from those of other machines, so that reports of both have other
 * names. */
static bool make_tables(struct dmarc_db *db, struct am_problem *problem)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    am_buf_add_str(&text, "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);"
                          "INSERT INTO meta VALUES('instance', lower(hex(randomblob(16))));"
                          "CREATE TABLE rows(id INTEGER PRIMARY KEY, uid TEXT UNIQUE,"
                          " time INTEGER NOT NULL, day INTEGER NOT NULL");
    for (int i = 0; i < DMARC_FLAT_COLUMNS; i++)
        am_buf_printf(&text, ", %s TEXT NOT NULL", dmarc_flat_name((enum dmarc_flat_column)i));
    am_buf_printf(&text,
                  "); CREATE INDEX rows_by_day ON rows(day, policy_domain);"
                  "CREATE TABLE reports(id INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
                  " policy_domain TEXT NOT NULL, sequence INTEGER NOT NULL,"
                  " report_id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, file TEXT NOT NULL,"
                  " records INTEGER NOT NULL, messages INTEGER NOT NULL, made INTEGER NOT NULL,"
                  " size INTEGER NOT NULL, content BLOB, UNIQUE(day, policy_domain, sequence));"
                  "CREATE TABLE deliveries(id INTEGER PRIMARY KEY,"
                  " report INTEGER NOT NULL REFERENCES reports(id) ON DELETE CASCADE,"
                  " uri TEXT NOT NULL, address TEXT NOT NULL, state TEXT NOT NULL,"
                  " reason TEXT NOT NULL, attempts INTEGER NOT NULL, next_try INTEGER NOT NULL,"
                  " ended INTEGER);"
                  "CREATE INDEX deliveries_by_report ON deliveries(report);"
                  "CREATE INDEX deliveries_open ON deliveries(next_try) WHERE ended IS NULL;"
                  "PRAGMA application_id=%d; PRAGMA user_version=%d",
                  APPLICATION, DMARC_DB_VERSION);
    bool good = text.failed ? am_problem_set(problem, "out of memory")
                            : dmarc_db_run(db, am_buf_str(&text), problem);
    am_buf_fini(&text);
    return good;
}

/* Returns false with a sentence unless the file is ours, or empty. */
static bool look(struct dmarc_db *db, bool *empty, struct am_problem *problem)
{
    int64_t application, version, tables;

    if (!ask_number(db, "PRAGMA application_id", &application, problem) ||
        !ask_number(db, "PRAGMA user_version", &version, problem) ||
        !ask_number(db, "SELECT count(*) FROM sqlite_master", &tables, problem))
        return false;
    *empty = application == 0 && version == 0 && tables == 0;
    if (*empty)
        return true;
    if (application != APPLICATION)
        return am_problem_set(problem, "the database was made by another program; name a file that "
                                       "is not there, and it is made");
    return version == DMARC_DB_VERSION ||
           am_problem_set(problem,
                          "the database has tables of version %lld, and this program knows version "
                          "%d: it was made by another version of authmilter",
                          (long long)version, DMARC_DB_VERSION);
}

bool dmarc_db_schema(struct dmarc_db *db, bool only_read, struct am_problem *problem)
{
    bool empty;

    if (!look(db, &empty, problem))
        return false;
    if (!empty)
        return true;
    if (only_read)
        return am_problem_set(problem, "the database is empty");
    if (!dmarc_db_begin(db, problem))
        return false;
    /* Another process may have been first. */
    if (look(db, &empty, problem) && (!empty || make_tables(db, problem)))
        return dmarc_db_commit(db, problem);
    dmarc_db_rollback(db);
    return false;
}
