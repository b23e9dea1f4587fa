#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/milter/native_conn.h"
#include "script_module.h"

/* Packets become events and verdicts become packets; the last tests do so over a socket. */

#define ALL_STEPS 0x1fffff
#define ALL_ACTIONS 0x1ff

static struct fixture fixture;
static struct script a;
static struct am_buf calls, sent;
static struct am_native_shared shared;
static struct am_native_session session;

static bool collect(void *user, struct am_buf *out)
{
    am_buf_add(user, am_buf_span(out));
    am_buf_clear(out);
    return !sent.failed;
}

static void set_up(unsigned wants, unsigned answers)
{
    fixture_init(&fixture);
    am_buf_init(&calls, 0);
    am_buf_init(&sent, 0);
    memset(&a, 0, sizeof(a));
    script_add(&fixture, &script_a, &a, &calls, wants, answers);
    memset(&shared, 0, sizeof(shared));
    shared.runtime = am_snapshot_holder_new();
    assert_non_null(shared.runtime);
    am_snapshot_ref(&fixture.runtime.snapshot);
    am_snapshot_swap(shared.runtime, &fixture.runtime.snapshot);
    am_native_session_init(&session, &shared, NULL, &(struct am_native_sink){collect, &sent});
}

static void tear_down(void)
{
    am_native_session_fini(&session);
    am_snapshot_holder_free(shared.runtime);
    fixture_fini(&fixture);
    am_buf_fini(&calls);
    am_buf_fini(&sent);
}

static bool give(char command, const char *content, size_t len)
{
    /* A copy of its own, so that a sanitizer sees whoever reads beyond it. */
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, content, len);
    const struct am_native_packet packet = {command, am_span_of(copy, len)};
    bool goes_on = am_native_session_packet(&session, &packet);
    free(copy);
    collect(&sent, &session.out);
    return goes_on;
}

#define GIVE(command, literal) give(command, literal, sizeof(literal) - 1)

/* The answers since the last call, by their command bytes. */
static const char *answers(void)
{
    static char bytes[64];
    struct am_span rest = am_buf_span(&sent);
    struct am_native_packet packet;
    size_t count = 0;

    while (rest.len > 0 && count + 1 < sizeof(bytes)) {
        assert_int_equal(am_native_packet_take(&rest, &packet), AM_NATIVE_TAKEN);
        bytes[count++] = packet.command;
    }
    bytes[count] = '\0';
    am_buf_clear(&sent);
    return bytes;
}

static void negotiate(uint32_t actions, uint32_t steps)
{
    struct am_buf offer;

    am_buf_init(&offer, 0);
    am_native_put_u32(&offer, 6);
    am_native_put_u32(&offer, actions);
    am_native_put_u32(&offer, steps);
    assert_true(give(AM_NATIVE_NEGOTIATE, offer.data, offer.len));
    am_buf_fini(&offer);
    assert_string_equal(answers(), "O");
}

static void begin(uint32_t actions, uint32_t steps)
{
    negotiate(actions, steps);
    assert_true(GIVE('C', "client.example\0"
                          "4\0\31"
                          "192.0.2.1\0"));
    assert_true(GIVE('H', "client.example\0"));
}

static void silence_is_kept_where_it_was_agreed(void **state)
{
    (void)state;
    set_up(ALL_STAGES, AM_STAGE_ENVRCPT);
    begin(ALL_ACTIONS, ALL_STEPS);
    assert_true(GIVE('M', "<s@example.com>\0SIZE=5\0"));
    assert_string_equal(answers(), "");
    assert_true(GIVE('R', "<r@example.org>\0"));
    assert_string_equal(answers(), "c");
    assert_true(GIVE('T', "") && GIVE('L', "Name\0value\0") && GIVE('N', "") && GIVE('B', "text"));
    assert_string_equal(answers(), "");
    assert_true(GIVE('E', ""));
    assert_string_equal(answers(), "ic");
    tear_down();
}

static void everything_is_answered_when_nothing_is_offered(void **state)
{
    (void)state;
    set_up(ALL_STAGES, 0);
    begin(0, 0);
    assert_string_equal(answers(), "cc");
    assert_true(GIVE('M', "<s@example.com>\0"));
    assert_true(GIVE('R', "<r@example.org>\0"));
    assert_true(GIVE('T', "") && GIVE('L', "Name\0value\0") && GIVE('N', "") && GIVE('B', "text"));
    assert_true(GIVE('U', "BOGUS\0"));
    assert_true(GIVE('A', ""));
    assert_string_equal(answers(), "ccccccc");
    tear_down();
}

