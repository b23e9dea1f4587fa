#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/milter/control.h"
#include "common/milter/listen.h"

static int64_t time_us;
static char directory[64];
static struct sockaddr_un name;
static struct am_control *control;

static int64_t read_time(const struct am_clock *clock)
{
    (void)clock;
    return time_us;
}

static const struct am_clock test_clock = {.monotonic_us = read_time};

static void echo(void *user, const char *line, struct am_buf *out)
{
    (void)user;
    if (strcmp(line, "big") == 0)
        for (size_t i = 0; i < ((size_t)1 << 20) + 1; i++)
            am_buf_add_char(out, 'x');
    else
        am_buf_printf(out, "you said %s\n", line);
}

static int set_up(void **state)
{
    struct am_listen_access access_rights = {"", "", 0600, (uid_t)-1};
    struct am_listen listen;
    (void)state;
    strcpy(directory, "/tmp/test_control.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    name = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s/c", directory);
    int fd = am_listen_open_unix(&listen, name.sun_path, &access_rights, NULL);
    control = fd < 0 ? NULL : am_control_new(fd, &test_clock, echo, NULL);
    return control == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    am_control_free(control);
    unlink(name.sun_path);
    return rmdir(directory);
}

static int join(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

/* Rounds of the loop until nothing is ready. */
static void turn(void)
{
    struct pollfd fds[AM_CONTROL_POLL_MAX];
    int ready;
    do {
        int timeout_ms = -1;
        size_t count = am_control_poll(control, fds, &timeout_ms);
        ready = poll(fds, count, 0);
        am_control_serve(control, fds, count);
    } while (ready > 0);
}

static void expect_answer(int fd, const char *answer)
{
    char text[128];
    ssize_t got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    assert_true(got >= 0);
    text[got] = '\0';
    assert_string_equal(text, answer);
    assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
    close(fd);
}

static void say(int fd, const char *words)
{
    assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
    turn();
}

static void answers_a_line_and_closes(void **state)
{
    (void)state;
    int fd = join();
    say(fd, "hel");
    say(fd, "lo\r\nignored");
    expect_answer(fd, "you said hello\n");
}

static void cuts_off_who_says_too_much_or_nothing(void **state)
{
    char flood[300];
    char byte;
    (void)state;
    memset(flood, 'x', sizeof(flood));
    int fd = join();
    assert_int_equal(send(fd, flood, sizeof(flood), 0), sizeof(flood));
    turn();
    assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
    close(fd);

    fd = join();
    turn();
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    time_us += 6000000;
    turn();
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    close(fd);
}

static void tells_when_an_answer_does_not_fit(void **state)
{
    (void)state;
    int fd = join();
    say(fd, "big\n");
    expect_answer(fd, "error: the answer does not fit into memory\n");
}

static void a_client_too_many_waits_its_turn(void **state)
{
    int silent[AM_CONTROL_CLIENTS_MAX];
    char byte;
    (void)state;
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++) {
        silent[i] = join();
        turn();
    }
    int fd = join();
    say(fd, "late\n");
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    close(silent[0]);
    turn();
    turn();
    expect_answer(fd, "you said late\n");
    for (size_t i = 1; i < AM_CONTROL_CLIENTS_MAX; i++)
        close(silent[i]);
}

static void asks_to_be_woken_for_the_next_deadline(void **state)
{
    struct pollfd fds[AM_CONTROL_POLL_MAX];
    int timeout_ms = -1;
    (void)state;
    assert_int_equal(am_control_poll(control, fds, &timeout_ms), 1);
    assert_int_equal(timeout_ms, -1);
    int fd = join();
    turn();
    assert_int_equal(am_control_poll(control, fds, &timeout_ms), 2);
    assert_true(timeout_ms > 0 && timeout_ms <= 5001);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_a_line_and_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_off_who_says_too_much_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_when_an_answer_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_too_many_waits_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_to_be_woken_for_the_next_deadline, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
