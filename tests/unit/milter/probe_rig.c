#include "tests/unit/milter/probe_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int probe_rig_set_up(void **state)
{
    struct probe_rig *rig = calloc(1, sizeof(*rig));
    struct am_problem problem;
    if (rig == NULL || !mta_daemon_prepare(&rig->daemon, &problem))
        return -1;
    snprintf(rig->config, sizeof(rig->config), "%s/conf", rig->daemon.dir);
    snprintf(rig->trace, sizeof(rig->trace), "%s/trace", rig->daemon.dir);
    snprintf(rig->control, sizeof(rig->control), "%s/control", rig->daemon.dir);
    *state = rig;
    return 0;
}

int probe_rig_tear_down(void **state)
{
    struct probe_rig *rig = *state;
    mta_drop(rig->session);
    mta_daemon_discard(&rig->daemon);
    free(rig);
    return 0;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

void probe_start(struct probe_rig *rig, const struct probe_setup *setup)
{
    char text[2048];
    struct am_problem problem = {""};
    const char *argv[] = {PROBE_MILTER, "-f", "-c", rig->config, NULL};
    snprintf(text, sizeof(text),
             "milter { socket = \"%s\" socket_group = \"\" control_socket = \"%s\" %s }\n"
             "authres { authserv_id = \"mx.test\" %s }\n"
             "dns { nameservers = { \"127.0.0.1:9\" } }\n"
             "probe { trace = \"%s\" %s }\nsecond { trace = \"%s\" %s }\n",
             rig->daemon.socket, rig->control, or_empty(setup->milter), or_empty(setup->authres),
             rig->trace, or_empty(setup->probe), setup->second == NULL ? "" : rig->trace,
             or_empty(setup->second));
    assert_true(mta_write_file(rig->config, text, &problem));
    if (!mta_daemon_start(&rig->daemon, argv, &problem))
        fail_msg("%s", problem.text);
}

void probe_stop(struct probe_rig *rig)
{
    probe_close(rig);
    bool clean = mta_daemon_stop(&rig->daemon);
    char *log = mta_daemon_read_log(&rig->daemon);
    if (!clean || log == NULL || strstr(log, "Sanitizer") != NULL ||
        strstr(log, "runtime error") != NULL)
        fail_msg("it did not end cleanly:\n%s", or_empty(log));
    free(log);
    unlink(rig->daemon.log);
    unlink(rig->trace);
}

void probe_close(struct probe_rig *rig)
{
    mta_close(rig->session);
    rig->session = NULL;
}

struct mta_session *probe_open(struct probe_rig *rig, const struct mta_options *offer)
{
    struct mta_options options = offer == NULL ? (struct mta_options){0} : *offer;
    struct am_problem problem = {""};
    probe_close(rig);
    options.socket = rig->daemon.socket;
    options.timeout_ms = PATIENCE_MS;
    rig->session = mta_open(&options, &problem);
    if (rig->session == NULL)
        fail_msg("%s", problem.text);
    return rig->session;
}

static const struct mta_peer client = {"mail.example.com", '4', 2525, "192.0.2.1"};

struct mta_session *probe_greet(struct probe_rig *rig, const char *script)
{
    struct mta_session *session = probe_open(rig, NULL);
    mta_set_macro(session, MTA_CMD_CONNECT, "{probe}", script);
    assert_int_equal(mta_connect(session, &client).outcome, MTA_CONTINUE);
    assert_int_equal(mta_helo(session, "mail.example.com").outcome, MTA_CONTINUE);
    return session;
}

void probe_say(struct mta_session *session, const char *module, const char *script)
{
    mta_set_macro(session, MTA_CMD_MAIL, module, script);
}

/* Takes an answer. Returns false when the message is over for the milter. */
static bool take(struct probe_answer *answer, const char *stage, struct mta_reply reply)
{
    if (reply.outcome == MTA_ERROR)
        fail_msg("at %s: %s", stage, reply.text);
    if (reply.outcome == MTA_CONTINUE)
        return true;
    if (answer->stage[0] == '\0') {
        answer->stage = stage;
        answer->outcome = reply.outcome;
        snprintf(answer->text, sizeof(answer->text), "%s", reply.text);
    }
    return (strcmp(stage, "rcpt") == 0 || strcmp(stage, "unknown") == 0) &&
           (reply.outcome == MTA_REJECT || reply.outcome == MTA_TEMPFAIL);
}

static bool send_headers(struct mta_session *session, struct probe_answer *answer,
                         const char *headers)
{
    char name[64], value[256];
    int used = 0;
    for (; sscanf(headers, "%63[^:]:%255[^|]|%n", name, value, &used) == 2; headers += used) {
        if (!take(answer, "header", mta_header(session, name, value)))
            return false;
    }
    return true;
}

static void send_message(struct mta_session *session, struct probe_answer *answer,
                         const char *headers)
{
    static const char *const size[] = {"SIZE=1000"};
    if (!take(answer, "mail", mta_mail(session, "<a@example.com>", size, 1)) ||
        !take(answer, "rcpt", mta_rcpt(session, "<b@example.net>", NULL, 0)) ||
        !take(answer, "rcpt", mta_rcpt(session, "<c@example.net>", NULL, 0)) ||
        !take(answer, "unknown", mta_unknown(session, "XYZZY")))
        return;
    mta_set_macro(session, MTA_CMD_DATA, "i", "QUEUE1");
    mta_set_macro(session, MTA_CMD_EOM, "i", "QUEUE1");
    if (!take(answer, "data", mta_data(session)) || !send_headers(session, answer, headers) ||
        !take(answer, "eoh", mta_eoh(session)) ||
        !take(answer, "body", mta_body(session, am_span_str("one\r\n"))) ||
        !take(answer, "body", mta_body(session, am_span_str("two\r\n"))))
        return;
    struct mta_reply reply = mta_eom(session);
    answer->end = reply.outcome;
    take(answer, "eom", reply);
}

struct probe_answer probe_send(struct mta_session *session, const char *headers)
{
    struct probe_answer answer = {.stage = ""};
    send_message(session, &answer, headers);
    return answer;
}

struct probe_answer probe_send_all(struct mta_session *session)
{
    struct probe_answer answer = {.stage = ""};
    if (take(&answer, "connect", mta_connect(session, &client)) &&
        take(&answer, "helo", mta_helo(session, "mail.example.com")))
        send_message(session, &answer, "Subject: hi|");
    return answer;
}

/* --- what the program says --- */

void probe_expect(struct probe_rig *rig, const char *expected)
{
    char *trace = NULL;
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        free(trace);
        trace = mta_read_file(rig->trace);
        size_t len = trace == NULL ? 0 : strlen(trace);
        if (len >= strlen(expected))
            break;
        pause_ms(10);
    }
    assert_string_equal(or_empty(trace), expected);
    free(trace);
    probe_forget(rig);
}