static void the_last_chunk_may_come_with_the_end(void **state)
{
    (void)state;
    set_up(ALL_STAGES, 0);
    begin(ALL_ACTIONS, ALL_STEPS);
    assert_true(GIVE('M', "<s@example.com>\0"));
    am_buf_clear(&calls);
    assert_true(GIVE('E', "last"));
    assert_non_null(strstr(am_buf_str(&calls), "a.body\na.eom\n"));
    assert_string_equal(answers(), "ic");
    tear_down();
}

static void a_reply_goes_with_its_verdict_only(void **state)
{
    (void)state;
    set_up(ALL_STAGES, AM_STAGE_ENVFROM);
    begin(ALL_ACTIONS, ALL_STEPS);
    a.at_mail = AM_REJECT;
    a.code = 550;
    a.xcode = "5.7.1";
    a.text = "one 5%\ntwo";
    assert_true(GIVE('M', "<s@example.com>\0"));
    const char wire[] = "\0\0\0\42y550-5.7.1 one 5%%\r\n550 5.7.1 two";
    assert_int_equal(sent.len, sizeof(wire));
    assert_memory_equal(sent.data, wire, sizeof(wire));
    assert_string_equal(answers(), "y");
    a.code = 0;
    assert_true(GIVE('M', "<s@example.com>\0"));
    assert_string_equal(answers(), "r");
    tear_down();
}

static void commands_out_of_order_do_no_harm(void **state)
{
    (void)state;
    set_up(ALL_STAGES, ALL_STAGES);
    negotiate(ALL_ACTIONS, 0);
    assert_true(GIVE('A', "") && GIVE('E', "") && GIVE('R', "<r@example.org>\0") && GIVE('N', "") &&
                GIVE('B', "x") && GIVE('T', "") && GIVE('L', "A\0b\0"));
    assert_string_equal(answers(), "cccccc");
    assert_true(GIVE('M', "<s@example.com>\0") && GIVE('M', "<s@example.com>\0"));
    assert_true(GIVE('C', "other\0U"));
    assert_true(GIVE('E', "") && GIVE('H', "again\0") && GIVE('A', "") && GIVE('A', ""));
    assert_string_equal(answers(), "ccccc");
    tear_down();
}

static void a_second_connection_needs_no_negotiation(void **state)
{
    (void)state;
    set_up(ALL_STAGES, 0);
    begin(ALL_ACTIONS, ALL_STEPS);
    assert_true(GIVE('M', "<s@example.com>\0"));
    assert_true(GIVE('K', ""));
    assert_null(session.session);
    assert_true(GIVE('C', "next.example\0"
                          "6\0\31IPv6:2001:db8::1\0"));
    assert_string_equal(session.session->info.client_text, "2001:db8::1");
    assert_string_equal(session.session->info.client_name, "next.example");
    assert_true(GIVE('M', "<s@example.com>\0") && GIVE('E', ""));
    assert_string_equal(answers(), "ic");
    assert_false(GIVE('Q', ""));
    assert_null(session.why);
    tear_down();
}

static void expect_refused(char command, const char *content, size_t len, bool negotiated)
{
    set_up(ALL_STAGES, 0);
    if (negotiated)
        begin(ALL_ACTIONS, ALL_STEPS);
    assert_false(give(command, content, len));
    assert_non_null(session.why);
    tear_down();
}

#define REFUSED(command, literal) expect_refused(command, literal, sizeof(literal) - 1, true)

static void malformed_packets_end_the_connection(void **state)
{
    (void)state;
    REFUSED('C', "name");
    REFUSED('C', "name\0"
                 "4");
    REFUSED('C', "name\0"
                 "4\0\31not an address\0");
    REFUSED('C', "name\0"
                 "9\0\31"
                 "192.0.2.1\0");
    REFUSED('H', "name");
    REFUSED('H', "");
    REFUSED('M', "");
    REFUSED('M', "<s@example.com>");
    REFUSED('R', "<r@example.com>\0SIZE");
    REFUSED('L', "Name\0value");
    REFUSED('L', "Name");
    REFUSED('D', "");
    REFUSED('D', "Mi\0value");
    REFUSED('O', "\0\0\0\6\0\0\0\0\0\0\0");
    REFUSED('O', "\0\0\0\1\0\0\0\0\0\0\0\0");
    REFUSED('U', "no end");
    REFUSED('x', "");
    expect_refused('M', "<s@example.com>", 16, false);
    expect_refused('O', "", 0, false);
}

