#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/dns/dns_zone.h"
#include "common/milter/capture.h"
#include "common/milter/case.h"
#include "script_module.h"
#include "tests/support/failing_alloc.h"

/*
 * Cases: whole or not at all, whatever the MTA sends and whenever memory is short, and the mail
 * goes its way as without them.
 */

static struct fixture fixture;
static struct script script;
static struct am_buf calls;
static struct am_arena *arena;
static char directory[64];

static void edit(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);

    am_ctx_note(ctx, "full", "%s", "value");
    am_ctx_note(ctx, "empty", "%s", "");
    (void)am_eom_add_header(eom, "X-Test", "for <alice@example.org>");
}

static void open_with(const char *options)
{
    static const struct am_module *const modules[] = {&script_a, NULL};
    struct am_problem problem;
    am_schema schema;
    char text[512];

    strcpy(directory, "/tmp/test_capture.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(text, sizeof(text), "capture {\n%s\ndirectory = \"%s\"\n}\n", options, directory);
    fixture_init(&fixture);
    am_buf_init(&calls, 0);
    for (int i = 0; i < 5000; i++) { /* room, so that these take no memory later */
        am_buf_add_str(&fixture.sent, "room ");
        am_buf_add_str(&calls, "room ");
    }
    script = (struct script){.publish_at_mail = "spf=pass", .edit = edit};
    script_add(&fixture, &script_a, &script, &calls, ALL_STAGES, ALL_STAGES);
    arena = am_arena_new(4096, 0);
    schema = arena == NULL ? NULL : am_runtime_schema(arena, modules);
    assert_non_null(schema);
    fixture.runtime.config = am_config_parse(schema, text, "test", NULL, 0, &problem);
    assert_non_null(fixture.runtime.config);
    fixture.runtime.resolver =
        am_dns_zone_parse("example.org. 60 IN A 192.0.2.1\n", "test.zone", &problem);
    assert_non_null(fixture.runtime.resolver);
    fixture.runtime.program = "test";
    fixture.user = "alice";
}

static void shut(void)
{
    struct am_config *config = fixture.runtime.config;
    struct am_resolver *resolver = fixture.runtime.resolver;

    fixture_fini(&fixture);
    am_config_free(config);
    am_resolver_free(resolver);
    am_buf_fini(&calls);
    am_arena_free(arena);
    assert_int_equal(rmdir(directory), 0);
}

/* Reads the one case there is, and removes it. Returns false when there is none. */
static bool take_case(struct am_case *kept)
{
    DIR *entries = opendir(directory);
    bool found = false;

    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct am_problem problem;
        char path[400];

        if (entry->d_name[0] == '.')
            continue;
        assert_false(found);
        found = true;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (!am_case_load(kept, arena, path, &problem))
            fail_msg("%s", problem.text);
        assert_int_equal(unlink(path), 0);
    }
    closedir(entries);
    return found;
}

static enum am_verdict send_mail(struct am_session *session, unsigned recipients)
{
    static const char *const params[] = {"SIZE=100", "AUTH=alice@example.org"};
    char recipient[64];

    (void)am_session_mail(session, "<alice@example.org>", params, 2, false);
    for (unsigned i = 0; i < recipients; i++) {
        snprintf(recipient, sizeof(recipient), "<r%u@example.net>", i);
        (void)am_session_rcpt(session, recipient, NULL, 0);
    }
    (void)am_session_data(session);
    (void)am_session_header(session, "From", " alice@example.org");
    (void)am_session_header(session, "X-Odd", " \xff\x80\r\n\t\\x00 \"");
    (void)am_session_eoh(session);
    (void)am_session_body(session, am_span_of("a\0b\n", 4));
    return am_session_eom(session);
}

static void assert_whole(const struct am_case *kept)
{
    assert_string_equal(kept->client, "192.0.2.1");
    assert_string_equal(kept->client_name, "client.example.com");
    assert_string_equal(kept->helo, "client.example.com");
    assert_string_equal(kept->sender, "<alice@example.org>");
    assert_int_equal(kept->sender_params.count, 2);
    assert_int_equal(kept->recipients.count, 2);
    assert_int_equal(kept->field_count, 2);
    assert_string_equal(kept->fields[1].value, " \xff\x80\r\n\t\\x00 \"");
    /* A body that memory was short for is said to be cut. */
    if (strcmp(kept->body_kept, "cut") != 0)
        assert_true(am_span_equal(kept->body, am_span_of("a\0b\n", 4)));
    assert_int_equal(kept->modules.count, 1);
    assert_int_equal(kept->macro_count, 1);
    assert_string_equal(kept->macros[0].name, "{auth_authen}");
}

