#include "tests/unit/dkim/rig.h"

#include <stdlib.h>
#include <string.h>

#include "common/milter/runtime.h"
#include "dkim-milter/dkim_module.h"
#include "dkim-milter/dkim_module_state.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/dkim/key_room.h"
#include "tests/unit/milter/fixture.h"

/* The signing side within a session: mail goes out signed, or not at all, whatever fails. */

static struct rig rig;
static struct am_config *config;
static struct am_arena *arena;
static void *derived;

static void open_module(const char *options)
{
    static struct am_section section;
    static const struct am_section *schema[3];
    struct am_problem problem = {""};
    char text[600];

    section = (struct am_section){.name = dkim_module.name,
                                  .help = "",
                                  .options = dkim_module.options,
                                  .size = dkim_module.conf_size};
    schema[0] = &section;
    schema[1] = dkim_module.extra_sections[0];
    snprintf(text, sizeof(text),
             "dkim { sign_networks = { 192.0.2.0/24 } key_directory = \"%s\" %s }", key_room,
             options);
    config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);
    if (config == NULL)
        fail_msg("%s", problem.text);
    arena = am_arena_new(4096, 0);
    /* Without a resolver nobody compares the keys in the background, where the rig is not safe. */
    struct am_conf_env env = {.config = config, .clock = &rig.clock, .arena = arena};
    const void *conf = am_config_section(config, "dkim");
    if (!dkim_module.conf_check(conf, config, &problem) ||
        !dkim_module.conf_open(conf, &env, &derived, &problem))
        fail_msg("%s", problem.text);
}

static void put_key(const char *name, unsigned bits)
{
    struct am_buf pem;

    am_buf_init(&pem, 0);
    assert_true(dkim_private_key_write_pem(rig_key(bits), &pem));
    key_room_put(name, am_buf_str(&pem), 0600);
    am_buf_fini(&pem);
}

static int set_up(void **state)
{
    if (key_room_open(state) != 0)
        return -1;
    rig_init(&rig);
    rig_usual(&rig);
    key_room_folder("example.org", 0700);
    put_key("example.org/sel.pem", 0);
    put_key("example.org/rsa.pem", 1024);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    rig_publish_key(&rig, "rsa", "example.org", rig_key(1024), "");
    return 0;
}

static int tear_down(void **state)
{
    dkim_module.conf_close(derived);
    am_arena_free(arena);
    am_config_free(config);
    rig_fini(&rig);
    return key_room_close(state);
}

/* --- messages --- */

static void begin(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_add(fixture, &dkim_module, 0);
    fixture->modules[0].conf = (void *)(uintptr_t)am_config_section(config, "dkim");
    fixture->modules[0].derived = derived;
    fixture->runtime.resolver = &rig.resolver;
    fixture->runtime.clock = &rig.clock;
    fixture->milter.on_failure = AM_FAILURE_TEMPFAIL;
}

static enum am_verdict play(struct fixture *fixture, struct am_session *session)
{
    fixture_forget(fixture);
    (void)am_session_mail(session, "<author@example.org>", NULL, 0, false);
    (void)am_session_rcpt(session, "<r@example.net>", NULL, 0);
    for (size_t i = 0; i < rig.field_count; i++)
        (void)am_session_header(session, rig.fields[i].name, rig.fields[i].value);
    (void)am_session_eoh(session);
    (void)am_session_body(session, am_buf_span(&rig.body));
    return am_session_eom(session);
}

/* Puts what was inserted on top of the rig's message; returns how many signatures that are. */
static size_t take_signatures(const char *sent)
{
    static const char mark[] = "insert 0 DKIM-Signature:";
    size_t count = 0;

    for (const char *at = sent; (at = strstr(at, mark)) != NULL; count++) {
        at += sizeof(mark) - 1;
        size_t len = strcspn(at, "\n");
        while (at[len] == '\n' && at[len + 1] == ' ')
            len += 1 + strcspn(at + len + 1, "\n");
        char *value = strndup(at, len);
        assert_non_null(value);
        rig_add_top(&rig, "DKIM-Signature", value);
        free(value);
    }
    return count;
}

