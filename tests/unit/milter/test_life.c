/* The life of a program, on the smallest milter: start, reload, drain, refusals, figures. */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/mta.h"

#define PATIENCE_MS 20000

struct rig {
    struct mta_daemon daemon;
    char config[96], file[96], control[96];
    unsigned port;
};

static unsigned free_port(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    close(fd);
    return ntohs(name.sin_port);
}

static void configure(const struct rig *rig, const char *milter, const char *more)
{
    char text[1024];
    struct am_problem problem;
    snprintf(text, sizeof(text),
             "milter { socket = \"%s\" socket_group = \"\" control_socket = \"%s\"\n"
             "  metrics_listen = \"127.0.0.1:%u\" %s }\n"
             "dns { nameservers = { \"127.0.0.1:9\" } }\n%s\n",
             rig->daemon.socket, rig->control, rig->port, milter, more);
    assert_true(mta_write_file(rig->config, text, &problem));
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct am_problem problem;
    if (!mta_daemon_prepare(&rig->daemon, &problem))
        return -1;
    snprintf(rig->config, sizeof(rig->config), "%s/conf", rig->daemon.dir);
    snprintf(rig->file, sizeof(rig->file), "%s/words", rig->daemon.dir);
    snprintf(rig->control, sizeof(rig->control), "%s/control", rig->daemon.dir);
    rig->port = free_port();
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    mta_daemon_discard(&rig->daemon);
    free(rig);
    return 0;
}

static void start(struct rig *rig)
{
    struct am_problem problem = {""};
    const char *argv[] = {HELLO_MILTER, "-f", "-c", rig->config, NULL};
    if (!mta_daemon_start(&rig->daemon, argv, &problem))
        fail_msg("%s", problem.text);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool log_has(const struct rig *rig, const char *words)
{
    char *log = mta_daemon_read_log(&rig->daemon);
    bool found = log != NULL && strstr(log, words) != NULL;
    free(log);
    return found;
}

static void wait_for_log(const struct rig *rig, const char *words)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        if (log_has(rig, words))
            return;
        pause_ms(10);
    }
    char *log = mta_daemon_read_log(&rig->daemon);
    fail_msg("\"%s\" never came in:\n%s", words, log);
}

/* --- mail --- */

static struct mta_session *open_session(const struct rig *rig)
{
    struct mta_options options = {.socket = rig->daemon.socket, .timeout_ms = PATIENCE_MS};
    struct mta_peer peer = {"mail.example.com", '4', 2525, "192.0.2.1"};
    struct am_problem problem = {""};
    struct mta_session *session = mta_open(&options, &problem);
    if (session == NULL)
        return NULL;
    (void)mta_connect(session, &peer);
    (void)mta_helo(session, "mail.example.com");
    return session;
}

static enum mta_outcome begin_message(struct mta_session *session)
{
    struct mta_reply reply = mta_mail(session, "<a@example.com>", NULL, 0);
    if (reply.outcome != MTA_CONTINUE)
        return reply.outcome;
    reply = mta_rcpt(session, "<b@example.net>", NULL, 0);
    return reply.outcome;
}

static struct mta_reply end_message(struct mta_session *session)
{
    (void)mta_data(session);
    (void)mta_header(session, "Subject", " x");
    (void)mta_eoh(session);
    return mta_eom(session);
}

/* Sends a message and expects the word in its A-R field. */
static void expect_word(struct mta_session *session, const char *word)
{
    assert_int_equal(begin_message(session), MTA_CONTINUE);
    struct mta_reply reply = end_message(session);
    if (reply.outcome != MTA_CONTINUE && reply.outcome != MTA_ACCEPT)
        fail_msg("%s: %s", mta_outcome_word(reply.outcome), reply.text);
    const struct mta_header *field =
        mta_headers_find(&mta_message(session)->headers, "Authentication-Results", 1);
    assert_non_null(field);
    if (strstr(field->value, word) == NULL)
        fail_msg("no \"%s\" in \"%s\"", word, field->value);
}

/* --- plain questions --- */

static void ask(int fd, const char *question, char *answer, size_t size)
{
    size_t length = 0;
    ssize_t got;
    (void)send(fd, question, strlen(question), MSG_NOSIGNAL);
    while (length + 1 < size && (got = recv(fd, answer + length, size - 1 - length, 0)) > 0)
        length += (size_t)got;
    answer[length] = '\0';
    close(fd);
}

