#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/milter/override.h"
#include "common/milter/override_map.h"
#include "tests/support/failing_alloc.h"

/* Policies, overrides and their map files, with the options of a milter that is made for it. */

enum { PLACE_FAIL = 3, PLACE_SOFT = 4, PLACE_HELO = 10, PLACE_LAST = AM_POLICY_MAX - 1 };

#define POLICIES(ROW)                                                                              \
    ROW(PLACE_FAIL, "mailfrom_fail", ""), ROW(PLACE_SOFT, "mailfrom_softfail", ""),                \
        ROW(PLACE_HELO, "helo_fail", ""), ROW(PLACE_LAST, "helo_none", "")

struct x_conf {
    struct am_policy policy;
    const char *override_map;
};

#define OWN(INDEX, NAME, HELP) AM_POLICY_OPTION(struct x_conf, policy, INDEX, NAME, "accept", HELP)

static const struct am_option options[] = {POLICIES(OWN),
                                           {.name = "override_map",
                                            .kind = AM_OPTION_TEXT,
                                            .offset = offsetof(struct x_conf, override_map),
                                            .fallback = "",
                                            .help = ""},
                                           {0}};
static const struct am_option override_options[] = {
    AM_OVERRIDE_CONDITIONS, POLICIES(AM_OVERRIDE_OPTION), {0}};

static const struct am_section own_section = {
    .name = "x", .help = "", .options = options, .size = sizeof(struct x_conf)};
static const struct am_section override_section =
    AM_OVERRIDE_SECTION("x_override", override_options);
static const struct am_section *const schema[] = {&own_section, &override_section, NULL};

static struct am_config *parse(const char *text)
{
    struct am_problem problem;
    struct am_config *config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);

    if (config == NULL)
        fail_msg("%s", problem.text);
    return config;
}

static struct am_override_source source_of(const struct am_config *config,
                                           const char *no_recipients)
{
    const struct x_conf *conf = am_config_section(config, "x");

    return (struct am_override_source){.policy = &conf->policy,
                                       .section = &override_section,
                                       .map_option = "x.override_map",
                                       .map_path = conf->override_map,
                                       .no_recipients = no_recipients};
}

static void test_actions_have_an_order(void **state)
{
    static const enum am_policy_action order[] = {AM_POLICY_ACCEPT, AM_POLICY_OBSERVE,
                                                  AM_POLICY_QUARANTINE, AM_POLICY_TEMPFAIL,
                                                  AM_POLICY_REJECT};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            assert_int_equal(am_policy_is_severer(order[i], order[j]), i > j);
    for (const struct am_choice *choice = am_policy_override_choices; choice->word != NULL;
         choice++)
        assert_string_equal(am_policy_word((enum am_policy_action)choice->value), choice->word);
    assert_int_equal(am_policy_observed(false), AM_POLICY_REJECT);
    assert_int_equal(am_policy_observed(true), AM_POLICY_TEMPFAIL);
}

