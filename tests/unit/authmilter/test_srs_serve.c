#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "authmilter/srs_serve.h"
#include "common/milter/signals.h"

/* The life of the socketmap's clients: all places taken, silence, no descriptor left. */

#define ANSWER_MS 30000

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char dir[] = "/tmp/srs-serve.XXXXXX", config_path[64];
static atomic_llong ahead_us;
static atomic_size_t looks; /* at the clock, by the server */
static pthread_t thread;
static bool served;

static int64_t test_monotonic_us(const struct am_clock *self)
{
    (void)self;
    int64_t now_us = am_clock_now_us(am_clock_system()) + atomic_load(&ahead_us);
    atomic_fetch_add(&looks, 1);
    return now_us;
}

static int64_t test_wall_s(const struct am_clock *self)
{
    (void)self;
    return 1796126400;
}

static const struct am_clock test_clock = {test_monotonic_us, test_wall_s};
static struct srs_serve_options options = {
    .config = config_path, .socket = address.sun_path, .socket_group = "", .clock = &test_clock};

static void *serve(void *unused)
{
    struct am_problem problem = {0};

    (void)unused;
    served = srs_serve(&options, &problem);
    if (!served)
        print_error("%s\n", problem.text);
    return NULL;
}

static int try_connect(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Waits until the server is there, too. */
static int connect_client(void)
{
    int fd = try_connect();

    for (int ms = 0; fd < 0 && ms < ANSWER_MS; ms += 10) {
        assert_true(errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN);
        poll(NULL, 0, 10);
        fd = try_connect();
    }
    assert_true(fd >= 0);
    return fd;
}

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static int setup(void **state)
{
    char secrets[128], text[512];

    (void)state;
    memset(dir + strlen(dir) - 6, 'X', 6);
    assert_non_null(mkdtemp(dir));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/map", dir);
    snprintf(config_path, sizeof(config_path), "%s/conf", dir);
    snprintf(secrets, sizeof(secrets), "%s/secrets", dir);
    put(secrets, "a secret of the test 12\n", 0600);
    snprintf(text, sizeof(text),
             "milter {\n    log_target = stderr\n}\nsrs {\n    domain = fwd.example\n"
             "    secrets = \"%s\"\n}\n",
             secrets);
    put(config_path, text, 0600);
    atomic_store(&ahead_us, 0);
    atomic_store(&looks, 0);
    am_signals_block();
    return pthread_create(&thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    kill(getpid(), SIGTERM);
    pthread_join(thread, NULL);
    assert_true(served);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void ask(int fd)
{
    static const char question[] = "19:forward a@b.example,";

    assert_int_equal(send(fd, question, strlen(question), MSG_NOSIGNAL), strlen(question));
}

/* Waits until the server has looked at the clock so often. */
static void await_looks(size_t count)
{
    for (int ms = 0; atomic_load(&looks) < count && ms < ANSWER_MS; ms++)
        poll(NULL, 0, 1);
    assert_int_equal(atomic_load(&looks), count);
}

/* Returns whether an answer came; false: the connection was ended. */
static bool hear(int fd)
{
    char answer[256];
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&readable, 1, ANSWER_MS), 1);
    ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);
    if (n <= 0)
        return false;
    answer[n] = '\0';
    assert_non_null(strstr(answer, "OK SRS0="));
    return true;
}

static void allow_descriptors(rlim_t count)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    if (limit.rlim_cur > limit.rlim_max)
        skip();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* All have been silent for too long: who asks in that moment is answered, the others make room. */
static void silent_clients_make_room(void **state)
{
    static int fds[SRS_SERVE_CLIENTS_MAX];

    (void)state;
    allow_descriptors(2 * SRS_SERVE_CLIENTS_MAX + 64);
    for (size_t i = 0; i < SRS_SERVE_CLIENTS_MAX; i++) {
        fds[i] = connect_client();
        ask(fds[i]);
        assert_true(hear(fds[i]));
    }
    int waiting = connect_client();
    ask(waiting);
    /* It looks when it takes a client, when it answers one, and, as all places are taken, once for
     * who is silent: only then it sleeps, and hours may pass. */
    await_looks(2 * SRS_SERVE_CLIENTS_MAX + 1);
    atomic_store(&ahead_us, INT64_C(2) * 3600 * 1000000);
    ask(fds[SRS_SERVE_CLIENTS_MAX - 1]);
    assert_true(hear(fds[SRS_SERVE_CLIENTS_MAX - 1]));
    assert_true(hear(waiting));
    for (size_t i = 0; i < SRS_SERVE_CLIENTS_MAX - 1; i++) {
        assert_false(hear(fds[i]));
        close(fds[i]);
    }
    ask(fds[SRS_SERVE_CLIENTS_MAX - 1]);
    assert_true(hear(fds[SRS_SERVE_CLIENTS_MAX - 1]));
    close(fds[SRS_SERVE_CLIENTS_MAX - 1]);
    close(waiting);
}

/* Without a descriptor nobody is taken; with one again the client that waited is. */
static void waits_for_descriptors(void **state)
{
    int first = connect_client(), spare[2];

    (void)state;
    ask(first);
    assert_true(hear(first));
    assert_int_equal(pipe(spare), 0);
    int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    allow_descriptors((rlim_t)waiting + 1);
    assert_int_equal(connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0);
    ask(waiting);
    ask(first);
    assert_true(hear(first));
    ask(first);
    assert_true(hear(first)); /* the server has looked at the queue by now */
    close(spare[0]);
    close(spare[1]);
    assert_true(hear(waiting));
    close(first);
    close(waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silent_clients_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_descriptors, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
