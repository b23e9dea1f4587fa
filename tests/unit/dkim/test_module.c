#include "tests/unit/dkim/rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "dkim-milter/dkim_module.h"
#include "dkim-milter/dkim_options.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/milter/fixture.h"

/* The module within a session: what an MTA would be told, and what is asked of it. */

static struct rig rig;

/* The module opened with a configuration. */
struct opened {
    struct am_config *config;
    struct am_arena *arena;
    const void *conf;
    void *derived;
};

static struct opened open_with(const char *text)
{
    static struct am_section section;
    static const struct am_section *schema[3];
    struct am_problem problem = {""};
    struct opened opened = {.arena = am_arena_new(4096, 0)};
    section = (struct am_section){.name = dkim_module.name,
                                  .help = "",
                                  .options = dkim_module.options,
                                  .size = dkim_module.conf_size};
    schema[0] = &section;
    schema[1] = dkim_module.extra_sections[0];
    opened.config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);
    if (opened.config == NULL)
        fail_msg("%s", problem.text);
    struct am_conf_env env = {.config = opened.config,
                              .clock = &rig.clock,
                              .resolver = &rig.resolver,
                              .arena = opened.arena};
    opened.conf = am_config_section(opened.config, "dkim");
    if (!dkim_module.conf_check(opened.conf, opened.config, &problem) ||
        !dkim_module.conf_open(opened.conf, &env, &opened.derived, &problem))
        fail_msg("%s", problem.text);
    return opened;
}

static void close_opened(struct opened *opened)
{
    dkim_module.conf_close(opened->derived);
    am_arena_free(opened->arena);
    am_config_free(opened->config);
}

static int make_rig(void **state)
{
    (void)state;
    rig_init(&rig);
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    return 0;
}

static int free_rig(void **state)
{
    (void)state;
    rig_fini(&rig);
    return 0;
}

/* --- events --- */

/* Recipients are asked for when something may be done to them; nothing is ever waited for. */
static void events(void **state)
{
    static const struct {
        const char *text;
        bool recipients;
    } rows[] = {
        {"", false},
        {"dkim { max_keys = 3 }", false},
        {"dkim { require_aligned_action = reject }", false},
        {"dkim { require_aligned = { example.org } }", true},
        {"dkim { result_none = observe }", true},
        {"dkim_override \"a\" { sender = { example.org } result_fail = quarantine }", true},
        {"dkim_override \"a\" { sender = { example.org } result_fail = accept }", false},
        {"dkim_override \"a\" { sender = { example.org } require_aligned_action = reject }", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct opened opened = open_with(rows[i].text);
        unsigned wants = dkim_module.wants(opened.conf, opened.derived);
        assert_int_equal((wants & AM_STAGE_ENVRCPT) != 0, rows[i].recipients);
        assert_int_equal(wants & AM_STAGE_BODY, AM_STAGE_BODY);
        assert_int_equal(dkim_module.answers(opened.conf, opened.derived), 0);
        close_opened(&opened);
    }
}

/* --- messages --- */

/* Plays the rig's message; returns the verdict. */
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

static void begin(struct fixture *fixture, const struct opened *opened)
{
    fixture_init(fixture);
    fixture_add(fixture, &dkim_module, 0);
    fixture->modules[0].conf = (void *)(uintptr_t)opened->conf;
    fixture->modules[0].derived = opened->derived;
    fixture->runtime.resolver = &rig.resolver;
    fixture->runtime.clock = &rig.clock;
}

/* What the key's record and the resolver say of the key stands in the result. */
static void key_facts(void **state)
{
    struct opened opened = open_with("");
    struct fixture fixture;
    (void)state;
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), "t=y;");
    rig_add_signature(&rig, rig_key(1024), NULL);
    rig.answers[0].answer.secure = true;
    begin(&fixture, &opened);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(play(&fixture, session), AM_CONTINUE);
    assert_non_null(strstr(fixture_sent(&fixture), "policy.key-bits=1024"));
    assert_non_null(strstr(fixture_sent(&fixture), "policy.dnssec=yes"));
    assert_non_null(strstr(fixture_sent(&fixture), "policy.testing=yes"));
    am_session_free(session);
    fixture_fini(&fixture);
    close_opened(&opened);
}

/* Mail without a signature has nobody looked up, whoever must sign. */
static void unsigned_mail_asks_nobody(void **state)
{
    struct opened opened = open_with("dkim { require_aligned = { example.org } }");
    struct fixture fixture;
    (void)state;
    begin(&fixture, &opened);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(play(&fixture, session), AM_REJECT);
    assert_int_equal(rig.queries, 0);
    am_session_free(session);
    fixture_fini(&fixture);
    close_opened(&opened);
}

