#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "dmarc-milter/dmarc_redis.h"
#include "dmarc-milter/dmarc_store.h"
#include "tests/unit/dmarc/sample_row.h"

/* Rows through a stream of a server of the test's own, on a socket in a folder of its own. */

static char folder[] = "/tmp/dmarc-redis-XXXXXX";
static char address[96], where[160];
static pid_t server;

static void start_server(void)
{
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 1);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", address, "--save", "",
               "--appendonly", "yes", "--dir", folder, "--daemonize", "no", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200 && access(address, F_OK) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static void stop_server(void)
{
    assert_int_equal(kill(server, SIGTERM), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    (void)unlink(address);
}

static struct dmarc_store *open_store(size_t queue_max)
{
    const struct dmarc_store_options options = {.where = where, .queue_max = queue_max};
    struct am_problem problem = {""};
    struct dmarc_store *store = dmarc_store_open(&options, &problem);

    if (store == NULL)
        fail_msg("%s", problem.text);
    return store;
}

static struct dmarc_redis *connect_to(struct dmarc_place *place)
{
    struct am_problem problem = {""};

    assert_true(dmarc_place_parse(place, where, &problem));
    struct dmarc_redis *redis = dmarc_redis_open(place, &problem);
    if (redis == NULL)
        fail_msg("%s", problem.text);
    return redis;
}

/* Takes all rows of the stream away. Returns how many there were; those that are none are counted
 * in `strange`. */
static size_t take_all(size_t *strange, char source_ip[64])
{
    static struct dmarc_redis_rows rows;
    struct am_problem problem = {""};
    struct dmarc_place place;
    struct dmarc_redis *redis = connect_to(&place);
    size_t count = 0;

    *strange = 0;
    do {
        if (!dmarc_redis_read(redis, &rows, &problem))
            fail_msg("%s", problem.text);
        for (size_t i = 0; i < rows.count; i++) {
            *strange += rows.rows[i].row == NULL;
            count += rows.rows[i].row != NULL;
            if (rows.rows[i].row != NULL)
                strcpy(source_ip, rows.rows[i].row->text[DMARC_FLAT_SOURCE_IP]);
            free(rows.rows[i].row);
        }
        assert_true(dmarc_redis_remove(redis, &rows, &problem));
    } while (rows.count > 0);
    dmarc_redis_close(redis);
    return count;
}

static void rows_go_through_the_stream(void **state)
{
    struct dmarc_row row = sample_row();
    char source_ip[64] = "";
    size_t strange;

    (void)state;
    row.header_from = "a b\r\n*1 $2 \"quoted\"";
    row.source_ip = "2001:db8::1";
    struct dmarc_store *store = open_store(0);
    for (int i = 0; i < 700; i++)
        assert_true(dmarc_store_add(store, &row));
    dmarc_store_drop(store);
    assert_int_equal(take_all(&strange, source_ip), 700);
    assert_int_equal(strange, 0);
    assert_string_equal(source_ip, "2001:db8::1");
    assert_int_equal(take_all(&strange, source_ip), 0);
}

/* Rows wait in memory while the server is away, and no more than the queue holds. */
static void rows_wait_for_the_server(void **state)
{
    const struct dmarc_row row = sample_row();
    char source_ip[64] = "";
    size_t strange;

    (void)state;
    struct dmarc_store *store = open_store(20);
    assert_true(dmarc_store_add(store, &row));
    assert_true(dmarc_store_wait(store, 20000));
    stop_server();
    for (int i = 0; i < 20; i++)
        assert_true(dmarc_store_add(store, &row));
    assert_false(dmarc_store_add(store, &row));
    assert_false(dmarc_store_wait(store, 500));
    start_server();
    assert_true(dmarc_store_wait(store, 60000));
    dmarc_store_drop(store);
    assert_int_equal(take_all(&strange, source_ip), 21);
}

static void what_is_no_row_is_told_apart(void **state)
{
    char command[256], source_ip[64] = "";
    size_t strange;

    (void)state;
    snprintf(command, sizeof(command), "redis-cli -s %s xadd dmarc '*' v 2 uid x time 1 >/dev/null",
             address);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "redis-cli -s %s xadd dmarc '*' a b >/dev/null", address);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command),
             "redis-cli -s %s xadd dmarc '*' v 1 uid x time 12 source_ip 192.0.2.9 >/dev/null",
             address);
    assert_int_equal(system(command), 0);
    assert_int_equal(take_all(&strange, source_ip), 1);
    assert_int_equal(strange, 2);
    assert_string_equal(source_ip, "192.0.2.9");
}

static void a_name_that_is_no_stream_is_said(void **state)
{
    static struct dmarc_redis_rows rows;
    struct am_problem problem = {""};
    struct dmarc_place place;
    char command[256];

    (void)state;
    snprintf(command, sizeof(command), "redis-cli -s %s set dmarc text >/dev/null", address);
    assert_int_equal(system(command), 0);
    struct dmarc_redis *redis = connect_to(&place);
    assert_false(dmarc_redis_read(redis, &rows, &problem));
    assert_non_null(strstr(problem.text, "stream dmarc says"));
    dmarc_redis_close(redis);
}

static int start(void **state)
{
    const struct am_log_options quiet = {.level = AM_LOG_ERROR};

    (void)state;
    am_log_open("test", &quiet);
    (void)signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(address, sizeof(address), "%s/socket", folder);
    snprintf(where, sizeof(where), "redis+unix://%s?stream=dmarc", address);
    start_server();
    return access(address, F_OK);
}

static int end(void **state)
{
    char command[64];

    (void)state;
    stop_server();
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_through_the_stream),
        cmocka_unit_test(rows_wait_for_the_server),
        cmocka_unit_test(what_is_no_row_is_told_apart),
        cmocka_unit_test(a_name_that_is_no_stream_is_said),
    };
    if (system("redis-server --version >/dev/null 2>&1 && redis-cli --version >/dev/null 2>&1") !=
        0) {
        puts("skipped: there is no redis-server");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, end);
}
