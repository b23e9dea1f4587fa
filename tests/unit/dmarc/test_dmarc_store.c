#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/span.h"
#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_store.h"
#include "tests/unit/dmarc/sample_row.h"

/* The store of rows in an SQLite file: what is added is in it, and what is not is counted. */

static char folder[] = "/tmp/dmarc-store-XXXXXX";
static char path[64];
static atomic_ulong written, lost;

static void count(void *user, const char *name, const char *label, uint64_t amount)
{
    assert_ptr_equal(user, folder);
    assert_string_equal(name, "report_rows");
    atomic_fetch_add(*label == 'w' ? &written : &lost, amount);
}

static struct dmarc_store *open_store(size_t queue_max, int64_t rows_max)
{
    const struct dmarc_store_options options = {
        .where = path,
        .queue_max = queue_max,
        .rows_max = rows_max,
        .count = count,
        .user = folder,
    };
    struct am_problem problem = {""};
    struct dmarc_store *store = dmarc_store_open(&options, &problem);

    if (store == NULL)
        fail_msg("%s", problem.text);
    return store;
}

static struct dmarc_db *open_db(void)
{
    const struct dmarc_db_options options = {.path = path, .wait_ms = 1000};
    struct am_problem problem = {""};
    struct dmarc_db *db = dmarc_db_open(&options, &problem);

    if (db == NULL)
        fail_msg("%s", problem.text);
    return db;
}

static int64_t ask(const char *statement)
{
    struct am_problem problem;
    struct dmarc_db *db = open_db();
    struct dmarc_query *query = dmarc_query_new(db, statement, &problem);

    assert_non_null(query);
    assert_int_equal(dmarc_query_step(query, &problem), DMARC_QUERY_ROW);
    int64_t number = dmarc_query_int(query, 0);
    dmarc_query_free(query);
    dmarc_db_close(db);
    return number;
}

static void run_sql(const char *statement)
{
    struct am_problem problem;
    struct dmarc_db *db = open_db();

    assert_true(dmarc_db_run(db, statement, &problem));
    dmarc_db_close(db);
}

static int make_folder(void **state)
{
    (void)state;
    const struct am_log_options quiet = {.level = AM_LOG_ERROR};
    am_log_open("test", &quiet);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static int new_path(void **state)
{
    static int number;

    (void)state;
    snprintf(path, sizeof(path), "%s/%d.db", folder, number++);
    written = lost = 0;
    return 0;
}

/* Today's noon: rows of long ago are removed. */
static struct dmarc_row row_of_now(void)
{
    struct dmarc_row row = sample_row();

    row.time_s = time(NULL);
    return row;
}

static void rows_are_in_the_file(void **state)
{
    struct dmarc_row row = row_of_now();
    struct dmarc_store *store = open_store(0, 0);
    struct stat info;

    (void)state;
    assert_int_equal(access(path, F_OK), -1);
    for (int i = 0; i < 1200; i++)
        assert_true(dmarc_store_add(store, &row));
    assert_true(dmarc_store_wait(store, 20000));
    assert_int_equal(ask("SELECT count(*) FROM rows"), 1200);
    row.header_from = "'); DROP TABLE rows; --";
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(ask("SELECT count(*) FROM rows WHERE policy_domain='example.com'"), 1201);
    assert_int_equal(ask("SELECT count(*) FROM rows WHERE day=time/86400"), 1201);
    assert_int_equal(ask("SELECT count(*) FROM rows WHERE header_from LIKE '%DROP%'"), 1);
    assert_int_equal(written, 1201);
    assert_int_equal(lost, 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void two_stores_share_a_file(void **state)
{
    const struct dmarc_row row = row_of_now();
    struct dmarc_store *a = open_store(0, 0), *b = open_store(0, 0);

    (void)state;
    for (int i = 0; i < 300; i++) {
        assert_true(dmarc_store_add(a, &row));
        assert_true(dmarc_store_add(b, &row));
    }
    dmarc_store_drop(a);
    dmarc_store_drop(b);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 600);
    assert_int_equal(ask("SELECT count(*) FROM meta"), 1);
}

/* While the file cannot be written rows wait; those that find no room are lost and counted. */
static void a_full_queue_loses_rows_and_counts_them(void **state)
{
    const struct dmarc_row row = row_of_now();
    struct am_problem problem;

    (void)state;
    struct dmarc_store *store = open_store(1, 0);
    assert_true(dmarc_store_add(store, &row));
    assert_true(dmarc_store_wait(store, 20000));
    dmarc_store_drop(store);
    struct dmarc_db *other = open_db();
    assert_true(dmarc_db_begin(other, &problem));
    store = open_store(3, 0);
    for (int i = 0; i < 3; i++)
        assert_true(dmarc_store_add(store, &row));
    assert_false(dmarc_store_add(store, &row));
    assert_false(dmarc_store_add(store, &row));
    assert_int_equal(lost, 2);
    dmarc_db_rollback(other);
    dmarc_db_close(other);
    dmarc_store_drop(store);
    assert_int_equal(lost, 2);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 4);
}

static void a_file_does_not_grow_without_end(void **state)
{
    const struct dmarc_row row = row_of_now();
    struct dmarc_store *store = open_store(0, 5);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_true(dmarc_store_add(store, &row));
    assert_true(dmarc_store_wait(store, 20000));
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 5);
    assert_int_equal(written, 5);
    assert_int_equal(lost, 1);
}

