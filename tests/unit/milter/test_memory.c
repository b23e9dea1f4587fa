#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "script_module.h"
#include "tests/support/failing_alloc.h"

/*
 * Whole connections with every single allocation failing once: nothing crashes or leaks, and no
 * message is let through with a forged field in it.
 */

static char login[6000]; /* larger than a session keeps room for */

/* Whoever cannot be named must not pass for somebody who did not log in. */
static void edit(struct am_eom_ctx *eom)
{
    assert_string_equal(am_ctx_conn(am_eom_ctx_base(eom))->auth_user, login);
    (void)am_eom_add_header(eom, "X-Test", "yes");
    am_ctx_note(am_eom_ctx_base(eom), "key", "%s", "value");
}

static const char *const also_ours[] = {"old.example.org"};

/* Runs one message; `fixture->sent` is taken off the failing allocator by being large already. */
static void run_message(struct fixture *fixture, struct am_session *session)
{
    char field[8000];

    memset(field, 'x', sizeof(field) - 1);
    field[sizeof(field) - 1] = '\0';
    fixture_forget(fixture);
    (void)am_session_mail(session, "<s@example.com>", NULL, 0, false);
    (void)am_session_rcpt(session, "<r@example.org>", NULL, 0);
    (void)am_session_header(session, "X-Long", field);
    (void)am_session_header(session, "Authentication-Results", " mx.example.org; spf=pass");
    (void)am_session_header(session, "X-Long", "a\r\n b");
    enum am_verdict verdict = am_session_eom(session);
    if (verdict == AM_CONTINUE)
        assert_non_null(strstr(fixture_sent(fixture), "delete 1 Authentication-Results\n"));
    else
        assert_int_equal(verdict, AM_TEMPFAIL);
}

static bool run_connection(size_t which)
{
    struct fixture fixture;
    struct script a = {.publish_at_helo = "spf=none", .publish_at_eom = "spf=pass", .edit = edit};
    struct am_buf calls;

    fixture_init(&fixture);
    memset(login, 'u', sizeof(login) - 1);
    fixture.user = login;
    fixture.authres.also_ours = (struct am_strlist){(const char **)(uintptr_t)also_ours, 1};
    am_buf_init(&calls, 0);
    for (int i = 0; i < 5000; i++) {
        am_buf_add_str(&fixture.sent, "room ");
        am_buf_add_str(&calls, "room ");
    }
    script_add(&fixture, &script_a, &a, &calls, ALL_STAGES, 0);

    const struct am_session_start start = {
        .runtime = &fixture.runtime,
        .ops = fixture_peer_ops(),
        .peer = &fixture,
        .agreement = {
            .sent = ALL_STAGES, .answered = AM_STAGE_EOM, .actions = ~0u, .raw_headers = true}};
    am_snapshot_ref(&fixture.runtime.snapshot);
    failing_alloc_start(which);
    struct am_session *session = am_session_new(&start);
    if (session != NULL) {
        (void)fixture_connect(session, "192.0.2.1");
        (void)am_session_helo(session, "client.example.com");
        run_message(&fixture, session);
        run_message(&fixture, session);
        am_session_free(session);
    }
    bool failed = failing_alloc_stop();
    am_buf_fini(&calls);
    fixture_fini(&fixture);
    return failed;
}

static void every_allocation_may_fail(void **state)
{
    size_t count = 0;
    bool failed;

    (void)state;
    do {
        failed = run_connection(count++);
        assert_true(count < 1000);
    } while (failed);
    assert_true(count > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
