#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dkim-milter/dkim_role.h"

/* Who signs, who verifies: each mode against each kind of client. */

static const char *daemons[] = {"SUBMISSION", "internal"};

struct fixture {
    struct am_arena *arena;
    struct dkim_role_rules rules;
    struct am_strlist daemons;
};

static void set_up(struct fixture *fixture)
{
    struct am_net net;

    fixture->arena = am_arena_new(4096, 0);
    assert_non_null(fixture->arena);
    struct am_netset *nets = am_netset_new(fixture->arena, 4);
    assert_true(am_net_parse(&net, am_span_str("192.0.2.0/24"), NULL));
    am_netset_add(nets, &net, 0);
    assert_true(am_net_parse(&net, am_span_str("2001:db8::/32"), NULL));
    am_netset_add(nets, &net, 1);
    fixture->daemons = (struct am_strlist){daemons, 2};
    fixture->rules =
        (struct dkim_role_rules){DKIM_MODE_AUTO, true, true, true, nets, &fixture->daemons};
}

static struct dkim_role_facts facts(const char *ip, bool local, const char *login,
                                    const char *daemon)
{
    struct dkim_role_facts facts = {.is_local = local, .login = login, .daemon_name = daemon};

    if (ip != NULL)
        assert_true(am_ip_parse(&facts.client, am_span_str(ip)));
    return facts;
}

struct row {
    const char *ip;
    bool local;
    const char *login, *daemon;
    const char *word; /* NULL: not ours */
};

static const struct row rows[] = {
    {"198.51.100.1", false, "", "", NULL},
    {"198.51.100.1", false, "", "smtpd", NULL},
    {"198.51.100.1", false, "bob", "", "authenticated"},
    {"198.51.100.1", false, "bob@example.org", "smtpd", "authenticated"},
    {"198.51.100.1", false, "", "submission", "daemon"},
    {"198.51.100.1", false, "", "INTERNAL", "daemon"},
    {"192.0.2.200", false, "", "", "network"},
    {"192.0.3.1", false, "", "", NULL},
    {"2001:db8::7", false, "", "", "network"},
    {"2001:db9::7", false, "", "", NULL},
    {"127.0.0.1", true, "", "", "local"},
    {NULL, true, "", "", "local"},
    {NULL, false, "", "", NULL}, /* an address family nobody knows is no reason to sign */
};

static void each_mode(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct dkim_role_facts who = facts(row->ip, row->local, row->login, row->daemon);

        for (int mode = DKIM_MODE_AUTO; mode <= DKIM_MODE_SIGN; mode++) {
            fixture.rules.mode = (enum dkim_mode)mode;
            struct dkim_role_choice choice = dkim_role_choose(&fixture.rules, &who);
            enum dkim_role expected = mode == DKIM_MODE_VERIFY ? DKIM_ROLE_VERIFY
                                      : row->word != NULL      ? DKIM_ROLE_SIGN
                                      : mode == DKIM_MODE_SIGN ? DKIM_ROLE_NONE
                                                               : DKIM_ROLE_VERIFY;
            assert_int_equal(choice.role, expected);
            /* Whoever is not signed learns which setting is the reason. */
            assert_int_equal(choice.role == DKIM_ROLE_SIGN, choice.why_not == NULL);
            if (choice.why_not != NULL)
                assert_non_null(strstr(choice.why_not, "dkim."));
            if (row->word == NULL)
                assert_null(choice.word);
            else
                assert_string_equal(choice.word, row->word);
        }
    }
    am_arena_free(fixture.arena);
}

static void without_keys(void **state)
{
    struct fixture fixture;
    struct dkim_role_facts who = facts("192.0.2.1", false, "bob", "");

    (void)state;
    set_up(&fixture);
    fixture.rules.has_keys = false;
    struct dkim_role_choice choice = dkim_role_choose(&fixture.rules, &who);
    assert_int_equal(choice.role, DKIM_ROLE_VERIFY);
    assert_non_null(strstr(choice.why_not, "dkim.key_directory"));
    fixture.rules.mode = DKIM_MODE_SIGN;
    assert_int_equal(dkim_role_choose(&fixture.rules, &who).role, DKIM_ROLE_NONE);
    am_arena_free(fixture.arena);
}

static void switched_off(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    fixture.rules.sign_authenticated = false;
    fixture.rules.sign_local = false;
    struct dkim_role_facts who = facts("198.51.100.1", false, "bob", "");
    struct dkim_role_choice choice = dkim_role_choose(&fixture.rules, &who);
    assert_int_equal(choice.role, DKIM_ROLE_VERIFY);
    assert_non_null(strstr(choice.why_not, "dkim.sign_authenticated"));
    /* Another reason serves as well. */
    who = facts("192.0.2.1", false, "bob", "");
    assert_string_equal(dkim_role_choose(&fixture.rules, &who).word, "network");
    who = facts("127.0.0.1", true, "", "");
    choice = dkim_role_choose(&fixture.rules, &who);
    assert_int_equal(choice.role, DKIM_ROLE_VERIFY);
    assert_non_null(strstr(choice.why_not, "dkim.sign_local"));
    am_arena_free(fixture.arena);
}

/* No daemon is named: a client without a daemon's name is not listed by that. */
static void empty_daemon_name(void **state)
{
    static const char *empty[] = {""};
    struct fixture fixture;
    struct dkim_role_facts who = facts("198.51.100.1", false, "", "");

    (void)state;
    set_up(&fixture);
    fixture.daemons = (struct am_strlist){empty, 1};
    assert_int_equal(dkim_role_choose(&fixture.rules, &who).role, DKIM_ROLE_VERIFY);
    am_arena_free(fixture.arena);
}

/* The socket's role takes something away, and gives nobody a signature. */
static void each_socket_role(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct dkim_role_facts who = facts(row->ip, row->local, row->login, row->daemon);

        for (int mode = DKIM_MODE_AUTO; mode <= DKIM_MODE_SIGN; mode++) {
            bool verifies = mode != DKIM_MODE_SIGN;
            bool signs = mode != DKIM_MODE_VERIFY && row->word != NULL;

            fixture.rules.mode = (enum dkim_mode)mode;
            who.is_inbound = true;
            struct dkim_role_choice choice = dkim_role_choose(&fixture.rules, &who);
            assert_int_equal(choice.role, verifies ? DKIM_ROLE_VERIFY : DKIM_ROLE_NONE);
            assert_non_null(choice.why_not);
            who.is_inbound = false;
            who.is_submission = true;
            choice = dkim_role_choose(&fixture.rules, &who);
            assert_int_equal(choice.role, signs ? DKIM_ROLE_SIGN : DKIM_ROLE_NONE);
            assert_int_equal(choice.role == DKIM_ROLE_SIGN, choice.why_not == NULL);
            who.is_submission = false;
        }
    }
    am_arena_free(fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode),        cmocka_unit_test(without_keys),
        cmocka_unit_test(switched_off),     cmocka_unit_test(empty_daemon_name),
        cmocka_unit_test(each_socket_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
