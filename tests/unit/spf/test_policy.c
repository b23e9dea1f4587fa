#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "spf-milter/spf_options.h"
#include "spf-milter/spf_override.h"
#include "spf-milter/spf_override_map.h"

/* Policies, overrides and their map files. */

static const struct am_section spf_section = {
    .name = "spf", .help = "", .options = spf_options, .size = sizeof(struct spf_conf)};
static const struct am_section *schema[3];

static int set_up(void **state)
{
    (void)state;
    schema[0] = &spf_section;
    schema[1] = spf_extra_sections[0];
    return 0;
}

static struct am_config *parse(const char *text)
{
    struct am_problem problem;
    struct am_config *config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);

    if (config == NULL)
        fail_msg("%s", problem.text);
    return config;
}

static struct spf_outcome outcome_of(enum spf_result result)
{
    return (struct spf_outcome){.result = result, .domain = "example.org"};
}

static void test_defaults_accept_everything(void **state)
{
    struct am_config *config = parse("");
    const struct spf_conf *conf = am_config_section(config, "spf");

    (void)state;
    assert_int_equal(spf_policy_actions(&conf->policy), 1U << SPF_ACTION_ACCEPT);
    assert_int_equal(conf->reject_at, SPF_REJECT_AT_RCPT);
    assert_int_equal(conf->max_terms, 10);
    assert_int_equal(conf->max_voids, 2);
    assert_int_equal(conf->time_limit_ms, 20000);
    assert_int_equal(conf->exempt_recipients.count, 2);
    am_config_free(config);
}

static void test_severest_action_wins(void **state)
{
    struct spf_policy policy = {{{0}}};
    struct spf_outcome fail = outcome_of(SPF_FAIL), soft = outcome_of(SPF_SOFTFAIL);
    struct spf_finding findings[] = {{SPF_MAILFROM, &soft}, {SPF_HELO, &fail}};

    (void)state;
    policy.action[SPF_MAILFROM][SPF_SOFTFAIL] = SPF_ACTION_QUARANTINE;
    policy.action[SPF_HELO][SPF_FAIL] = SPF_ACTION_OBSERVE;
    struct spf_ruling ruling = spf_policy_rule(&policy, findings, 2);
    assert_int_equal(ruling.action, SPF_ACTION_QUARANTINE);
    assert_ptr_equal(ruling.finding, &findings[0]);

    policy.action[SPF_HELO][SPF_FAIL] = SPF_ACTION_REJECT;
    ruling = spf_policy_rule(&policy, findings, 2);
    assert_int_equal(ruling.action, SPF_ACTION_REJECT);
    assert_ptr_equal(ruling.finding, &findings[1]);
}

static void test_pass_is_never_refused(void **state)
{
    struct spf_policy policy = {{{0}}};
    struct spf_outcome pass = outcome_of(SPF_PASS);
    struct spf_finding finding = {SPF_MAILFROM, &pass};

    (void)state;
    policy.action[SPF_MAILFROM][SPF_PASS] = SPF_ACTION_REJECT;
    assert_int_equal(spf_policy_rule(&policy, &finding, 1).action, SPF_ACTION_ACCEPT);
}