static void words_without_end_are_refused(void **state)
{
    (void)state;
    char words[2000] = {'<', '>', '\0'};

    memset(words + 3, 0, sizeof(words) - 3);
    expect_refused('M', words, sizeof(words), true);
}

static void replace_with_much(struct am_eom_ctx *eom)
{
    static char text[300000];
    struct am_ctx *ctx = am_eom_ctx_base(eom);

    (void)ctx;
    memset(text, 'x', sizeof(text));
    (void)am_eom_replace_body(eom, am_span_of(text, sizeof(text)));
}

static struct am_module changing_module(void)
{
    struct am_module module = script_a;

    module.actions |= AM_ACTION_CHANGE_BODY;
    return module;
}

static void a_body_is_sent_in_chunks(void **state)
{
    (void)state;
    struct am_module module = changing_module();

    set_up(ALL_STAGES, 0);
    fixture.modules[0].module = &module;
    a.edit = replace_with_much;
    begin(ALL_ACTIONS, ALL_STEPS);
    assert_true(GIVE('M', "<s@example.com>\0") && GIVE('E', ""));
    assert_string_equal(answers(), "bbbbbic");
    tear_down();
}

/* --- over a socket --- */

static void no_wait(void)
{
}

static struct am_native_line line = {.stop_fd = -1, .write_timeout_ms = 50, .before_wait = no_wait};

static struct am_native_conn *open_conn(int *other)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *other = pair[1];
    struct am_native_conn *conn = am_native_conn_new(pair[0], &line, &shared, NULL);
    assert_non_null(conn);
    return conn;
}

static const char whole_talk[] = "\0\0\0\15O\0\0\0\6\0\0\1\377\0\37\377\377"
                                 "\0\0\0\35Cclient.example\0"
                                 "4\0\31"
                                 "192.0.2.1\0"
                                 "\0\0\0\20Hclient.example\0"
                                 "\0\0\0\21M<s@example.com>\0"
                                 "\0\0\0\1E";

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    int other;
    char room[AM_NATIVE_READ_MAX], answer[4096];
    struct am_native_scratch scratch = {.in = room};

    set_up(ALL_STAGES, 0);
    am_buf_init(&scratch.out, 0);
    struct am_native_conn *conn = open_conn(&other);
    for (size_t i = 0; i < sizeof(whole_talk) - 1; i++) {
        assert_int_equal(write(other, whole_talk + i, 1), 1);
        assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_READ);
    }
    ssize_t got = read(other, answer, sizeof(answer));
    assert_true(got > 10);
    assert_int_equal(answer[got - 1], 'c');
    assert_null(conn->in);
    assert_null(conn->session.out.data);
    close(other);
    assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_CLOSE);
    am_native_conn_free(conn);
    am_buf_fini(&scratch.out);
    tear_down();
}

/* The number of times that the module was called for the body. */
static size_t body_calls(void)
{
    size_t count = 0;

    am_buf_add_char(&calls, '\0');
    for (const char *at = calls.data; (at = strstr(at, "a.body")) != NULL; at++)
        count++;
    calls.len--;
    return count;
}

/*
 * Two body packets, cut anywhere: the module gets a piece as soon as it is there, nothing
 * of it is kept, and each packet has one answer.
 */
static void a_body_is_served_in_pieces(void **state)
{
    (void)state;
    static const char head[] = "\0\0\0\15O\0\0\0\6\0\0\1\377\0\0\0\0"
                               "\0\0\0\21M<s@example.com>\0"
                               "\0\0\0\1N";
    static const char body[] = "\0\0\0\11B12345678\0\0\0\3Bab\0\0\0\1E";
    static const size_t head_len = sizeof(head) - 1, body_len = sizeof(body) - 1;

    for (size_t cut = 1; cut < body_len; cut++) {
        int other;
        char room[AM_NATIVE_READ_MAX], answer[4096];
        struct am_native_scratch scratch = {.in = room};

        set_up(ALL_STAGES, ALL_STAGES);
        struct am_native_conn *conn = open_conn(&other);
        assert_int_equal(write(other, head, head_len), head_len);
        assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_READ);
        assert_true(read(other, answer, sizeof(answer)) > 0);
        assert_int_equal(write(other, body, cut), cut);
        assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_READ);
        if (cut > 5 && cut < 13)
            assert_null(conn->in);
        assert_int_equal(write(other, body + cut, body_len - cut), body_len - cut);
        assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_READ);
        ssize_t got = read(other, answer, sizeof(answer));
        assert_true(got > 15);
        assert_memory_equal(answer, "\0\0\0\1c\0\0\0\1c\0\0\0", 13);
        assert_memory_equal(answer + got - 5, "\0\0\0\1c", 5);
        size_t pieces = (cut > 5 && cut < 13) || cut == 19 ? 3 : 2;
        assert_int_equal(body_calls(), pieces);
        am_native_conn_free(conn);
        am_buf_fini(&scratch.out);
        close(other);
        tear_down();
    }
}

