#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "common/milter/listen.h"

static char directory[64];
static char path[96];
static const struct am_listen_access plain = {"", "", 0660, (uid_t)-1};

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_listen.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/sub/s", directory);
    return 0;
}

static int tear_down(void **state)
{
    char sub[80];
    (void)state;
    snprintf(sub, sizeof(sub), "%s/sub", directory);
    unlink(path);
    rmdir(sub);
    return rmdir(directory);
}

static void expect_refusal(const char *text, const char *sentence)
{
    struct am_listen_address address;
    struct am_problem problem;
    assert_false(am_listen_parse(&address, text, &problem));
    if (strstr(problem.text, sentence) == NULL)
        fail_msg("\"%s\" gives \"%s\"", text, problem.text);
}

static void reads_the_milter_syntax(void **state)
{
    struct am_listen_address address;
    (void)state;
    assert_true(am_listen_parse(&address, "unix:/run/a.sock", NULL));
    assert_int_equal(address.kind, AM_LISTEN_UNIX);
    assert_string_equal(address.path, "/run/a.sock");
    assert_true(am_listen_parse(&address, "local:/a", NULL));
    assert_int_equal(address.kind, AM_LISTEN_UNIX);
    assert_true(am_listen_parse(&address, "inet:8891@127.0.0.1", NULL));
    assert_int_equal(address.kind, AM_LISTEN_INET);
    assert_int_equal(address.port, 8891);
    assert_string_equal(address.host, "127.0.0.1");
    assert_true(am_listen_parse(&address, "inet:8891", NULL));
    assert_string_equal(address.host, "");
    assert_true(am_listen_parse(&address, "inet6:65535@[::1]", NULL));
    assert_int_equal(address.kind, AM_LISTEN_INET6);
    assert_string_equal(address.host, "::1");
    assert_true(am_listen_check_option("", NULL));
}

static void says_what_is_wrong(void **state)
{
    char longest[200];
    (void)state;
    expect_refusal("inet:127.0.0.1:8891", "the milter syntax is inet:port@host, here "
                                          "inet:8891@127.0.0.1");
    expect_refusal("inet6:[::1]:8891", "here inet6:8891@[::1]");
    expect_refusal("inet:70000@x", "\"70000\" is no port");
    expect_refusal("inet:0@x", "is no port");
    expect_refusal("inet:@x", "is no port");
    expect_refusal("inet:8891@", "no host name");
    expect_refusal("inet:8891@a b", "no host name");
    expect_refusal("unix:relative", "absolute path");
    expect_refusal("unix:/dir/", "directory");
    expect_refusal("/run/a.sock", "no known kind");
    expect_refusal("", "no known kind");
    expect_refusal("tcp:1@x", "no known kind");
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "unix:/", 6);
    longest[sizeof(longest) - 1] = '\0';
    expect_refusal(longest, "at most 107 fit");
}

static void makes_a_socket_with_its_mode_and_directory(void **state)
{
    struct am_listen listen;
    struct am_problem problem;
    struct stat status;
    (void)state;
    int fd = am_listen_open_unix(&listen, path, &plain, &problem);
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0660);
    am_listen_remove(&listen);
    assert_int_not_equal(access(path, F_OK), 0);
    close(fd);
}

static void replaces_a_stale_socket_only(void **state)
{
    struct am_listen first, second;
    struct am_problem problem;
    (void)state;
    int fd = am_listen_open_unix(&first, path, &plain, &problem);
    assert_true(fd >= 0);
    assert_int_equal(am_listen_open_unix(&second, path, &plain, &problem), -1);
    assert_non_null(strstr(problem.text, "another process serves on"));
    assert_int_equal(access(path, F_OK), 0);

    close(fd); /* as a killed process leaves it */
    fd = am_listen_open_unix(&second, path, &plain, &problem);
    assert_true(fd >= 0);
    /* The late end of the first process must not take the second one's socket away. */
    first.inode = first.inode == second.inode ? first.inode + 1 : first.inode;
    am_listen_remove(&first);
    assert_int_equal(access(path, F_OK), 0);
    close(fd);
}