static void ask_control(const struct rig *rig, const char *line, char *answer, size_t size)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", rig->control);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ask(fd, line, answer, size);
}

static void ask_http(const struct rig *rig, const char *request, char *answer, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons((uint16_t)rig->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ask(fd, request, answer, size);
}

/* Begins a message and waits until the program knows of it: nobody answers at MAIL. */
static void put_under_way(const struct rig *rig, struct mta_session *session)
{
    static char answer[65536];
    assert_int_equal(begin_message(session), MTA_CONTINUE);
    assert_true(mta_socket(session) >= 0);
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        ask_control(rig, "stats\n", answer, sizeof(answer));
        if (strstr(answer, "\nmessages_open 1\n") != NULL)
            return;
        pause_ms(10);
    }
    fail_msg("the message never came in");
}

/* --- the tests --- */

static void term_ends_an_idle_program_at_once(void **state)
{
    struct rig *rig = *state;
    configure(rig, "", "");
    start(rig);
    mta_daemon_signal(&rig->daemon, SIGTERM);
    /* libmilter alone takes up to five seconds. */
    assert_true(mta_daemon_wait(&rig->daemon, 3000));
    assert_true(WIFEXITED(rig->daemon.status) && WEXITSTATUS(rig->daemon.status) == 0);
    assert_int_not_equal(access(rig->daemon.socket + 5, F_OK), 0);
    assert_int_not_equal(access(rig->control, F_OK), 0);
    assert_true(log_has(rig, "has ended"));
}