/* What is said about a piece is the answer to the whole, and the rest of it is seen by nobody. */
static void a_verdict_waits_for_the_last_piece(void **state)
{
    (void)state;

    set_up(ALL_STAGES, ALL_STAGES);
    a.at_body = AM_REJECT;
    a.code = 550;
    a.xcode = "5.7.1";
    a.text = "no";
    begin(ALL_ACTIONS, 0);
    assert_true(GIVE('M', "<s@example.com>\0") && GIVE('N', ""));
    (void)answers();
    assert_true(am_native_session_body_piece(&session, am_span_str("one"), false));
    assert_true(am_native_session_body_piece(&session, am_span_str("two"), false));
    assert_int_equal(session.out.len, 0);
    assert_true(am_native_session_body_piece(&session, am_span_str("three"), true));
    collect(&sent, &session.out);
    assert_string_equal(answers(), "y");
    assert_int_equal(body_calls(), 1);
    tear_down();
}

static void pieces_need_a_negotiation(void **state)
{
    (void)state;

    set_up(ALL_STAGES, 0);
    assert_false(am_native_session_body_piece(&session, am_span_str("text"), false));
    assert_non_null(session.why);
    tear_down();
}

static void a_long_packet_is_refused_by_its_length(void **state)
{
    (void)state;
    int other;
    char room[AM_NATIVE_READ_MAX];
    struct am_native_scratch scratch = {.in = room};

    set_up(ALL_STAGES, 0);
    struct am_native_conn *conn = open_conn(&other);
    assert_int_equal(write(other, "\x7f\xff", 2), 2);
    assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_READ);
    assert_int_equal(write(other, "\xff\xff", 2), 2);
    assert_int_equal(am_native_conn_turn(conn, &scratch), AM_NATIVE_CLOSE);
    assert_non_null(conn->session.why);
    am_native_conn_free(conn);
    close(other);
    tear_down();
}

/* Edits beyond what the socket takes: given up after the time-out, with bounded memory. */
static void an_mta_that_does_not_read_is_given_up(void **state)
{
    (void)state;
    int other, small = 4096;
    char room[AM_NATIVE_READ_MAX];
    struct am_native_scratch scratch = {.in = room};
    struct am_module module = changing_module();
    static const char talk[] = "\0\0\0\15O\0\0\0\6\0\0\1\377\0\37\377\377"
                               "\0\0\0\21M<s@example.com>\0"
                               "\0\0\0\1E";

    set_up(ALL_STAGES, 0);
    fixture.modules[0].module = &module;
    a.edit = replace_with_much;
    struct am_native_conn *conn = open_conn(&other);
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    assert_int_equal(write(other, talk, sizeof(talk) - 1), sizeof(talk) - 1);
    enum am_native_next next = am_native_conn_turn(conn, &scratch);
    assert_int_not_equal(next, AM_NATIVE_READ);
    assert_true(conn->session.out.capacity <= 1 << 20);
    am_native_conn_free(conn);
    am_buf_fini(&scratch.out);
    close(other);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_kept_where_it_was_agreed),
        cmocka_unit_test(everything_is_answered_when_nothing_is_offered),
        cmocka_unit_test(the_last_chunk_may_come_with_the_end),
        cmocka_unit_test(a_reply_goes_with_its_verdict_only),
        cmocka_unit_test(commands_out_of_order_do_no_harm),
        cmocka_unit_test(a_second_connection_needs_no_negotiation),
        cmocka_unit_test(malformed_packets_end_the_connection),
        cmocka_unit_test(words_without_end_are_refused),
        cmocka_unit_test(a_body_is_sent_in_chunks),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(a_body_is_served_in_pieces),
        cmocka_unit_test(a_verdict_waits_for_the_last_piece),
        cmocka_unit_test(pieces_need_a_negotiation),
        cmocka_unit_test(a_long_packet_is_refused_by_its_length),
        cmocka_unit_test(an_mta_that_does_not_read_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