/* While the body comes, the keys are on their way: no wait is left at the end. */
static void keys_while_the_body_flows(void **state)
{
    struct opened opened = open_with("");
    struct fixture fixture;
    (void)state;
    rig_add_signature(&rig, rig_key(0), NULL);
    rig.delay_us = 20000;
    begin(&fixture, &opened);
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(play(&fixture, session), AM_CONTINUE);
    assert_int_equal(rig.waits, 1);
    rig.wall_s += 86400;
    assert_int_equal(play(&fixture, session), AM_CONTINUE);
    assert_int_equal(rig.queries, 2);
    assert_non_null(strstr(fixture_sent(&fixture), "dkim=pass"));
    am_session_free(session);
    fixture_fini(&fixture);
    close_opened(&opened);
}

/* --- the log --- */

/* Opens a session with an MTA that does, or does not, hand fields on as they are. */
static struct am_session *session_with(struct fixture *fixture, bool raw_headers)
{
    const struct am_session_start start = {
        .runtime = &fixture->runtime,
        .ops = fixture_peer_ops(),
        .peer = fixture,
        .agreement = {
            .sent = ~0u, .answered = AM_STAGE_EOM, .actions = ~0u, .raw_headers = raw_headers}};
    am_snapshot_ref(&fixture->runtime.snapshot);
    return am_session_new(&start);
}

static size_t count_in(FILE *file, const char *text)
{
    char line[4096];
    size_t count = 0;
    rewind(file);
    while (fgets(line, sizeof(line), file) != NULL)
        count += strstr(line, text) != NULL;
    return count;
}

/* What an MTA does to "simple" is told once, not with each message or connection. */
static void lost_blanks_are_told_once(void **state)
{
    const struct am_log_options options = {AM_LOG_STDERR, AM_LOG_KEYVALUE, AM_LOG_INFO, 0};
    struct opened opened = open_with("");
    FILE *log = tmpfile();
    int standard_error = dup(STDERR_FILENO);
    (void)state;
    assert_non_null(log);
    dup2(fileno(log), STDERR_FILENO);
    am_log_open("test", &options);
    for (int raw = 1; raw >= 0; raw--)
        for (int i = 0; i < 2; i++) {
            struct fixture fixture;
            begin(&fixture, &opened);
            struct am_session *session = session_with(&fixture, raw != 0);
            (void)fixture_connect(session, "192.0.2.1");
            (void)am_session_helo(session, "client.example.org");
            (void)play(&fixture, session);
            (void)play(&fixture, session);
            am_session_free(session);
            fixture_fini(&fixture);
            assert_int_equal(count_in(log, "SMFIP_HDR_LEADSPC"), raw != 0 ? 0 : 1);
        }
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    fclose(log);
    close_opened(&opened);
}

/* --- memory --- */

/* One connection with two messages; allocation number `which` fails. */
static bool run_with_failure(const struct opened *opened, size_t which)
{
    struct fixture fixture;
    begin(&fixture, opened);
    for (int i = 0; i < 5000; i++)
        am_buf_add_str(&fixture.sent, "room ");
    failing_alloc_start(which);
    struct am_session *session = session_with(&fixture, true);
    if (session != NULL) {
        (void)fixture_connect(session, "192.0.2.1");
        (void)am_session_helo(session, "client.example.org");
        for (int i = 0; i < 2; i++) {
            (void)play(&fixture, session);
            /* Memory that was short is no finding about the message. */
            const char *sent = fixture_sent(&fixture);
            assert_null(strstr(sent, "dkim=fail"));
            assert_null(strstr(sent, "dkim=permerror"));
            assert_null(strstr(sent, "dkim=none"));
        }
        am_session_free(session);
    }
    bool failed = failing_alloc_stop();
    fixture_fini(&fixture);
    return failed;
}

static void every_allocation_fails_once(void **state)
{
    struct opened opened = open_with("dkim { result_fail = reject }");
    size_t which = 0;
    (void)state;
    rig_publish_key(&rig, "rsa", "example.org", rig_key(1024), "");
    rig_add_signature(&rig, rig_key(0), NULL);
    rig_add_signature(&rig, rig_key(1024), (const char *const[]){"s=rsa", NULL});
    while (run_with_failure(&opened, which))
        which++;
    assert_true(which > 20);
    close_opened(&opened);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_rig, free_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events),
        TEST(key_facts),
        TEST(unsigned_mail_asks_nobody),
        TEST(keys_while_the_body_flows),
        TEST(lost_blanks_are_told_once),
        TEST(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