static void hup_and_usr1_reload(void **state)
{
    struct rig *rig = *state;
    configure(rig, "", "hello { word = \"one\" }");
    start(rig);
    struct mta_session *former = open_session(rig);
    expect_word(former, "one");

    configure(rig, "", "hello { word = \"two\" }");
    mta_daemon_signal(&rig->daemon, SIGHUP);
    wait_for_log(rig, "configuration 2 is in force");
    struct mta_session *later = open_session(rig);
    expect_word(later, "two");
    expect_word(former, "one"); /* an open connection keeps what it began with */
    mta_close(former);
    mta_close(later);

    mta_daemon_signal(&rig->daemon, SIGUSR1);
    wait_for_log(rig, "configuration 3 is in force");
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void a_broken_reload_changes_nothing(void **state)
{
    struct rig *rig = *state;
    char answer[2048];
    configure(rig, "", "hello { word = \"one\" }");
    start(rig);
    configure(rig, "", "hello { wrod = \"two\" }");
    mta_daemon_signal(&rig->daemon, SIGHUP);
    wait_for_log(rig, "stays in force");
    assert_true(log_has(rig, "wrod"));
    assert_true(log_has(rig, rig->config));
    struct mta_session *session = open_session(rig);
    expect_word(session, "one");
    mta_close(session);
    ask_control(rig, "reload\n", answer, sizeof(answer));
    assert_int_equal(strncmp(answer, "error: ", 7), 0);
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void a_thousand_signals_only_reload(void **state)
{
    struct rig *rig = *state;
    static const int numbers[] = {SIGHUP, SIGUSR1, SIGHUP, SIGWINCH};
    char answer[8192];
    configure(rig, "log_level = error", "");
    start(rig);
    for (int i = 0; i < 1000; i++) {
        mta_daemon_signal(&rig->daemon, numbers[i % 4]);
        if (i % 50 == 0)
            pause_ms(1);
    }
    struct mta_session *session = open_session(rig);
    expect_word(session, "hi");
    mta_close(session);
    ask_control(rig, "stats\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "\nreloads_failed_total 0\n"));
    assert_null(strstr(answer, "\nreloads_total 0\n"));
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void a_watched_file_reloads_by_itself(void **state)
{
    struct rig *rig = *state;
    struct am_problem problem;
    char more[160], fresh[128];
    snprintf(more, sizeof(more), "hello { file = \"%s\" }", rig->file);
    snprintf(fresh, sizeof(fresh), "%s.new", rig->file);
    assert_true(mta_write_file(rig->file, "first\n", &problem));
    configure(rig, "", more);
    start(rig);
    assert_true(mta_write_file(rig->file, "", &problem));
    wait_for_log(rig, "stays in force");
    /* The configuration file is not read for it, whatever state it is in. */
    assert_true(mta_write_file(rig->config, "half an ed", &problem));
    assert_true(mta_write_file(fresh, "second\n", &problem));
    assert_int_equal(rename(fresh, rig->file), 0);
    wait_for_log(rig, "reloaded changed files");
    struct mta_session *session = open_session(rig);
    expect_word(session, "second");
    mta_close(session);
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void drain_lets_a_message_end_and_takes_no_new_one(void **state)
{
    struct rig *rig = *state;
    char answer[512];
    configure(rig, "drain = 15s", "");
    start(rig);
    struct mta_session *busy = open_session(rig), *idle = open_session(rig);
    put_under_way(rig, busy);
    mta_daemon_signal(&rig->daemon, SIGTERM);
    wait_for_log(rig, "1 messages are under way");

    ask_control(rig, "health\n", answer, sizeof(answer));
    assert_string_equal(answer, "stopping\n");
    ask_http(rig, "GET /healthz HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 503 "));
    ask_control(rig, "reload\n", answer, sizeof(answer));
    assert_string_equal(answer, "error: the program is stopping\n");

    /* The session that was idle begins a message: refused for now, at MAIL or by its end. */
    enum mta_outcome late = begin_message(idle);
    if (late == MTA_CONTINUE)
        late = end_message(idle).outcome;
    assert_int_equal(late, MTA_TEMPFAIL);

    struct mta_reply reply = end_message(busy);
    if (reply.outcome != MTA_CONTINUE && reply.outcome != MTA_ACCEPT)
        fail_msg("%s: %s", mta_outcome_word(reply.outcome), reply.text);
    assert_non_null(mta_headers_find(&mta_message(busy)->headers, "Authentication-Results", 1));
    assert_true(mta_daemon_wait(&rig->daemon, 10000));
    assert_true(WIFEXITED(rig->daemon.status) && WEXITSTATUS(rig->daemon.status) == 0);
    mta_drop(busy);
    mta_drop(idle);
}

static void drain_has_an_end_and_a_second_term_too(void **state)
{
    struct rig *rig = *state;
    configure(rig, "drain = 200ms", "");
    start(rig);
    struct mta_session *session = open_session(rig);
    put_under_way(rig, session);
    mta_daemon_signal(&rig->daemon, SIGTERM);
    assert_true(mta_daemon_wait(&rig->daemon, 10000));
    assert_true(log_has(rig, "were cut off"));
    mta_drop(session);

    configure(rig, "drain = 5m", "");
    start(rig);
    session = open_session(rig);
    put_under_way(rig, session);
    mta_daemon_signal(&rig->daemon, SIGTERM);
    wait_for_log(rig, "1 messages are under way");
    pause_ms(100); /* two of one signal that are pending together are one */
    mta_daemon_signal(&rig->daemon, SIGTERM);
    assert_true(mta_daemon_wait(&rig->daemon, 10000));
    assert_true(log_has(rig, "told to stop again"));
    mta_drop(session);
}

static void a_second_instance_is_refused(void **state)
{
    struct rig *rig = *state;
    struct rig other = *rig;
    struct am_problem problem = {""};
    const char *argv[] = {HELLO_MILTER, "-f", "-c", rig->config, NULL};
    configure(rig, "", "");
    start(rig);
    snprintf(other.daemon.socket, sizeof(other.daemon.socket), "unix:%s/never", rig->daemon.dir);
    other.daemon.pid = 0;
    assert_false(mta_daemon_start(&other.daemon, argv, &problem));
    assert_non_null(strstr(problem.text, "another process serves on"));
    struct mta_session *session = open_session(rig);
    expect_word(session, "hi");
    mta_close(session);
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void a_killed_one_leaves_nothing_in_the_way(void **state)
{
    struct rig *rig = *state;
    struct stat status;
    configure(rig, "", "");
    start(rig);
    mta_daemon_signal(&rig->daemon, SIGKILL);
    assert_true(mta_daemon_wait(&rig->daemon, PATIENCE_MS));
    assert_int_equal(access(rig->daemon.socket + 5, F_OK), 0);
    start(rig);
    assert_true(log_has(rig, "removed the stale socket"));
    assert_int_equal(stat(rig->daemon.socket + 5, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_true(mta_daemon_stop(&rig->daemon));
}

static void figures_are_told_over_http_and_control(void **state)
{
    struct rig *rig = *state;
    static char answer[65536];
    configure(rig, "", "");
    start(rig);
    struct mta_session *session = open_session(rig);
    expect_word(session, "hi");
    mta_close(session);

    ask_http(rig, "GET /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 "));
    assert_non_null(strstr(answer, "\nauthmilter_messages_total 1\n"));
    assert_non_null(
        strstr(answer, "\nauthmilter_results_total{method=\"x-hello\",result=\"pass\"} 1\n"));
    assert_non_null(strstr(answer, "\nauthmilter_dns_lookups_total "));
    ask_http(rig, "GET /healthz HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 "));
    assert_non_null(strstr(answer, "\r\n\r\nok\n"));
    ask_http(rig, "GET / HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 404 "));
    ask_http(rig, "DELETE /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 405 "));
    ask_control(rig, "stats\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "\nmessages_total 1\n"));
    ask_control(rig, "metrics\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "# TYPE authmilter_messages_total counter"));
    ask_control(rig, "version\n", answer, sizeof(answer));
    assert_int_equal(strncmp(answer, "hello-milter ", 13), 0);
    ask_control(rig, "nonsense\n", answer, sizeof(answer));
    assert_int_equal(strncmp(answer, "error: ", 7), 0);
    assert_true(mta_daemon_stop(&rig->daemon));
}

/* Runs the program to its end and returns its exit status. */
static int run_shortly(const char *const *argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char **args = NULL;
        memcpy(&args, &argv, sizeof(args));
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        execv(args[0], args);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void exit_statuses_tell_what_went_wrong(void **state)
{
    struct rig *rig = *state;
    const char *usage[] = {HELLO_MILTER, "--nonsense", NULL};
    const char *check[] = {HELLO_MILTER, "--check-config", "-c", rig->config, NULL};
    const char *absent[] = {HELLO_MILTER, "--check-config", "-c", "/nonexistent", NULL};
    const char *background[] = {HELLO_MILTER, "-c", rig->config, NULL};
    configure(rig, "", "");
    assert_int_equal(run_shortly(usage), 64);
    assert_int_equal(run_shortly(check), 0);
    assert_int_equal(run_shortly(absent), 78);
    configure(rig, "", "hello { nonsense = 1 }");
    assert_int_equal(run_shortly(check), 78);
    assert_int_equal(run_shortly(background), 78);
    configure(rig, "user = \"no-such-user-here\"", "");
    if (geteuid() == 0)
        assert_int_equal(run_shortly(background), 71);
}

static void the_background_process_serves_when_the_command_ends(void **state)
{
    struct rig *rig = *state;
    char pid_option[128], pid_path[108];
    snprintf(pid_path, sizeof(pid_path), "%s/pid", rig->daemon.dir);
    snprintf(pid_option, sizeof(pid_option), "milter.pid_file=%s", pid_path);
    const char *background[] = {HELLO_MILTER, "-c", rig->config, "-o", pid_option, NULL};
    configure(rig, "", "");
    assert_int_equal(run_shortly(background), 0);
    struct mta_session *session = open_session(rig);
    assert_non_null(session);
    expect_word(session, "hi");
    mta_close(session);
    char *pid = mta_read_file(pid_path);
    assert_non_null(pid);
    assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGTERM), 0);
    free(pid);
    for (int waited = 0; access(pid_path, F_OK) == 0 && waited < PATIENCE_MS; waited += 10)
        pause_ms(10);
    assert_int_not_equal(access(pid_path, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(term_ends_an_idle_program_at_once),
        TEST(hup_and_usr1_reload),
        TEST(a_broken_reload_changes_nothing),
        TEST(a_thousand_signals_only_reload),
        TEST(a_watched_file_reloads_by_itself),
        TEST(drain_lets_a_message_end_and_takes_no_new_one),
        TEST(drain_has_an_end_and_a_second_term_too),
        TEST(a_second_instance_is_refused),
        TEST(a_killed_one_leaves_nothing_in_the_way),
        TEST(figures_are_told_over_http_and_control),
        TEST(exit_statuses_tell_what_went_wrong),
        TEST(the_background_process_serves_when_the_command_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