static void a_full_queue_is_not_a_stale_socket(void **state)
{
    struct am_listen first, second;
    struct am_problem problem;
    int clients[64];
    size_t count = 0;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)state;
    int fd = am_listen_open_unix(&first, path, &plain, &problem);
    assert_true(fd >= 0);
    strcpy(name.sun_path, path);
    for (; count < 64; count++) {
        clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(clients[count], (struct sockaddr *)&name, sizeof(name)) != 0)
            break;
    }
    assert_true(count < 64);
    assert_int_equal(am_listen_open_unix(&second, path, &plain, &problem), -1);
    assert_non_null(strstr(problem.text, "another process serves on"));
    for (size_t i = 0; i <= count; i++)
        close(clients[i]);
    close(fd);
}

static void leaves_other_files_alone(void **state)
{
    struct am_listen listen;
    struct am_problem problem;
    (void)state;
    snprintf(path, sizeof(path), "%s/file", directory);
    FILE *file = fopen(path, "w");
    fclose(file);
    assert_int_equal(am_listen_open_unix(&listen, path, &plain, &problem), -1);
    assert_non_null(strstr(problem.text, "is not a socket"));
    assert_int_equal(access(path, F_OK), 0);
}

static void names_unknown_groups(void **state)
{
    struct am_listen listen;
    struct am_problem problem;
    const struct am_listen_access access_rights = {"", "no-such-group", 0660, (uid_t)-1};
    (void)state;
    snprintf(path, sizeof(path), "%s/s", directory);
    assert_int_equal(am_listen_open_unix(&listen, path, &access_rights, &problem), -1);
    assert_string_equal(problem.text, "there is no group \"no-such-group\"");
    assert_int_not_equal(access(path, F_OK), 0);
}

static void says_who_may_not_make_a_socket_where(void **state)
{
    struct am_listen listen;
    struct am_problem problem;
    const struct am_listen_access of_root = {"root", "", 0660, (uid_t)-1};
    uid_t former = geteuid();
    (void)state;
    snprintf(path, sizeof(path), "%s/s", directory);
    /* Root may write anywhere: be somebody else for a moment. */
    if (former == 0)
        assert_int_equal(seteuid(65534), 0);
    else
        assert_int_equal(chmod(directory, 0500), 0);
    int fd = am_listen_open_unix(&listen, path, &plain, &problem);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(problem.text, " cannot make a socket in "));
    assert_non_null(strstr(problem.text, "Permission denied"));
    if (former == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    if (former == 0)
        assert_int_equal(seteuid(65534), 0);
    fd = am_listen_open_unix(&listen, path, &of_root, &problem);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(problem.text, "to user \"root\": Operation not permitted"));
    assert_non_null(strstr(problem.text, "; only root can"));
    if (former == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void finds_a_port_in_use(void **state)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    struct am_listen_address address;
    struct am_listen prepared;
    struct am_problem problem;
    char text[64];
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    snprintf(text, sizeof(text), "inet:%u@127.0.0.1", ntohs(name.sin_port));
    assert_true(am_listen_parse(&address, text, &problem));
    assert_false(am_listen_prepare(&prepared, &address, &plain, &problem));
    assert_non_null(strstr(problem.text, "in use by another process"));
    close(fd);
    assert_true(am_listen_prepare(&prepared, &address, &plain, &problem));
    assert_true(am_listen_finish(&prepared, false, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_milter_syntax),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test_setup_teardown(makes_a_socket_with_its_mode_and_directory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(replaces_a_stale_socket_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_is_not_a_stale_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_other_files_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_unknown_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_who_may_not_make_a_socket_where, set_up, tear_down),
        cmocka_unit_test(finds_a_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