static void expect_refused(const char *text, const char *no_recipients, const char *sentence)
{
    struct am_config *config = parse(text);
    struct am_override_source source = source_of(config, no_recipients);
    struct am_problem problem = {.text = ""};

    assert_false(am_overrides_check(&source, config, &problem));
    if (strstr(problem.text, sentence) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", sentence, problem.text);
    am_config_free(config);
}

static void test_slips_of_the_pen_are_refused(void **state)
{
    (void)state;
    expect_refused("x_override \"a\" { mailfrom_fail = accept }", NULL,
                   "x_override \"a\" names nobody");
    expect_refused("x_override \"a\" { sender = { \"example.org\" } }", NULL,
                   "x_override \"a\" changes nothing: give it an option such as mailfrom_fail = ");
    expect_refused("x_override \"a\" { recipient = { \"example.org\" } helo_fail = reject }",
                   "recipients are not known here", "has a recipient, but recipients are not");
}

/* --- overrides --- */

struct ask {
    struct am_arena *arena;
    struct am_config *config;
    struct am_overrides *overrides;
};

static struct ask open_overrides(const char *text)
{
    struct ask ask = {.arena = am_arena_new(4096, 0), .config = parse(text)};
    struct am_conf_env env = {.config = ask.config, .arena = ask.arena};
    struct am_override_source source = source_of(ask.config, NULL);
    struct am_problem problem;

    ask.overrides = am_overrides_open(&env, &source, &problem);
    if (ask.overrides == NULL)
        fail_msg("%s", problem.text);
    return ask;
}

static void close_overrides(struct ask *ask)
{
    am_arena_free(ask->arena);
    am_config_free(ask->config);
}

static struct am_policy_decision decide(const struct ask *ask, const char *client,
                                        const char *sender, const char *recipient, uint32_t asked)
{
    struct am_address from, to;
    struct am_override_facts facts = {.arena = ask->arena, .sender = &from, .recipient = &to};

    am_address_parse(&from, am_span_str(sender));
    am_address_parse(&to, am_span_str(recipient));
    assert_true(am_ip_parse(&facts.client, am_span_str(client)));
    return am_overrides_decide(ask->overrides, &facts, asked);
}

/* Returns the action for a MAIL FROM fail. */
static enum am_policy_action action_for(const struct ask *ask, const char *client,
                                        const char *sender, const char *recipient,
                                        const char **rule)
{
    struct am_policy_decision decision =
        decide(ask, client, sender, recipient, UINT32_C(1) << PLACE_FAIL);

    assert_int_equal(decision.index, PLACE_FAIL);
    assert_string_equal(decision.option, "mailfrom_fail");
    *rule = decision.rule == NULL ? NULL : am_override_rule_name(ask->arena, decision.rule);
    return decision.action;
}

static void test_severest_action_wins(void **state)
{
    uint32_t fail = 1U << PLACE_FAIL, soft = 1U << PLACE_SOFT, helo = 1U << PLACE_HELO;
    struct ask ask = open_overrides(
        "x { mailfrom_fail = quarantine mailfrom_softfail = observe helo_fail = tempfail }\n"
        "x_override \"a\" { sender = { \"example.org\" } helo_fail = quarantine }");

    (void)state;
    struct am_policy_decision decision = decide(&ask, "192.0.2.1", "a@b.c", "x@y.z", fail | soft);
    assert_int_equal(decision.action, AM_POLICY_QUARANTINE);
    assert_int_equal(decision.index, PLACE_FAIL);
    decision = decide(&ask, "192.0.2.1", "a@b.c", "x@y.z", fail | soft | helo);
    assert_int_equal(decision.action, AM_POLICY_TEMPFAIL);
    assert_int_equal(decision.index, PLACE_HELO);
    assert_null(decision.rule);
    /* Among equals the lowest place. */
    decision = decide(&ask, "192.0.2.1", "a@example.org", "x@y.z", fail | helo);
    assert_int_equal(decision.action, AM_POLICY_QUARANTINE);
    assert_string_equal(decision.option, "mailfrom_fail");
    assert_null(decision.rule);
    decision = decide(&ask, "192.0.2.1", "a@example.org", "x@y.z", helo);
    assert_string_equal(am_override_rule_name(ask.arena, decision.rule), "a");
    close_overrides(&ask);
}

static void test_what_has_no_option_is_accepted(void **state)
{
    struct ask ask = open_overrides("x { mailfrom_fail = reject }");
    struct x_conf *conf = (struct x_conf *)(uintptr_t)am_config_section(ask.config, "x");

    (void)state;
    conf->policy.action[0] = AM_POLICY_REJECT;
    struct am_policy_decision decision = decide(&ask, "192.0.2.1", "a@b.c", "x@y.z", 1U << 0);
    assert_int_equal(decision.action, AM_POLICY_ACCEPT);
    assert_null(decision.option);
    assert_int_equal(decide(&ask, "192.0.2.1", "a@b.c", "x@y.z", 0).action, AM_POLICY_ACCEPT);
    assert_int_equal(am_overrides_possible(ask.overrides, 1U << 0), 0);
    close_overrides(&ask);
}

static void test_possible_actions(void **state)
{
    struct ask ask =
        open_overrides("x { mailfrom_fail = reject }\n"
                       "x_override \"a\" { sender = { \"example.org\" } mailfrom_fail = observe }");
    unsigned either = AM_POLICY_BIT(AM_POLICY_REJECT) | AM_POLICY_BIT(AM_POLICY_OBSERVE);
    unsigned accept = AM_POLICY_BIT(AM_POLICY_ACCEPT);

    (void)state;
    assert_int_equal(am_overrides_possible(ask.overrides, 1U << PLACE_FAIL), either);
    assert_int_equal(am_overrides_possible(ask.overrides, 1U << PLACE_LAST), accept);
    assert_int_equal(am_overrides_possible(ask.overrides, UINT32_MAX), either | accept);
    close_overrides(&ask);
}

static void test_first_section_that_says_something_wins(void **state)
{
    struct ask ask = open_overrides(
        "x { mailfrom_fail = reject }\n"
        "x_override \"helo only\" { sender = { \"example.org\" } helo_fail = reject }\n"
        "x_override \"partners\" { client = { \"192.0.2.0/24\" } mailfrom_fail = accept }\n"
        "x_override \"all of it\" { sender = { \".example.org\" } mailfrom_fail = tempfail }\n"
        "x_override \"both\" { sender = { \"a@other.org\" } recipient = { \"example.com\" } "
        "mailfrom_fail = quarantine }\n");
    const char *rule;

    (void)state;
    assert_int_equal(action_for(&ask, "192.0.2.7", "u@example.org", "x@y.z", &rule),
                     AM_POLICY_ACCEPT);
    assert_string_equal(rule, "partners");
    assert_int_equal(action_for(&ask, "198.51.100.1", "u@sub.example.org", "x@y.z", &rule),
                     AM_POLICY_TEMPFAIL);
    assert_int_equal(action_for(&ask, "198.51.100.1", "A@other.org", "x@example.com", &rule),
                     AM_POLICY_QUARANTINE);
    assert_int_equal(action_for(&ask, "198.51.100.1", "a@other.org", "x@example.net", &rule),
                     AM_POLICY_REJECT);
    assert_null(rule);
    close_overrides(&ask);
}

static enum am_policy_action action_for_all(const struct ask *ask,
                                            const struct am_recipients *recipients)
{
    struct am_address from;
    struct am_override_facts facts = {.arena = ask->arena, .sender = &from};

    am_address_parse(&from, am_span_str("a@b.c"));
    return am_overrides_decide_all(ask->overrides, &facts, recipients, UINT32_C(1) << PLACE_FAIL)
        .action;
}

static void add(const struct ask *ask, struct am_recipients *recipients, const char *text,
                bool exempt)
{
    char copy[64];
    struct am_address address;

    snprintf(copy, sizeof(copy), "%s", text); /* the set must not point into it */
    am_address_parse(&address, am_span_str(copy));
    assert_true(am_recipients_add(recipients, ask->arena, &address, exempt));
    memset(copy, 'x', sizeof(copy));
}

static void test_many_recipients_get_the_severest(void **state)
{
    struct ask ask = open_overrides(
        "x { mailfrom_fail = observe }\n"
        "x_override \"a\" { recipient = { \"example.com\" } mailfrom_fail = reject }\n"
        "x_override \"b\" { recipient = { \"example.net\" } mailfrom_fail = accept }\n");
    struct am_recipients recipients = {.kept = 0};

    (void)state;
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_OBSERVE);
    add(&ask, &recipients, "<postmaster@example.com>", true);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_ACCEPT);
    add(&ask, &recipients, "<u@example.net>", false);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_ACCEPT);
    add(&ask, &recipients, "<u@example.org>", false);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_OBSERVE);
    add(&ask, &recipients, "<u@example.com>", false);
    add(&ask, &recipients, "<v@example.net>", false);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_REJECT);
    close_overrides(&ask);
}

