/* The MTA's side against a milter that says whatever it likes: prepared bytes on a socket. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "authmilter/mta/fields.h"
#include "authmilter/mta/mta.h"
#include "authmilter/mta/player.h"

/* Long enough for any machine where an answer is due; a moment where silence is the point. */
enum { PATIENCE_MS = 20000, MOMENT_MS = 50 };

struct peer {
    struct am_buf bytes;
    int fd;
};

static void peer_begin(struct peer *peer)
{
    peer->fd = -1;
    am_buf_init(&peer->bytes, 0);
}

static void say(struct peer *peer, char answer, const char *content, size_t len)
{
    mta_put_packet(&peer->bytes, answer, am_span_of(content, len));
}

#define SAY(PEER, ANSWER, TEXT) say(PEER, ANSWER, TEXT, sizeof(TEXT) - 1)

static void agree(struct peer *peer, uint32_t version, uint32_t actions, uint32_t steps)
{
    struct am_buf terms;
    am_buf_init(&terms, 0);
    mta_put_u32(&terms, version);
    mta_put_u32(&terms, actions);
    mta_put_u32(&terms, steps);
    say(peer, MTA_CMD_NEGOTIATE, terms.data, terms.len);
    am_buf_fini(&terms);
}

/* Opens the session; the peer has said all it will. `silent`: it stays there, else it is gone. */
static struct mta_session *open_it(struct peer *peer, bool silent, struct am_problem *problem)
{
    int pair[2];
    struct mta_options options = {.timeout_ms = silent ? MOMENT_MS : PATIENCE_MS};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    peer->fd = pair[1];
    assert_int_equal(write(peer->fd, peer->bytes.data, peer->bytes.len), peer->bytes.len);
    if (!silent)
        shutdown(peer->fd, SHUT_WR);
    return mta_adopt(pair[0], &options, problem);
}

static void peer_end(struct peer *peer)
{
    close(peer->fd);
    am_buf_fini(&peer->bytes);
}

static void assert_no_session(struct peer *peer, bool silent, const char *part)
{
    struct am_problem problem = {""};
    struct mta_session *session = open_it(peer, silent, &problem);
    assert_null(session);
    if (strstr(problem.text, part) == NULL)
        fail_msg("expected \"%s\", got \"%s\"", part, problem.text);
    peer_end(peer);
}

static void negotiations_are_checked(void **state)
{
    struct peer peer;
    (void)state;
    peer_begin(&peer);
    assert_no_session(&peer, true, "did not answer in time");
    peer_begin(&peer);
    assert_no_session(&peer, false, "closed the connection");
    peer_begin(&peer);
    am_buf_add_str(&peer.bytes, "SSH-2.0-OpenSSH_9.2\r\n");
    assert_no_session(&peer, false, "packet of 1397966893 bytes");
    peer_begin(&peer);
    am_buf_add(&peer.bytes, am_span_of("\0\0\0\0", 4));
    assert_no_session(&peer, false, "packet of 0 bytes");
    peer_begin(&peer);
    SAY(&peer, MTA_ANS_CONTINUE, "");
    assert_no_session(&peer, false, "answered with 'c'");
    peer_begin(&peer);
    SAY(&peer, '\x01', "");
    assert_no_session(&peer, false, "answered with '?' (1)");
    peer_begin(&peer);
    SAY(&peer, MTA_CMD_NEGOTIATE, "\0\0\0\6");
    assert_no_session(&peer, false, "version 6 is not one");
    peer_begin(&peer);
    agree(&peer, 7, 0, 0);
    assert_no_session(&peer, false, "version 7 is not one");
    peer_begin(&peer);
    agree(&peer, 6, 0x1000, 0);
    assert_no_session(&peer, false, "asked for actions 0x1000");
}

/* Plays connect after an agreement and one answer. */
static struct mta_reply answer_of(char answer, const char *content, size_t len, char text[1024])
{
    static const struct mta_peer client = {"mail.example.com", '4', 25, "192.0.2.1"};
    struct am_problem problem = {""};
    struct peer peer;
    peer_begin(&peer);
    agree(&peer, 6, MTA_ACT_ALL, 0);
    say(&peer, answer, content, len);
    struct mta_session *session = open_it(&peer, false, &problem);
    assert_non_null(session);
    struct mta_reply reply = mta_connect(session, &client);
    snprintf(text, 1024, "%s", reply.text);
    mta_close(session);
    peer_end(&peer);
    return reply;
}