void probe_forget(struct probe_rig *rig)
{
    if (truncate(rig->trace, 0) < 0)
        fail_msg("no trace");
}

size_t probe_trace_count(const struct probe_rig *rig, const char *text)
{
    size_t count = 0;
    char *trace = mta_read_file(rig->trace);
    for (const char *at = trace; at != NULL && (at = strstr(at, text)) != NULL; at++)
        count++;
    free(trace);
    return count;
}

/* Waits for a text in a file, behind the last `mark` if one is given. */
static void wait_for(const char *path, const char *mark, const char *text)
{
    char *all = NULL;
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        free(all);
        all = mta_read_file(path);
        const char *from = all;
        for (const char *at = all; mark != NULL && at != NULL; at = strstr(at + 1, mark))
            from = at;
        if (from != NULL && strstr(from, text) != NULL) {
            free(all);
            return;
        }
        pause_ms(10);
    }
    fail_msg("\"%s\" never came in:\n%s", text, or_empty(all));
}

void probe_wait_trace(struct probe_rig *rig, const char *text)
{
    wait_for(rig->trace, NULL, text);
}

void probe_wait_log(struct probe_rig *rig, const char *text)
{
    wait_for(rig->daemon.log, NULL, text);
}

void probe_wait_decision(struct probe_rig *rig, const char *text)
{
    wait_for(rig->daemon.log, "event=", text);
}

long probe_figure(const struct probe_rig *rig, const char *name)
{
    static char answer[65536];
    char line[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t used = 0;
    ssize_t got;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, rig->control, strlen(rig->control) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, "stats\n", 6), 6);
    while ((got = read(fd, answer + used, sizeof(answer) - 1 - used)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    close(fd);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(answer, line);
    return at == NULL ? -1 : strtol(at + strlen(line), NULL, 10);
}

void probe_expect_headers(const struct mta_session *session, const char *expected)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    mta_headers_print(&mta_message(session)->headers, &text);
    assert_string_equal(am_buf_str(&text), expected);
    am_buf_fini(&text);
}