static void test_kept_recipients_are_bounded(void **state)
{
    struct ask ask = open_overrides(
        "x { mailfrom_fail = observe }\n"
        "x_override \"b\" { recipient = { \"example.net\" } mailfrom_fail = accept }\n");
    struct am_recipients recipients = {.kept = 0};

    (void)state;
    for (int i = 0; i < AM_RECIPIENTS_MAX; i++)
        add(&ask, &recipients, "<u@example.net>", false);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_ACCEPT);
    add(&ask, &recipients, "<u@example.net>", false);
    assert_int_equal(recipients.kept, AM_RECIPIENTS_MAX);
    assert_int_equal(action_for_all(&ask, &recipients), AM_POLICY_OBSERVE);
    close_overrides(&ask);
}

/* Writes a map to a temporary file and opens overrides with it. */
static struct ask open_map(const char *rows, char path[64])
{
    char config[256];

    snprintf(path, 64, "/tmp/override-map-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, rows, strlen(rows)), strlen(rows));
    close(fd);
    snprintf(config, sizeof(config), "x { mailfrom_fail = reject override_map = \"%s\" }", path);
    return open_overrides(config);
}

static void test_map_rows(void **state)
{
    char path[64], name[80];
    const char *rule;
    struct ask ask = open_map("# partners\n"
                              "client:192.0.2.0/24   mailfrom_fail=accept # all of them\n"
                              "client:192.0.2.128/25 mailfrom_fail=tempfail\n"
                              "\n"
                              "from:.example.org     mailfrom_fail=observe\n"
                              "from:bad.example.org  mailfrom_fail=reject helo_fail=reject\r\n"
                              "to:boss@example.com   mailfrom_fail=quarantine\n"
                              "client:2001:db8::/32  helo_none=tempfail",
                              path);

    (void)state;
    assert_int_equal(action_for(&ask, "192.0.2.1", "u@x.y", "a@b.c", &rule), AM_POLICY_ACCEPT);
    snprintf(name, sizeof(name), "%s:2", path);
    assert_string_equal(rule, name);
    assert_int_equal(action_for(&ask, "192.0.2.200", "u@x.y", "a@b.c", &rule), AM_POLICY_TEMPFAIL);
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@a.b.EXAMPLE.org", "a@b.c", &rule),
                     AM_POLICY_OBSERVE);
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@bad.example.org", "a@b.c", &rule),
                     AM_POLICY_REJECT);
    /* Of several rows that match, the first in the file decides. */
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@a.example.org", "boss@example.com", &rule),
                     AM_POLICY_OBSERVE);
    assert_int_equal(action_for(&ask, "2001:db8::1", "u@x.y", "Boss@example.com", &rule),
                     AM_POLICY_QUARANTINE);
    unlink(path);
    close_overrides(&ask);
}