static void old_rows_go(void **state)
{
    struct dmarc_row row = row_of_now();
    struct dmarc_store *store = open_store(0, 0);

    (void)state;
    row.time_s -= 16 * 86400;
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 1);
    store = open_store(0, 0);
    row.time_s += 16 * 86400;
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 1);
    assert_int_equal(ask("SELECT max(time) FROM rows") == row.time_s, 1);
}

static void expect_refused(const char *says)
{
    const struct dmarc_db_options options = {.path = path, .create = true, .wait_ms = 100};
    struct am_problem problem;
    struct dmarc_db *db = dmarc_db_open(&options, &problem);

    assert_null(db);
    if (strstr(problem.text, says) == NULL)
        fail_msg("no \"%s\" in: %s", says, problem.text);
}

static void files_that_are_not_ours_are_left_alone(void **state)
{
    const struct dmarc_row row = row_of_now();

    (void)state;
    FILE *file = fopen(path, "we");
    assert_true(file != NULL &&
                fputs("this is no database at all, though it is long enough to be "
                      "looked at as one; more text follows, and more, and more",
                      file) >= 0 &&
                fclose(file) == 0);
    expect_refused("not an SQLite 3 database");
    assert_int_equal(unlink(path), 0);
    struct dmarc_store *store = open_store(0, 0);
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(chmod(path, 0606), 0);
    expect_refused("anybody");
    assert_int_equal(chmod(path, 0600), 0);
    run_sql("PRAGMA user_version=2");
    expect_refused("version 2");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused("not a file");
}

static void a_group_may_share_the_file(void **state)
{
    const struct dmarc_row row = row_of_now();
    char group[16];
    struct stat info;
    struct am_problem problem;

    (void)state;
    snprintf(group, sizeof(group), "%u", (unsigned)getgid());
    const struct dmarc_store_options options = {.where = path, .group = group};
    struct dmarc_store *store = dmarc_store_open(&options, &problem);
    assert_non_null(store);
    assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    assert_int_equal(info.st_gid, getgid());
    assert_int_equal(ask("SELECT count(*) FROM rows"), 1);
}

static void a_store_needs_a_folder(void **state)
{
    const struct dmarc_store_options nowhere = {.where = "/nowhere/at/all/x.db"};
    const struct dmarc_store_options word = {.where = "word"};
    struct am_problem problem;

    (void)state;
    assert_null(dmarc_store_open(&nowhere, &problem));
    assert_non_null(strstr(problem.text, "/nowhere/at/all"));
    assert_null(dmarc_store_open(&word, &problem));
    assert_non_null(strstr(problem.text, "no place"));
}

static void a_store_knows_what_it_was_made_from(void **state)
{
    struct dmarc_store *store = open_store(7, 0);
    struct dmarc_store_options options = {.where = path, .queue_max = 7, .user = folder};

    (void)state;
    assert_true(dmarc_store_is_from(store, &options));
    options.group = "";
    options.rows_max = DMARC_STORE_ROWS_MAX;
    assert_true(dmarc_store_is_from(store, &options));
    options.keep_ms = 86400000;
    assert_false(dmarc_store_is_from(store, &options));
    assert_ptr_equal(dmarc_store_ref(store), store);
    dmarc_store_drop(store);
    dmarc_store_drop(store);
    dmarc_store_drop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_are_in_the_file, new_path),
        cmocka_unit_test_setup(two_stores_share_a_file, new_path),
        cmocka_unit_test_setup(a_full_queue_loses_rows_and_counts_them, new_path),
        cmocka_unit_test_setup(a_file_does_not_grow_without_end, new_path),
        cmocka_unit_test_setup(old_rows_go, new_path),
        cmocka_unit_test_setup(files_that_are_not_ours_are_left_alone, new_path),
        cmocka_unit_test_setup(a_group_may_share_the_file, new_path),
        cmocka_unit_test_setup(a_store_needs_a_folder, new_path),
        cmocka_unit_test_setup(a_store_knows_what_it_was_made_from, new_path),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
