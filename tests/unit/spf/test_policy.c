#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spf-milter/spf_options.h"

/* Options, and what they mean for the policy. */

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

static void test_defaults_accept_everything(void **state)
{
    struct am_config *config = parse("");
    const struct spf_conf *conf = am_config_section(config, "spf");

    (void)state;
    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        assert_int_equal(conf->policy.action[i], AM_POLICY_ACCEPT);
    assert_int_equal(conf->reject_at, SPF_REJECT_AT_RCPT);
    assert_int_equal(conf->max_terms, 10);
    assert_int_equal(conf->max_voids, 2);
    assert_int_equal(conf->time_limit_ms, 20000);
    assert_int_equal(conf->exempt_recipients.count, 2);
    am_config_free(config);
}

static void test_each_result_has_its_own_place(void **state)
{
    struct am_config *config = parse("spf { mailfrom_fail = reject mailfrom_none = tempfail "
                                     "helo_fail = observe helo_permerror = quarantine }");
    const struct spf_conf *conf = am_config_section(config, "spf");

    (void)state;
    assert_int_equal(conf->policy.action[SPF_POLICY(SPF_MAILFROM, SPF_FAIL)], AM_POLICY_REJECT);
    assert_int_equal(conf->policy.action[SPF_POLICY(SPF_MAILFROM, SPF_NONE)], AM_POLICY_TEMPFAIL);
    assert_int_equal(conf->policy.action[SPF_POLICY(SPF_HELO, SPF_FAIL)], AM_POLICY_OBSERVE);
    assert_int_equal(conf->policy.action[SPF_POLICY(SPF_HELO, SPF_PERMERROR)],
                     AM_POLICY_QUARANTINE);
    am_config_free(config);
}

static void test_pass_has_no_option(void **state)
{
    uint32_t pass = UINT32_C(1) << SPF_POLICY(SPF_MAILFROM, SPF_PASS) |
                    UINT32_C(1) << SPF_POLICY(SPF_HELO, SPF_PASS);
    struct am_config *config = parse("spf { mailfrom_fail = reject helo_fail = reject }");
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_conf_env env = {.config = config, .arena = arena};
    struct am_override_source source = spf_options_source(am_config_section(config, "spf"));
    struct am_problem problem;
    struct am_overrides *overrides = am_overrides_open(&env, &source, &problem);

    (void)state;
    assert_non_null(overrides);
    assert_int_equal(am_overrides_possible(overrides, pass) & AM_POLICY_DEEDS, 0);
    assert_int_equal(am_overrides_possible(overrides, ~pass) & AM_POLICY_DEEDS,
                     AM_POLICY_BIT(AM_POLICY_REJECT));
    am_arena_free(arena);
    am_config_free(config);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_accept_everything),
        cmocka_unit_test(test_each_result_has_its_own_place),
        cmocka_unit_test(test_pass_has_no_option),
        cmocka_unit_test(test_contradictions_are_refused),
        cmocka_unit_test(test_bad_values_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