static void replies_are_checked(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        enum mta_outcome outcome;
        const char *text;
    } rows[] = {
#define ROW(TEXT, OUTCOME, EXPECTED) {TEXT, sizeof(TEXT), OUTCOME, EXPECTED}
        ROW("550 5.7.1 no", MTA_REJECT, "550 5.7.1 no"),
        ROW("451 100%% later", MTA_TEMPFAIL, "451 100% later"),
        ROW("550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three", MTA_REJECT,
            "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three"),
        ROW("550-5.7.1 one\r\n551 5.7.1 two", MTA_ERROR, "malformed reply text"),
        ROW("550 5.7.1 one\r\n550 5.7.1 two", MTA_ERROR, "malformed reply text"),
        ROW("550-5.7.1 one\r\n", MTA_ERROR, "malformed reply text"),
        ROW("550-5.7.1 one", MTA_ERROR, "malformed reply text"),
        ROW("550 one\n550 two", MTA_ERROR, "malformed reply text"),
        ROW("250 fine", MTA_ERROR, "malformed reply text"),
        ROW("5501 fine", MTA_ERROR, "malformed reply text"),
        ROW("55", MTA_ERROR, "malformed reply text"),
        ROW("550 two\0strings", MTA_ERROR, "malformed reply text"),
#undef ROW
    };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mta_reply reply = answer_of(MTA_ANS_REPLY_CODE, rows[i].content, rows[i].len, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(reply.outcome, rows[i].outcome);
    }
    assert_int_equal(answer_of(MTA_ANS_REPLY_CODE, "550 no end", 10, text).outcome, MTA_ERROR);
    assert_int_equal(answer_of(MTA_ANS_CONTINUE, "more", 4, text).outcome, MTA_ERROR);
    assert_int_equal(answer_of(MTA_ANS_SKIP, "", 0, text).outcome, MTA_ERROR);
    assert_int_equal(answer_of(MTA_ANS_ADD_HEADER, "A\0b", 4, text).outcome, MTA_ERROR);
    assert_int_equal(answer_of(MTA_ANS_SHUTDOWN, "", 0, text).outcome, MTA_SHUTDOWN);
    assert_int_equal(answer_of(MTA_ANS_CONN_FAIL, "", 0, text).outcome, MTA_CONN_FAIL);
}

static void silence_ends_a_step(void **state)
{
    struct am_problem problem = {""};
    struct peer peer;
    (void)state;
    peer_begin(&peer);
    agree(&peer, 6, MTA_ACT_ALL, 0);
    am_buf_add(&peer.bytes, am_span_of("\0\0\0\5", 4)); /* of a packet that never comes whole */
    struct mta_session *session = open_it(&peer, true, &problem);
    assert_non_null(session);
    struct mta_reply reply = mta_helo(session, "mail.example.com");
    assert_int_equal(reply.outcome, MTA_ERROR);
    assert_string_equal(reply.text, "the milter did not answer in time");
    assert_int_equal(mta_eom(session).outcome, MTA_ERROR);
    assert_int_equal(mta_socket(session), -1);
    mta_close(session);
    peer_end(&peer);
}

static void signs_of_life_do_not_go_on_for_ever(void **state)
{
    struct am_problem problem = {""};
    struct peer peer;
    (void)state;
    peer_begin(&peer);
    agree(&peer, 6, MTA_ACT_ALL, 0);
    struct mta_session *session = open_it(&peer, true, &problem);
    assert_non_null(session);
    /* Each sign comes within the time-out; the step has a limit of its own. */
    int ours = mta_socket(session);
    pid_t child = fork();
    if (child == 0) {
        close(ours);
        for (;;) {
            if (send(peer.fd, "\0\0\0\1p", 5, MSG_NOSIGNAL) != 5)
                _exit(0);
            usleep(5000);
        }
    }
    struct mta_reply reply = mta_eom(session);
    assert_int_equal(reply.outcome, MTA_ERROR);
    assert_true(mta_message(session)->progress > 0);
    mta_close(session);
    peer_end(&peer);
    assert_int_equal(waitpid(child, NULL, 0), child); /* its sending fails now */
}

