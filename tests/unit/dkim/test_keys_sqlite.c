#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/milter/watch.h"
#include "tests/unit/dkim/key_room.h"

#define SCHEMA                                                                                     \
    "CREATE TABLE dkim_keys (name TEXT PRIMARY KEY, domain TEXT NOT NULL, selector TEXT NOT "      \
    "NULL, key_file TEXT, key_pem TEXT, options TEXT);"                                            \
    "CREATE TABLE dkim_signing (pattern TEXT NOT NULL, keys TEXT NOT NULL);"

static char name[128];

static void run(sqlite3 *db, const char *statements)
{
    char *error = NULL;
    if (sqlite3_exec(db, statements, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
}

/* Makes the database "db" and leaves it open. */
static sqlite3 *make(const char *statements)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(key_room_path("db"), &db), SQLITE_OK);
    run(db, statements);
    assert_int_equal(chmod(key_room_path("db"), 0600), 0);
    snprintf(name, sizeof(name), "sqlite:%s", key_room_path("db"));
    return db;
}

static struct dkim_keys *open_keys(void)
{
    struct am_problem problem = {.text = ""};
    struct dkim_keys *keys = key_room_keys(NULL, name, name, &problem);
    if (keys == NULL)
        fail_msg("%s", problem.text);
    return keys;
}

