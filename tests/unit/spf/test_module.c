#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spf-milter/spf_module.h"
#include "spf-milter/spf_options.h"

/*
 * Which events the module asks for and answers: every one that nobody needs costs each
 * message of a busy server system calls and thread hand-offs.
 */

static const struct am_section *schema[3];
static struct am_section spf_section;

static int set_up(void **state)
{
    (void)state;
    spf_section = (struct am_section){.name = spf_module.name,
                                      .help = "",
                                      .options = spf_module.options,
                                      .size = spf_module.conf_size};
    schema[0] = &spf_section;
    schema[1] = spf_module.extra_sections[0];
    return 0;
}

struct stages {
    unsigned wants, answers;
};

static struct stages stages_of(const char *text)
{
    struct am_problem problem = {.text = ""};
    struct am_config *config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);
    struct am_arena *arena = am_arena_new(4096, 0);
    struct stages stages = {0, 0};
    void *derived;

    if (config == NULL)
        fail_msg("%s", problem.text);
    struct am_conf_env env = {.config = config, .clock = am_clock_system(), .arena = arena};
    const void *conf = am_config_section(config, "spf");
    if (!spf_module.conf_check(conf, config, &problem) ||
        !spf_module.conf_open(conf, &env, &derived, &problem))
        fail_msg("%s", problem.text);
    stages.wants = spf_module.wants(conf, derived);
    stages.answers = spf_module.answers(conf, derived);
    if (spf_module.conf_close != NULL)
        spf_module.conf_close(derived);
    am_arena_free(arena);
    am_config_free(config);
    return stages;
}

static void expect(const char *text, unsigned wants, unsigned answers)
{
    struct stages stages = stages_of(text);

    if (stages.wants != wants || stages.answers != answers)
        fail_msg("%s: wants %#x, answers %#x", text, stages.wants, stages.answers);
}

static void test_default_takes_mail_only(void **state)
{
    (void)state;
    expect("", AM_STAGE_ENVFROM, 0);
    expect("spf { exempt_senders = { \"example.org\" } explanation = yes }", AM_STAGE_ENVFROM, 0);
    expect("override \"a\" { sender = { \"example.org\" } mailfrom_fail = accept }",
           AM_STAGE_ENVFROM, 0);
}

static void test_refusals_are_answered_where_they_are_given(void **state)
{
    (void)state;
    expect("spf { mailfrom_fail = reject }", AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT, AM_STAGE_ENVRCPT);
    expect("spf { helo_temperror = tempfail }", AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT,
           AM_STAGE_ENVRCPT);
    expect("spf { mailfrom_fail = reject reject_at = mail }", AM_STAGE_ENVFROM, AM_STAGE_ENVFROM);
    expect("override \"a\" { client = { \"192.0.2.0/24\" } mailfrom_none = reject }",
           AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT, AM_STAGE_ENVRCPT);
}

static void test_holding_and_observing_answer_nothing(void **state)
{
    (void)state;
    expect("spf { mailfrom_fail = quarantine }", AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT, 0);
    expect("spf { mailfrom_fail = observe }", AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT, 0);
    expect("spf { mailfrom_fail = observe reject_at = mail }", AM_STAGE_ENVFROM, 0);
}

static void test_headers_only_for_relays(void **state)
{
    (void)state;
    expect("spf { trusted_relays = { \"192.0.2.0/24\" } }",
           AM_STAGE_ENVFROM | AM_STAGE_HEADER | AM_STAGE_EOM, 0);
    expect("spf { received_spf = yes }", AM_STAGE_ENVFROM | AM_STAGE_EOM, 0);
}

/* Opens a configuration in so many bytes of memory. Returns whether they were enough. */
static bool open_within(const struct am_config *config, size_t bytes)
{
    struct am_problem problem = {.text = ""};
    struct am_arena *arena = am_arena_new(64, bytes);
    struct am_conf_env env = {.config = config, .clock = am_clock_system(), .arena = arena};
    void *derived = NULL;

    assert_non_null(arena);
    bool opened = spf_module.conf_open(am_config_section(config, "spf"), &env, &derived, &problem);
    if (!opened)
        assert_string_equal(problem.text, "out of memory");
    am_arena_free(arena);
    return opened;
}

static void test_open_survives_short_memory(void **state)
{
    static const char text[] =
        "spf { exempt_networks = { \"192.0.2.0/24\" } exempt_senders = { \"example.org\" } }\n"
        "override \"a\" { sender = { \".example.org\" } client = { \"2001:db8::/32\" } "
        "recipient = { \"a@example.com\", \"b@example.com\" } mailfrom_fail = reject }";
    struct am_problem problem = {.text = ""};
    struct am_config *config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);
    size_t bytes = 8;

    (void)state;
    assert_non_null(config);
    while (!open_within(config, bytes))
        bytes += 8;
    assert_in_range(bytes, 256, 65536);
    am_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_takes_mail_only),
        cmocka_unit_test(test_refusals_are_answered_where_they_are_given),
        cmocka_unit_test(test_holding_and_observing_answer_nothing),
        cmocka_unit_test(test_headers_only_for_relays),
        cmocka_unit_test(test_open_survives_short_memory),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