static void edits_are_counted(void **state)
{
    struct am_problem problem = {""};
    struct mta_player player = {.going = true};
    struct peer peer;
    (void)state;
    peer_begin(&peer);
    agree(&peer, 6, MTA_ACT_ALL, 0);
    for (int i = 0; i < 3; i++)
        SAY(&peer, MTA_ANS_ADD_HEADER, "X-A\0one\0");
    SAY(&peer, MTA_ANS_ADD_HEADER, "X-B\0one\nX-Forged: two\0");
    SAY(&peer, MTA_ANS_ACCEPT, "");
    player.session = open_it(&peer, false, &problem);
    assert_non_null(player.session);
    assert_int_equal(mta_eom(player.session).outcome, MTA_ACCEPT);
    assert_int_equal(mta_message(player.session)->log.count, 4);
    mta_player_check_edits(&player, NULL);
    assert_int_equal(player.failures, 1);
    mta_player_end(&player);
    peer_end(&peer);
}

static void what_was_not_agreed_is_refused(void **state)
{
    struct am_problem problem = {""};
    struct peer peer;
    (void)state;
    peer_begin(&peer);
    agree(&peer, 6, MTA_ACT_ADD_HEADERS, MTA_STEP_NO_HELO | MTA_STEP_NR_MAIL);
    SAY(&peer, MTA_ANS_QUARANTINE, "held\0");
    struct mta_session *session = open_it(&peer, false, &problem);
    assert_non_null(session);
    assert_int_equal(mta_helo(session, "x").path, MTA_NOT_SENT);
    assert_int_equal(mta_mail(session, "<>", NULL, 0).path, MTA_NOT_ANSWERED);
    assert_int_equal(mta_rcpt_rejected(session, "<a>", NULL, 0, "5.1.1", "no").path, MTA_NOT_SENT);
    struct mta_reply reply = mta_eom(session);
    assert_int_equal(reply.outcome, MTA_ERROR);
    assert_string_equal(reply.text, "edit 'q' was not negotiated");
    mta_close(session);
    peer_end(&peer);
}

/* The one who listens: says its bytes to the first who comes. */
static void *serve(void *argument)
{
    struct peer *peer = argument;
    char drop[4096];
    int fd = accept(peer->fd, NULL, NULL);
    bool said = fd >= 0 && write(fd, peer->bytes.data, peer->bytes.len) == (ssize_t)peer->bytes.len;
    while (said && read(fd, drop, sizeof(drop)) > 0)
        continue;
    close(fd);
    return NULL;
}

static void over_inet(sa_family_t family)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.any.sa_family = family};
    socklen_t len = family == AF_INET ? sizeof(address.four) : sizeof(address.six);
    struct am_problem problem = {""};
    struct peer peer;
    pthread_t thread;
    char socket_text[64];
    peer_begin(&peer);
    agree(&peer, 2, 0, 0);
    SAY(&peer, MTA_ANS_REJECT, "");
    if (family == AF_INET)
        address.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        address.six.sin6_addr = in6addr_loopback;
    peer.fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer.fd < 0 || bind(peer.fd, &address.any, len) != 0) {
        peer_end(&peer);
        skip(); /* a machine without IPv6 */
    }
    assert_int_equal(listen(peer.fd, 1), 0);
    assert_int_equal(getsockname(peer.fd, &address.any, &len), 0);
    unsigned port = ntohs(family == AF_INET ? address.four.sin_port : address.six.sin6_port);
    snprintf(socket_text, sizeof(socket_text),
             family == AF_INET ? "inet:%u@127.0.0.1" : "inet6:%u@[::1]", port);
    assert_int_equal(pthread_create(&thread, NULL, serve, &peer), 0);
    struct mta_options options = {.socket = socket_text, .timeout_ms = PATIENCE_MS, .version = 2};
    struct mta_session *session = mta_open(&options, &problem);
    if (session == NULL)
        fail_msg("%s", problem.text);
    assert_int_equal(mta_terms(session)->version, 2);
    assert_int_equal(mta_mail(session, "<a>", NULL, 0).outcome, MTA_REJECT);
    mta_close(session);
    pthread_join(thread, NULL);
    peer_end(&peer);
}

static void it_speaks_over_inet(void **state)
{
    (void)state;
    over_inet(AF_INET);
}

static void it_speaks_over_inet6(void **state)
{
    (void)state;
    over_inet(AF_INET6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiations_are_checked),
        cmocka_unit_test(replies_are_checked),
        cmocka_unit_test(silence_ends_a_step),
        cmocka_unit_test(signs_of_life_do_not_go_on_for_ever),
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(what_was_not_agreed_is_refused),
        cmocka_unit_test(it_speaks_over_inet),
        cmocka_unit_test(it_speaks_over_inet6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