static void expect_bad_map(const char *rows, const char *sentence)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_override_map map;
    struct am_problem problem = {.text = ""};

    assert_false(
        am_override_map_parse(&map, arena, &override_section, "m", am_span_str(rows), &problem));
    if (strstr(problem.text, sentence) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", sentence, problem.text);
    am_arena_free(arena);
}

static void test_bad_maps_name_the_line(void **state)
{
    (void)state;
    expect_bad_map("\n\nexample.org mailfrom_fail=accept\n", "m:3: a row begins with");
    expect_bad_map("from:example.org\n", "m:1: the row changes nothing");
    expect_bad_map("from:example.org mailfrom_fail\n", "m:1: \"mailfrom_fail\" is no option");
    expect_bad_map("from:example.org mailfrom_fail=maybe\n", "m:1: ");
    expect_bad_map("from:example.org mailfrom_pass=reject\n", "no option of a row");
    expect_bad_map("client:192.0.2.1/24 mailfrom_fail=accept\n", "m:1: ");
    expect_bad_map("from:a@@b mailfrom_fail=accept\n", "m:1: ");
    expect_bad_map("from:Example.org helo_fail=accept\nfrom:example.ORG helo_none=accept\n",
                   "m:2: this key stands already in line 1");
}

static void test_map_is_bounded(void **state)
{
    struct am_buf rows;

    (void)state;
    am_buf_init(&rows, 0);
    for (unsigned i = 0; i <= AM_OVERRIDE_MAP_ROWS_MAX; i++)
        am_buf_printf(&rows, "from:d%u.example helo_fail=reject\n", i);
    expect_bad_map(am_buf_str(&rows), ":100001: too many rows");
    am_buf_fini(&rows);
}