/* What became of it, as far as the message itself was not short of memory. */
static void assert_outcome(const struct am_outcome *outcome)
{
    assert_string_equal(outcome->action, "accept");
    assert_int_equal(outcome->note_count, 3); /* the script has one of its own */
    assert_string_equal(outcome->notes[2].value, "");
    assert_int_equal(outcome->results.count, 1);
    assert_int_equal(outcome->edits.count, 2);
}

static void a_message_is_kept_whole(void **state)
{
    struct am_case kept;

    (void)state;
    open_with("sample = 1");
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(send_mail(session, 2), AM_CONTINUE);
    assert_true(take_case(&kept));
    assert_whole(&kept);
    assert_string_equal(kept.body_kept, "full");
    assert_outcome(&kept.outcome);
    am_session_free(session);
    shut();
}

/* Tells whether an allocation failed. A case is there, and whole, or it is not there. */
static bool run_connection(size_t which, size_t *written)
{
    struct am_case kept = {.sender = NULL};

    open_with("sample = 1");
    const struct am_session_start start = {
        .runtime = &fixture.runtime,
        .ops = fixture_peer_ops(),
        .peer = &fixture,
        .agreement = {
            .sent = ALL_STAGES, .answered = AM_STAGE_EOM, .actions = ~0u, .raw_headers = true}};
    am_snapshot_ref(&fixture.runtime.snapshot);
    failing_alloc_start(which);
    struct am_session *session = am_session_new(&start);
    enum am_verdict verdict = AM_TEMPFAIL;
    if (session != NULL) {
        (void)fixture_connect(session, "192.0.2.1");
        (void)am_session_helo(session, "client.example.com");
        verdict = send_mail(session, 2);
        am_session_free(session);
    }
    bool failed = failing_alloc_stop();
    if (take_case(&kept)) {
        ++*written;
        assert_whole(&kept);
        if (verdict == AM_CONTINUE && session != NULL && kept.outcome.note_count > 0)
            assert_outcome(&kept.outcome);
    }
    shut();
    return failed;
}

static void every_allocation_may_fail(void **state)
{
    size_t count = 0, written = 0;

    (void)state;
    while (run_connection(count, &written)) {
        count++;
        assert_true(count < 1000);
    }
    assert_true(count > 20);
    assert_in_range(written, 1, count);
}

static void recipients_that_the_mta_refused_are_none(void **state)
{
    struct am_case kept;

    (void)state;
    open_with("sample = 1");
    struct am_session *session = fixture_connected(&fixture);
    (void)am_session_mail(session, "<alice@example.org>", NULL, 0, false);
    fixture.rcpt_mailer = "error";
    (void)am_session_rcpt(session, "<nobody@example.net>", NULL, 0);
    fixture.rcpt_mailer = "local";
    (void)am_session_rcpt(session, "<me@example.net>", NULL, 0);
    assert_int_equal(am_session_eom(session), AM_CONTINUE);
    assert_true(take_case(&kept));
    assert_int_equal(kept.recipients.count, 1);
    assert_string_equal(kept.recipients.items[0], "<me@example.net>");
    am_session_free(session);
    shut();
}

/* The room that is taken grows with the number of recipients, not with its square. */
static void thousands_of_recipients(void **state)
{
    struct am_case kept;

    (void)state;
    open_with("sample = 1");
    script.at_rcpt = AM_CONTINUE;
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(send_mail(session, 10000), AM_CONTINUE);
    assert_true(take_case(&kept));
    assert_int_equal(kept.recipients.count, 10000);
    assert_string_equal(kept.recipients.items[9999], "<r9999@example.net>");
    am_session_free(session);
    shut();
}

static const char *asked_of_message, *asked_of_connection; /* NULL = nothing */