static void signed_with_both(void **state)
{
    struct fixture fixture;

    (void)state;
    open_module("");
    begin(&fixture);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(play(&fixture, session), AM_CONTINUE);
    assert_null(strstr(fixture_sent(&fixture), "Authentication-Results"));
    assert_int_equal(take_signatures(fixture_sent(&fixture)), 2);
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->count, 2);
    assert_int_equal(report->outcomes[0].result, DKIM_PASS);
    assert_int_equal(report->outcomes[1].result, DKIM_PASS);
    /* They stand in the order of the keys. */
    assert_string_equal(report->outcomes[0].parts->ascii_selector, "rsa");
    am_session_free(session);
    fixture_fini(&fixture);
}

/* An MTA that takes no fields: the failure is told, and milter.on_failure decides. */
static void edits_that_fail(void **state)
{
    struct fixture fixture;

    (void)state;
    open_module("");
    begin(&fixture);
    const struct am_session_start start = {
        .runtime = &fixture.runtime,
        .ops = fixture_peer_ops(),
        .peer = &fixture,
        .agreement = {.sent = ~0u, .answered = AM_STAGE_EOM, .actions = 0, .raw_headers = true}};
    am_snapshot_ref(&fixture.runtime.snapshot);
    struct am_session *session = am_session_new(&start);
    assert_non_null(session);
    (void)fixture_connect(session, "192.0.2.1");
    (void)am_session_helo(session, "client.example.org");
    assert_int_equal(play(&fixture, session), AM_TEMPFAIL);
    am_session_free(session);
    fixture_fini(&fixture);
}

/* A message of ours is never verified and one of others never signed, also one after the other. */
static void one_or_the_other(void **state)
{
    struct fixture fixture;

    (void)state;
    open_module("");
    begin(&fixture);
    for (int i = 0; i < 2; i++) {
        struct am_session *session = fixture_session(&fixture);
        (void)fixture_connect(session, i == 0 ? "192.0.2.1" : "198.51.100.1");
        (void)am_session_helo(session, "client.example.org");
        for (int j = 0; j < 2; j++) {
            assert_int_equal(play(&fixture, session), AM_CONTINUE);
            const char *sent = fixture_sent(&fixture);
            assert_int_equal(strstr(sent, "DKIM-Signature") != NULL, i == 0);
            assert_int_equal(strstr(sent, "dkim=none") != NULL, i == 1);
        }
        am_session_free(session);
    }
    fixture_fini(&fixture);
}

/* --- memory --- */

/* Allocation number `which` fails: what is accepted is signed, and the signatures are good. */
static bool run_with_failure(size_t which)
{
    struct fixture fixture;

    begin(&fixture);
    for (int i = 0; i < 5000; i++)
        am_buf_add_str(&fixture.sent, "room ");
    const struct am_session_start start = {
        .runtime = &fixture.runtime,
        .ops = fixture_peer_ops(),
        .peer = &fixture,
        .agreement = {.sent = ~0u, .answered = AM_STAGE_EOM, .actions = ~0u, .raw_headers = true}};
    am_snapshot_ref(&fixture.runtime.snapshot);
    failing_alloc_start(which);
    struct am_session *session = am_session_new(&start);
    enum am_verdict verdict = AM_TEMPFAIL;
    if (session != NULL) {
        (void)fixture_connect(session, "192.0.2.1");
        (void)am_session_helo(session, "client.example.org");
        verdict = play(&fixture, session);
    }
    bool failed = failing_alloc_stop();
    size_t fields = rig.field_count, count = take_signatures(fixture_sent(&fixture));
    if (verdict == AM_CONTINUE)
        assert_int_equal(count, 2);
    const struct dkim_report *report = rig_verify(&rig, 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(report->outcomes[i].result, DKIM_PASS);
    assert_int_equal(rig.field_count, fields + count);
    rig_clear(&rig);
    rig_usual(&rig);
    am_session_free(session);
    fixture_fini(&fixture);
    return failed;
}

static void every_allocation_fails_once(void **state)
{
    size_t which = 0;

    (void)state;
    open_module("");
    while (run_with_failure(which))
        which++;
    assert_true(which > 20);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signed_with_both),
        TEST(edits_that_fail),
        TEST(one_or_the_other),
        TEST(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