static void test_map_rows_for_recipients_need_recipients(void **state)
{
    char path[64];
    struct ask ask = open_map("to:boss@example.com mailfrom_fail=accept\n", path);
    struct am_conf_env env = {.config = ask.config, .arena = ask.arena};
    struct am_override_source source = source_of(ask.config, "there are none");
    struct am_problem problem = {.text = ""};

    (void)state;
    assert_null(am_overrides_open(&env, &source, &problem));
    assert_non_null(strstr(problem.text, ": has to: rows, but there are none"));
    unlink(path);
    close_overrides(&ask);
}

static void test_missing_map_is_a_sentence(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_override_map map;
    struct am_problem problem;
    struct am_override_source source = {.section = &override_section,
                                        .map_option = "x.override_map",
                                        .map_path = "/nonexistent/map"};

    (void)state;
    assert_false(am_override_map_load(&map, arena, &source, &problem));
    assert_non_null(strstr(problem.text, "x.override_map: cannot open /nonexistent/map"));
    am_arena_free(arena);
}

static void test_short_memory_is_a_sentence(void **state)
{
    char path[64], text[200];
    struct ask ask = open_map("from:.example.org mailfrom_fail=accept\n"
                              "client:192.0.2.0/24 helo_fail=reject\n",
                              path);
    bool failed = true;

    (void)state;
    close_overrides(&ask);
    snprintf(text, sizeof(text),
             "x { override_map = \"%s\" }\n"
             "x_override \"a\" { sender = { \"example.org\" } helo_fail = reject }",
             path);
    struct am_config *config = parse(text);
    for (size_t successes = 0; failed && successes < 1000; successes++) {
        struct am_arena *arena = am_arena_new(1, 0);
        struct am_conf_env env = {.config = config, .arena = arena};
        struct am_override_source source = source_of(config, NULL);
        struct am_problem problem = {.text = ""};

        failing_alloc_start(successes);
        struct am_overrides *overrides = am_overrides_open(&env, &source, &problem);
        failed = failing_alloc_stop();
        if (failed && overrides == NULL)
            assert_true(problem.text[0] != '\0');
        else
            assert_non_null(overrides);
        am_arena_free(arena);
    }
    assert_false(failed);
    unlink(path);
    am_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_have_an_order),
        cmocka_unit_test(test_slips_of_the_pen_are_refused),
        cmocka_unit_test(test_severest_action_wins),
        cmocka_unit_test(test_what_has_no_option_is_accepted),
        cmocka_unit_test(test_possible_actions),
        cmocka_unit_test(test_first_section_that_says_something_wins),
        cmocka_unit_test(test_many_recipients_get_the_severest),
        cmocka_unit_test(test_kept_recipients_are_bounded),
        cmocka_unit_test(test_map_rows),
        cmocka_unit_test(test_bad_maps_name_the_line),
        cmocka_unit_test(test_map_is_bounded),
        cmocka_unit_test(test_map_rows_for_recipients_need_recipients),
        cmocka_unit_test(test_missing_map_is_a_sentence),
        cmocka_unit_test(test_short_memory_is_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