static void ask(struct am_resolver *resolver, const char *name)
{
    if (name == NULL)
        return;
    struct am_dns_query *query = am_dns_start(resolver, name, AM_DNS_A, AM_NEVER);
    (void)am_dns_wait(query);
    am_dns_release(query);
}

static void asking(struct am_eom_ctx *eom)
{
    ask(am_ctx_resolver(am_eom_ctx_base(eom)), asked_of_message);
    ask(am_ctx_conn_resolver(am_eom_ctx_base(eom)), asked_of_connection);
}

/* What one message asked is not in the case of the next; what was asked about the client is. */
static void each_message_has_its_own_answers(void **state)
{
    struct am_case first, second;

    (void)state;
    open_with("sample = 1");
    script.edit = asking;
    struct am_session *session = fixture_connected(&fixture);
    asked_of_message = "alice.example.org";
    asked_of_connection = "client.example.org";
    assert_int_equal(send_mail(session, 1), AM_CONTINUE);
    assert_true(take_case(&first));
    asked_of_message = "bob.example.org";
    asked_of_connection = NULL;
    assert_int_equal(send_mail(session, 1), AM_CONTINUE);
    assert_true(take_case(&second));
    assert_int_equal(first.dns.count, 1);
    assert_non_null(am_dns_recording_find(&first.dns, "alice.example.org", AM_DNS_A));
    assert_int_equal(second.dns.count, 1);
    assert_non_null(am_dns_recording_find(&second.dns, "bob.example.org", AM_DNS_A));
    assert_int_equal(second.conn_dns.count, 1);
    assert_non_null(am_dns_recording_find(&second.conn_dns, "client.example.org", AM_DNS_A));
    /* Another client: nothing is left of the former one. */
    assert_int_equal(fixture_connect(session, "192.0.2.2"), AM_CONTINUE);
    assert_int_equal(send_mail(session, 1), AM_CONTINUE);
    assert_true(take_case(&second));
    assert_int_equal(second.conn_dns.count, 0);
    am_session_free(session);
    shut();
}

static size_t remove_files(void)
{
    DIR *entries = opendir(directory);
    size_t count = 0;

    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        assert_int_equal(unlinkat(dirfd(entries), entry->d_name, 0), 0);
    }
    closedir(entries);
    return count;
}

/* Refused recipients, and no message: they are not counted, and all in one second. */
static void no_case_takes_the_place_of_another(void **state)
{
    (void)state;
    open_with("sample = 1");
    script.at_rcpt = AM_REJECT;
    struct am_session *session = fixture_connected(&fixture);
    for (int i = 0; i < 3; i++) {
        (void)am_session_mail(session, "<alice@example.org>", NULL, 0, false);
        (void)am_session_rcpt(session, "<me@example.net>", NULL, 0);
    }
    am_session_free(session);
    assert_int_equal(remove_files(), 3);
    shut();
}

static void what_was_not_seen_is_said(void **state)
{
    static const struct {
        unsigned events; /* fields, end of header, body: so many of them */
        const char *header, *body;
    } rows[] = {{0, "not seen", "not seen"},
                {1, "not seen", "not seen"},
                {2, "full", "not seen"},
                {3, "full", "not seen"}};
    struct am_case kept;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        open_with("sample = 1");
        struct am_session *session = fixture_connected(&fixture);
        script.at_data = rows[i].events == 0 ? AM_REJECT : AM_CONTINUE;
        script.at_header = rows[i].events == 1 ? AM_REJECT : AM_CONTINUE;
        script.at_eoh = rows[i].events == 2 ? AM_REJECT : AM_CONTINUE;
        script.at_body = AM_REJECT;
        (void)am_session_mail(session, "<alice@example.org>", NULL, 0, false);
        (void)am_session_rcpt(session, "<me@example.net>", NULL, 0);
        (void)am_session_data(session);
        if (rows[i].events > 0)
            (void)am_session_header(session, "From", " alice@example.org");
        if (rows[i].events > 1)
            (void)am_session_eoh(session);
        if (rows[i].events > 2)
            (void)am_session_body(session, am_span_str("half"));
        assert_true(take_case(&kept));
        assert_string_equal(kept.header_kept, rows[i].header);
        assert_string_equal(kept.body_kept, rows[i].body);
        assert_int_equal(kept.field_count, rows[i].events > 0 ? 1 : 0);
        am_session_free(session);
        shut();
    }
}

