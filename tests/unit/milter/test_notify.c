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

#include "common/base/notify.h"

static char text[1024];

static int open_manager(struct sockaddr_un *name, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)name, length), 0);
    return fd;
}

static const char *received(int fd)
{
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    return text;
}

static void sends_to_a_path(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char directory[] = "/tmp/test_notify.XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(name.sun_path, sizeof(name.sun_path), "%s/n", directory);
    int fd = open_manager(&name, sizeof(name));
    setenv("NOTIFY_SOCKET", name.sun_path, 1);
    assert_true(am_notify("READY=1\nSTATUS=%s", "serving"));
    assert_string_equal(received(fd), "READY=1\nSTATUS=serving");
    am_notify_reloading();
    assert_int_equal(strncmp(received(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    assert_true(strtoll(text + 27, NULL, 10) > 0);
    close(fd);
    unlink(name.sun_path);
    rmdir(directory);
    assert_false(am_notify("READY=1"));
}

static void sends_to_an_abstract_name(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char path[64];
    (void)state;
    int length = snprintf(path, sizeof(path), "@test-notify-%ld", (long)getpid());
    memcpy(name.sun_path + 1, path + 1, (size_t)length - 1);
    int fd =
        open_manager(&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length));
    setenv("NOTIFY_SOCKET", path, 1);
    assert_true(am_notify("STOPPING=1"));
    assert_string_equal(received(fd), "STOPPING=1");
    close(fd);
}

static void is_silent_without_a_manager(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_false(am_notify("READY=1"));
    setenv("NOTIFY_SOCKET", "", 1);
    assert_false(am_notify("READY=1"));
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_false(am_notify("READY=1"));
    unsetenv("NOTIFY_SOCKET");
}

static void halves_the_watchdog_period(void **state)
{
    char pid[24];
    (void)state;
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(am_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(am_notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(am_notify_watchdog_ms(), 0);
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(am_notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_USEC", "-5", 1);
    assert_int_equal(am_notify_watchdog_ms(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_to_a_path),
        cmocka_unit_test(sends_to_an_abstract_name),
        cmocka_unit_test(is_silent_without_a_manager),
        cmocka_unit_test(halves_the_watchdog_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