static void cannot_open(const char *what)
{
    struct am_problem problem = {.text = ""};
    assert_null(key_room_keys(NULL, name, name, &problem));
    if (strstr(problem.text, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, problem.text);
}

static void finds_keys_in_a_database(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    sqlite3_close(make(SCHEMA "INSERT INTO dkim_keys VALUES"
                              "('one', 'example.org', 's1', 'a.key', NULL, 'expire=1d'),"
                              "('bad', 'example.org', 's2', 'absent.key', NULL, NULL),"
                              "('two', 'example.org', 's3', 'a.key', '', '');"
                              "INSERT INTO dkim_signing VALUES"
                              "('*@example.org', 'one, two'), ('example.net', 'ghost');"));
    struct dkim_keys *keys = open_keys();
    assert_string_equal(key_room_find(keys, "a@example.org"), "one two");
    assert_int_equal(key_room_choice.keys[0]->expire_s, 86400);
    assert_non_null(strstr(key_room_choice.rule, "/db: dkim_signing, row 1 (*@example.org)"));
    assert_int_equal(key_room_warnings(keys), 2);
    assert_true(key_room_warned(keys, "/db: dkim_keys, row 2: /"));
    assert_true(key_room_warned(keys, "/db: dkim_signing, row 2: there is no key named ghost"));
    char watched[512];
    snprintf(watched, sizeof(watched), "+%s\n+%s\n", key_room_path("db"), key_room_path("db-wal"));
    assert_ptr_equal(strstr(am_buf_str(&key_room_watched), watched), am_buf_str(&key_room_watched));
}

static void takes_keys_that_lie_in_the_database(void **state)
{
    struct am_problem problem;
    (void)state;
    sqlite3_close(make(SCHEMA
                       "INSERT INTO dkim_keys VALUES ('k', 'example.org', 's', NULL,"
                       "'-----BEGIN PRIVATE KEY-----\n"
                       "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                       "-----END PRIVATE KEY-----\n', NULL), ('both', 'example.org', 't', 'a', 'b',"
                       "''), ('none', 'example.org', 't', NULL, 'b', NULL);"
                       "INSERT INTO dkim_signing VALUES ('example.org', 'k');"));
    struct dkim_keys *keys = open_keys();
    assert_string_equal(key_room_find(keys, "a@example.org"), "k");
    assert_string_equal(key_room_choice.keys[0]->path, key_room_path("db"));
    assert_true(key_room_warned(keys, "row 2: a row is:"));
    assert_true(key_room_warned(keys, "row 3: there is no private key in it"));
    /* Then it is a key file itself. */
    assert_int_equal(chmod(key_room_path("db"), 0644), 0);
    keys = key_room_keys(NULL, name, name, &problem);
    assert_int_equal(dkim_keys_count(keys), 0);
    assert_true(key_room_warned(keys, "/db can be read by everybody; mend it with: chmod 0600 "));
}

static void says_what_is_wrong_with_a_database(void **state)
{
    (void)state;
    snprintf(name, sizeof(name), "sqlite:%s", key_room_path("db"));
    cannot_open("/db cannot be opened: No such file");
    key_room_put("db", "this is a text of more than sixteen octets, not a database\n", 0600);
    cannot_open("/db is not an SQLite 3 database");
    key_room_put("db", "", 0600);
    cannot_open("/db has no table dkim_keys; make it with: CREATE TABLE dkim_keys (name, domain");
    sqlite3 *db = make("CREATE TABLE dkim_keys (name, selector); CREATE TABLE dkim_signing (x)");
    cannot_open("/db: table dkim_keys has no column domain; it needs these: name, domain");
    run(db, "DROP TABLE dkim_keys; CREATE TABLE dkim_keys (NAME, domain, selector, key_file)");
    cannot_open("/db: table dkim_signing has no column pattern; it needs these: pattern, keys");
    sqlite3_close(db);
}

static void says_that_a_database_is_locked(void **state)
{
    (void)state;
    sqlite3 *db = make(SCHEMA);
    run(db, "BEGIN EXCLUSIVE");
    cannot_open("/db is locked: another program");
    run(db, "COMMIT");
    assert_non_null(open_keys());
    sqlite3_close(db);
}

static void takes_views_and_survives_odd_values(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    sqlite3 *db = make("CREATE TABLE t (d, s);"
                       "CREATE VIEW dkim_keys AS SELECT d AS name, d AS domain, s AS selector,"
                       "'a.key' AS key_file FROM t;"
                       "CREATE VIEW dkim_signing AS SELECT d AS pattern, d AS keys FROM t;"
                       "INSERT INTO t VALUES ('example.org', 's'), (NULL, NULL), (1.5, x'00ff'),"
                       "(x'ff', 's'), ('a' || char(0) || 'b.example', 's'), ('example.net', 7);");
    run(db, "INSERT INTO t VALUES (printf('%.9000c', 'x'), 's')");
    sqlite3_close(db);
    struct dkim_keys *keys = open_keys();
    assert_int_equal(dkim_keys_count(keys), 2);
    assert_string_equal(key_room_find(keys, "a@example.org"), "example.org");
    assert_string_equal(key_room_find(keys, "a@example.net"), "example.net");
    assert_string_equal(key_room_choice.keys[0]->selector, "7");
    assert_true(key_room_warned(keys, "dkim_keys, row 7: column name has 9000 octets"));
}

static bool is_there(const char *file)
{
    return access(key_room_path(file), F_OK) == 0;
}

static void reads_the_log_of_a_writer_and_leaves_no_files(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    sqlite3 *db = make("PRAGMA journal_mode=WAL;" SCHEMA);
    run(db, "INSERT INTO dkim_keys VALUES ('k', 'example.org', 's', 'a.key', NULL, NULL);"
            "INSERT INTO dkim_signing VALUES ('example.org', 'k');");
    assert_true(is_there("db-wal"));
    assert_string_equal(key_room_find(open_keys(), "a@example.org"), "k");
    run(db, "DELETE FROM dkim_signing");
    assert_string_equal(key_room_find(open_keys(), "a@example.org"), "");
    sqlite3_close(db);
    assert_false(is_there("db-wal"));
    assert_int_equal(dkim_keys_count(open_keys()), 1);
    assert_false(is_there("db-wal"));
    assert_false(is_there("db-shm"));
}

/* A commit asks for a reload, in whichever mode the writer works and while it stays connected; the
 * reload itself does not, or it would never end. */
static void a_commit_wakes_and_reading_does_not(void **state)
{
    static const char *const modes[] = {"WAL", "DELETE", "TRUNCATE", "PERSIST"};
    (void)state;
    sqlite3 *db = make(SCHEMA);
    const char *log = key_room_path("db-wal"), *path = key_room_path("db");
    struct am_watch_path paths[] = {{path, true}, {log, true}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char pragma[64];
        struct am_watch *watch = am_watch_new(NULL);
        assert_non_null(watch);
        snprintf(pragma, sizeof(pragma), "PRAGMA journal_mode=%s", modes[i]);
        run(db, pragma);
        assert_non_null(open_keys());
        am_watch_set(watch, paths, 2);
        assert_non_null(open_keys());
        assert_false(am_watch_read(watch));
        run(db, "INSERT INTO dkim_signing VALUES ('example.org', 'k')");
        assert_true(am_watch_read(watch));
        assert_non_null(open_keys());
        assert_false(am_watch_read(watch));
        am_watch_free(watch);
    }
    run(db, "PRAGMA journal_mode=WAL");
    sqlite3_close(db);
    struct am_watch *watch = am_watch_new(NULL);
    assert_non_null(watch);
    am_watch_set(watch, paths, 2);
    assert_non_null(open_keys());
    assert_false(am_watch_read(watch));
    am_watch_free(watch);
}

static void knows_odd_paths(void **state)
{
    (void)state;
    sqlite3 *db;
    key_room_folder("a?b#c%41", 0755);
    assert_int_equal(sqlite3_open(key_room_path("a?b#c%41/d b"), &db), SQLITE_OK);
    run(db, SCHEMA);
    sqlite3_close(db);
    snprintf(name, sizeof(name), "sqlite:%s", key_room_path("a?b#c%41/d b"));
    assert_int_equal(dkim_keys_count(open_keys()), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, key_room_open, key_room_close)
    const struct CMUnitTest tests[] = {
        TEST(finds_keys_in_a_database),
        TEST(takes_keys_that_lie_in_the_database),
        TEST(says_what_is_wrong_with_a_database),
        TEST(says_that_a_database_is_locked),
        TEST(takes_views_and_survives_odd_values),
        TEST(reads_the_log_of_a_writer_and_leaves_no_files),
        TEST(a_commit_wakes_and_reading_does_not),
        TEST(knows_odd_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