/* A client that says ever other names has no case with half of what it said. */
static void a_connection_without_end(void **state)
{
    struct am_case kept;
    char name[1024];

    (void)state;
    open_with("sample = 1");
    struct am_session *session = fixture_connected(&fixture);
    memset(name, 'h', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < 8000; i++) {
        snprintf(name, 8, "%07d", i);
        name[7] = 'h';
        (void)am_session_helo(session, name);
    }
    assert_int_equal(send_mail(session, 2), AM_CONTINUE);
    assert_false(take_case(&kept));
    /* Another one has all the room again. */
    assert_int_equal(fixture_connect(session, "192.0.2.1"), AM_CONTINUE);
    assert_int_equal(am_session_helo(session, "client.example.com"), AM_CONTINUE);
    assert_int_equal(send_mail(session, 2), AM_CONTINUE);
    assert_true(take_case(&kept));
    assert_whole(&kept);
    am_session_free(session);
    shut();
}

/* Events in no order at all: nothing is kept of no message, and nothing breaks. */
static void an_mta_that_lost_its_way(void **state)
{
    struct am_case kept;

    (void)state;
    open_with("sample = 1");
    struct am_session *session = fixture_session(&fixture);
    (void)am_session_body(session, am_span_str("before all"));
    (void)am_session_header(session, "X", "y");
    (void)am_session_eom(session);
    (void)am_session_rcpt(session, "<>", NULL, 0);
    (void)am_session_helo(session, "");
    assert_false(take_case(&kept));
    (void)am_session_mail(session, "", NULL, 0, false);
    (void)am_session_mail(session, "<@@\x01>", NULL, 0, false);
    (void)am_session_rcpt(session, "\xff", NULL, 0);
    (void)am_session_header(session, "", "");
    (void)am_session_eom(session);
    assert_true(take_case(&kept));
    assert_string_equal(kept.client, "");
    assert_string_equal(kept.sender, "<@@\x01>");
    (void)am_session_eom(session);
    (void)am_session_mail(session, "<left@behind.example>", NULL, 0, false);
    am_session_free(session);
    assert_false(take_case(&kept));
    shut();
}

static void a_played_message_is_not_kept(void **state)
{
    (void)state;
    open_with("sample = 1");
    fixture.runtime.reporter = am_play_reporter();
    struct am_session *session = fixture_session(&fixture);
    assert_null(session->capture);
    assert_ptr_equal(session->peer, &fixture);
    am_session_free(session);
    shut();
}

/* Nothing of the file has the local part or the login. */
static void local_parts_are_hidden(void **state)
{
    char path[400], text[16384];

    (void)state;
    open_with("sample = 1\naddresses = no\nheader = none\nbody = none");
    script.edit = asking;
    script.at_eom = AM_REJECT;
    script.code = 550;
    script.xcode = "5.7.23";
    script.text = "Alice may not, nor alice@example.org";
    asked_of_message = "alice._spf.example.org";
    asked_of_connection = NULL;
    struct am_session *session = fixture_connected(&fixture);
    assert_int_equal(send_mail(session, 2), AM_REJECT);
    am_session_free(session);
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL && entry->d_name[0] == '.')
        continue;
    assert_non_null(entry);
    snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
    closedir(entries);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    assert_non_null(strstr(text, "<x@example.org>"));
    assert_non_null(strstr(text, "x._spf.example.org"));
    assert_non_null(strstr(text, "x may not, nor x@example.org"));
    assert_null(strcasestr(text, "alice"));
    assert_null(strstr(text, "r1@"));
    shut();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_kept_whole),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(recipients_that_the_mta_refused_are_none),
        cmocka_unit_test(thousands_of_recipients),
        cmocka_unit_test(a_connection_without_end),
        cmocka_unit_test(each_message_has_its_own_answers),
        cmocka_unit_test(no_case_takes_the_place_of_another),
        cmocka_unit_test(what_was_not_seen_is_said),
        cmocka_unit_test(an_mta_that_lost_its_way),
        cmocka_unit_test(a_played_message_is_not_kept),
        cmocka_unit_test(local_parts_are_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
