#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/config.h"
#include "common/map/map.h"
#include "common/map/rows.h"

/* A map that is asked by many threads over few connections; one that cannot be opened. */

#define THREADS 8
#define QUESTIONS 200

static char dir[] = "/tmp/map-live.XXXXXX";
static char database[64];
static struct am_config *config;
static struct am_arena *arena;
static struct am_maps maps;

static const struct am_rows_kind rows = {.table = "t", .columns = {{.name = "a"}, {.name = "b"}}};

static void complain(void *user, const char *sentence)
{
    (void)user;
    fail_msg("%s", sentence);
}

static bool watch(void *user, const char *path, bool is_database)
{
    (void)user;
    (void)path;
    (void)is_database;
    return true;
}

static void open_maps(const char *extra)
{
    static const struct am_section *const sections[] = {&am_map_section, NULL};
    static const char *texts[] = {"map:db"};
    const struct am_strlist list = {texts, 1};
    struct am_problem problem;
    char text[512];

    snprintf(text, sizeof(text),
             "map \"db\" {\n kind = sqlite\n database = \"%s\"\n"
             " query = \"SELECT login FROM senders WHERE address = :address\"\n%s}\n",
             database, extra);
    config = am_config_parse(sections, text, "test", NULL, 0, &problem);
    assert_non_null(config);
    arena = am_arena_new(4096, 0);
    const struct am_map_env env = {
        .config = config, .rows = &rows, .arena = arena, .complain = complain, .watch = watch};
    assert_true(am_maps_open(&maps, &list, &env, &problem));
}

static void close_maps(void)
{
    am_maps_close(&maps);
    am_arena_free(arena);
    am_config_free(config);
}

static int setup(void **state)
{
    sqlite3 *db;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(database, sizeof(database), "%s/db", dir);
    assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE senders (address TEXT, login TEXT);"
                                  "INSERT INTO senders VALUES ('sales@example.org', 'alice, bob');"
                                  "INSERT INTO senders VALUES ('sales@example.org', 'carol');"
                                  "INSERT INTO senders VALUES ('info@example.org', NULL)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    return sqlite3_close(db);
}

static int teardown(void **state)
{
    (void)state;
    unlink(database);
    return rmdir(dir);
}

static enum am_map_answer ask(const char *local, struct am_arena *mail,
                              struct am_map_values *values, struct am_problem *problem)
{
    const struct am_map_question question = {.local = am_span_str(local),
                                             .domain = "example.org",
                                             .login = "bob",
                                             .deadline_us = AM_NEVER,
                                             .clock = am_clock_system()};

    return am_maps_ask(&maps, &question, mail, values, problem);
}

static void *many(void *failures)
{
    for (int i = 0; i < QUESTIONS; i++) {
        struct am_arena *mail = am_arena_new(1024, 0);
        struct am_map_values values;
        struct am_problem problem;
        bool good = ask("sales", mail, &values, &problem) == AM_MAP_FOUND && values.count == 3 &&
                    strcmp(values.items[2], "carol") == 0 &&
                    ask("nobody", mail, &values, &problem) == AM_MAP_NONE &&
                    ask("info", mail, &values, &problem) == AM_MAP_FOUND && values.count == 0;
        *(size_t *)failures += !good;
        am_arena_free(mail);
    }
    return NULL;
}

static void ask_from_threads(const char *extra)
{
    pthread_t threads[THREADS];
    size_t failures[THREADS] = {0};

    open_maps(extra);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, &failures[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
    close_maps();
}

static void threads_share_connections(void **state)
{
    (void)state;
    ask_from_threads(" connections = 2\n cache_entries = 0\n timeout = 60s\n");
    ask_from_threads(" connections = 1\n cache_entries = 2\n timeout = 60s\n");
}

/* After a failure nobody tries for a moment, and the sentence is the same. */
static void a_failure_is_told(void **state)
{
    struct am_arena *mail = am_arena_new(1024, 0);
    struct am_map_values values;
    struct am_problem first, second;
    char away[80];

    (void)state;
    snprintf(away, sizeof(away), "%s.away", database);
    open_maps("");
    assert_int_equal(rename(database, away), 0);
    assert_int_equal(ask("sales", mail, &values, &first), AM_MAP_FAILED);
    assert_non_null(strstr(first.text, "map:db: SQLite: "));
    assert_int_equal(rename(away, database), 0);
    assert_int_equal(ask("sales", mail, &values, &second), AM_MAP_FAILED);
    assert_string_equal(first.text, second.text);
    close_maps();
    am_arena_free(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_connections),
        cmocka_unit_test(a_failure_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
