#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "script_module.h"

/* What module.h offers beside events, edits and results. */

static struct fixture fixture;
static enum am_verdict failure_says;

static int setup(void **state)
{
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

/* --- what becomes of a message that a module fails at (PM-24) --- */

static enum am_verdict fail_at_end(struct am_eom_ctx *eom)
{
    (void)eom;
    return AM_FAIL;
}

static enum am_verdict failure(const void *conf)
{
    (void)conf;
    return failure_says;
}

static const struct am_module of_its_own = {.abi = AM_MODULE_ABI,
                                            .name = "own",
                                            .summary = "has its own word",
                                            .method = "",
                                            .actions = AM_ACTION_QUARANTINE,
                                            .eom = fail_at_end,
                                            .failure = failure};

static const struct am_module as_configured = {.abi = AM_MODULE_ABI,
                                               .name = "configured",
                                               .summary = "has none",
                                               .method = "",
                                               .actions = AM_ACTION_QUARANTINE,
                                               .eom = fail_at_end};

static enum am_verdict end_of_message(void)
{
    struct am_session *session = fixture_connected(&fixture);

    fixture_forget(&fixture);
    assert_int_equal(am_session_mail(session, "<s@example.com>", NULL, 0, false), AM_CONTINUE);
    enum am_verdict verdict = am_session_eom(session);
    am_session_free(session);
    return verdict;
}

static void a_module_says_what_its_failure_means(void **state)
{
    (void)state;
    fixture_add(&fixture, &of_its_own, AM_STAGE_EOM);
    fixture.milter.on_failure = AM_FAILURE_REJECT;
    failure_says = AM_TEMPFAIL;
    assert_int_equal(end_of_message(), AM_TEMPFAIL);
    assert_non_null(strstr(fixture_sent(&fixture), "reply 451 4.3.0 "));
    failure_says = AM_CONTINUE;
    assert_int_equal(end_of_message(), AM_CONTINUE);
    failure_says = AM_QUARANTINE;
    assert_int_equal(end_of_message(), AM_CONTINUE);
    assert_non_null(strstr(fixture_sent(&fixture), "quarantine a mail check"));
    failure_says = AM_FAIL;
    assert_int_equal(end_of_message(), AM_REJECT);
    assert_non_null(strstr(fixture_sent(&fixture), "reply 554 5.3.0 "));
}

static void its_word_is_not_that_of_others(void **state)
{
    (void)state;
    fixture_add(&fixture, &of_its_own, AM_STAGE_EOM);
    fixture_add(&fixture, &as_configured, AM_STAGE_EOM);
    fixture.milter.on_failure = AM_FAILURE_TEMPFAIL;
    failure_says = AM_CONTINUE;
    assert_int_equal(end_of_message(), AM_TEMPFAIL);
    fixture.milter.on_failure = AM_FAILURE_ACCEPT;
    failure_says = AM_REJECT;
    assert_int_equal(end_of_message(), AM_REJECT);
}

/* --- what is known (PM-03, PM-40) --- */

static unsigned actions;
static uint16_t port;
static bool refused;

static enum am_verdict look(struct am_ctx *ctx)
{
    actions = am_ctx_actions(ctx);
    port = am_ctx_conn(ctx)->client_port;
    refused = am_ctx_conn(ctx)->refused_rcpts;
    return AM_CONTINUE;
}

static const struct am_module looking = {.abi = AM_MODULE_ABI,
                                         .name = "looking",
                                         .summary = "looks",
                                         .method = "",
                                         .needs = AM_NEEDS_REJECTED_RCPT,
                                         .actions = AM_ACTION_CHANGE_BODY | AM_ACTION_CHANGE_FROM,
                                         .connect = look};

static void an_mta_that_grants_less_is_seen(void **state)
{
    struct am_session_start start = {
        .runtime = &fixture.runtime, .ops = fixture_peer_ops(), .peer = &fixture, .id = 1};

    (void)state;
    fixture_add(&fixture, &looking, 0);
    start.agreement.actions = AM_ACTION_CHANGE_FROM | AM_ACTION_ADD_HEADER;
    for (int i = 0; i < 2; i++) {
        start.agreement.rejected_rcpt = i == 1;
        am_snapshot_ref(&fixture.runtime.snapshot);
        struct am_session *session = am_session_new(&start);
        fixture_connect(session, "192.0.2.1");
        assert_int_equal(actions, AM_ACTION_CHANGE_FROM);
        assert_int_equal(refused, i == 1);
        am_session_free(session);
    }
}

static void connect_from(const struct sockaddr *address)
{
    struct am_session *session = fixture_session(&fixture);

    am_session_connect(session, "client.example.com", address);
    am_session_free(session);
}

static void the_port_of_the_client(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(4712)};
    struct sockaddr local = {.sa_family = AF_UNIX};

    (void)state;
    fixture_add(&fixture, &looking, 0);
    connect_from((struct sockaddr *)&v4);
    assert_int_equal(port, 4711);
    connect_from((struct sockaddr *)&v6);
    assert_int_equal(port, 4712);
    connect_from(&local);
    assert_int_equal(port, 0);
    connect_from(NULL);
    assert_int_equal(port, 0);
}

/* --- ESMTP parameters (PM-44) --- */

static void parameters_by_keyword(void **state)
{
    static const char *const items[] = {"SIZE=1000", "SMTPUTF8", "AUTH=", "size=2", "ORCPT=a=b"};
    const struct am_esmtp_params params = {.items = items, .count = 5};

    (void)state;
    assert_string_equal(am_esmtp_params_find(&params, "SIZE"), "1000");
    assert_string_equal(am_esmtp_params_find(&params, "smtputf8"), "");
    assert_string_equal(am_esmtp_params_find(&params, "AUTH"), "");
    assert_string_equal(am_esmtp_params_find(&params, "ORCPT"), "a=b");
    assert_null(am_esmtp_params_find(&params, "SIZ"));
    assert_null(am_esmtp_params_find(&params, "BODY"));
    assert_null(am_esmtp_params_find(&(struct am_esmtp_params){0}, "SIZE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_module_says_what_its_failure_means, setup, teardown),
        cmocka_unit_test_setup_teardown(its_word_is_not_that_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(an_mta_that_grants_less_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(the_port_of_the_client, setup, teardown),
        cmocka_unit_test(parameters_by_keyword),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