static void expect_refused(const char *text, const char *sentence)
{
    struct am_config *config = parse(text);
    struct am_problem problem = {.text = ""};

    assert_false(spf_options_check(am_config_section(config, "spf"), config, &problem));
    if (strstr(problem.text, sentence) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", sentence, problem.text);
    am_config_free(config);
}

static void test_contradictions_are_refused(void **state)
{
    (void)state;
    expect_refused("spf { check_helo = no check_mailfrom = no }", "nothing would be checked");
    expect_refused("override \"a\" { mailfrom_fail = accept }", "names nobody");
    expect_refused("override \"a\" { sender = { \"example.org\" } }", "changes nothing");
    expect_refused("spf { reject_at = mail }\n"
                   "override \"a\" { recipient = { \"example.org\" } helo_fail = reject }",
                   "spf.reject_at = rcpt");
}

static void test_bad_values_are_refused(void **state)
{
    struct am_problem problem;

    (void)state;
    assert_null(
        am_config_parse(schema, "spf { exempt_senders = { \"a..b@@\" } }", "t", NULL, 0, &problem));
    assert_non_null(strstr(problem.text, "no pattern"));
    assert_null(am_config_parse(schema, "spf { mailfrom_fail = inherit }", "t", NULL, 0, &problem));
    assert_null(am_config_parse(schema, "spf { time_limit = 30s }", "t", NULL, 0, &problem));
}

/* --- overrides --- */

struct ask {
    struct am_arena *arena;
    struct am_config *config;
    struct spf_overrides *overrides;
};

static struct ask open_overrides(const char *text)
{
    struct ask ask = {.arena = am_arena_new(4096, 0), .config = parse(text)};
    struct am_problem problem;

    ask.overrides =
        spf_overrides_open(ask.arena, ask.config, am_config_section(ask.config, "spf"), &problem);
    if (ask.overrides == NULL)
        fail_msg("%s", problem.text);
    return ask;
}

static void close_overrides(struct ask *ask)
{
    am_arena_free(ask->arena);
    am_config_free(ask->config);
}

/* Returns the action for a MAIL FROM fail. */
static enum spf_action action_for(const struct ask *ask, const char *client, const char *sender,
                                  const char *recipient, const char **rule)
{
    const struct spf_conf *conf = am_config_section(ask->config, "spf");
    struct spf_effective effective;
    struct am_address from, to;
    struct spf_facts facts = {.arena = ask->arena, .sender = &from, .recipient = &to};

    am_address_parse(&from, am_span_str(sender));
    am_address_parse(&to, am_span_str(recipient));
    assert_true(am_ip_parse(&facts.client, am_span_str(client)));
    spf_overrides_apply(ask->overrides, &conf->policy, &facts, &effective);
    const struct spf_override_rule *by = effective.rule[SPF_MAILFROM][SPF_FAIL];
    *rule = by == NULL ? NULL : spf_override_rule_name(ask->arena, by);
    return (enum spf_action)effective.policy.action[SPF_MAILFROM][SPF_FAIL];
}

static void test_first_section_that_says_something_wins(void **state)
{
    struct ask ask = open_overrides(
        "spf { mailfrom_fail = reject }\n"
        "override \"helo only\" { sender = { \"example.org\" } helo_fail = reject }\n"
        "override \"partners\" { client = { \"192.0.2.0/24\" } mailfrom_fail = accept }\n"
        "override \"all of it\" { sender = { \".example.org\" } mailfrom_fail = tempfail }\n"
        "override \"both\" { sender = { \"a@other.org\" } recipient = { \"example.com\" } "
        "mailfrom_fail = quarantine }\n");
    const char *rule;

    (void)state;
    assert_int_equal(action_for(&ask, "192.0.2.7", "u@example.org", "x@y.z", &rule),
                     SPF_ACTION_ACCEPT);
    assert_string_equal(rule, "partners");
    assert_int_equal(action_for(&ask, "198.51.100.1", "u@sub.example.org", "x@y.z", &rule),
                     SPF_ACTION_TEMPFAIL);
    assert_int_equal(action_for(&ask, "198.51.100.1", "A@other.org", "x@example.com", &rule),
                     SPF_ACTION_QUARANTINE);
    assert_int_equal(action_for(&ask, "198.51.100.1", "a@other.org", "x@example.net", &rule),
                     SPF_ACTION_REJECT);
    assert_null(rule);
    assert_int_equal(spf_overrides_actions(ask.overrides, SPF_HELO, SPF_FAIL),
                     1U << SPF_ACTION_REJECT);
    close_overrides(&ask);
}

/* Writes a map to a temporary file and opens overrides with it. */
static struct ask open_map(const char *rows, char path[64])
{
    char config[256];

    snprintf(path, 64, "/tmp/spf-map-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, rows, strlen(rows)), strlen(rows));
    close(fd);
    snprintf(config, sizeof(config), "spf { mailfrom_fail = reject override_map = \"%s\" }", path);
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
    assert_int_equal(action_for(&ask, "192.0.2.1", "u@x.y", "a@b.c", &rule), SPF_ACTION_ACCEPT);
    snprintf(name, sizeof(name), "%s:2", path);
    assert_string_equal(rule, name);
    assert_int_equal(action_for(&ask, "192.0.2.200", "u@x.y", "a@b.c", &rule), SPF_ACTION_TEMPFAIL);
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@a.b.EXAMPLE.org", "a@b.c", &rule),
                     SPF_ACTION_OBSERVE);
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@bad.example.org", "a@b.c", &rule),
                     SPF_ACTION_REJECT);
    /* Of several rows that match, the first in the file decides. */
    assert_int_equal(action_for(&ask, "203.0.113.1", "u@a.example.org", "boss@example.com", &rule),
                     SPF_ACTION_OBSERVE);
    assert_int_equal(action_for(&ask, "2001:db8::1", "u@x.y", "Boss@example.com", &rule),
                     SPF_ACTION_QUARANTINE);
    unlink(path);
    close_overrides(&ask);
}

static void expect_bad_map(const char *rows, const char *sentence)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct spf_override_map map;
    struct am_problem problem = {.text = ""};

    assert_false(spf_override_map_parse(&map, arena, "m", am_span_str(rows), &problem));
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
    for (unsigned i = 0; i <= SPF_MAP_ROWS_MAX; i++)
        am_buf_printf(&rows, "from:d%u.example helo_fail=reject\n", i);
    expect_bad_map(am_buf_str(&rows), ":100001: too many rows");
    am_buf_fini(&rows);
}

static void test_missing_map_is_a_sentence(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct spf_override_map map;
    struct am_problem problem;

    (void)state;
    assert_false(spf_override_map_load(&map, arena, "/nonexistent/map", &problem));
    assert_non_null(strstr(problem.text, "cannot open /nonexistent/map"));
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_accept_everything),
        cmocka_unit_test(test_severest_action_wins),
        cmocka_unit_test(test_pass_is_never_refused),
        cmocka_unit_test(test_contradictions_are_refused),
        cmocka_unit_test(test_bad_values_are_refused),
        cmocka_unit_test(test_first_section_that_says_something_wins),
        cmocka_unit_test(test_map_rows),
        cmocka_unit_test(test_bad_maps_name_the_line),
        cmocka_unit_test(test_map_is_bounded),
        cmocka_unit_test(test_missing_map_is_a_sentence),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
