#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iprev-milter/iprev_module.h"

/* The MTA waits for an answer only when there may be one. */

static struct am_section section;
static const struct am_section *schema[2];

static int set_up(void **state)
{
    (void)state;
    section = (struct am_section){.name = iprev_module.name,
                                  .help = "",
                                  .options = iprev_module.options,
                                  .size = iprev_module.conf_size};
    schema[0] = &section;
    return 0;
}

static struct am_config *parse(const char *text)
{
    struct am_problem problem = {.text = ""};
    struct am_config *config = am_config_parse(schema, text, "test.conf", NULL, 0, &problem);

    if (config == NULL)
        fail_msg("%s", problem.text);
    return config;
}

static void expect(const char *text, unsigned answers)
{
    struct am_config *config = parse(text);

    assert_int_equal(iprev_module.answers(am_config_section(config, "iprev"), NULL), answers);
    am_config_free(config);
}

static void test_answers(void **state)
{
    (void)state;
    expect("", 0);
    expect("iprev { result_fail = quarantine result_permerror = observe }", 0);
    expect("iprev { result_fail = reject }", AM_STAGE_ENVFROM);
    expect("iprev { result_temperror = tempfail }", AM_STAGE_ENVFROM);
}

static void test_open_survives_short_memory(void **state)
{
    struct am_config *config = parse("iprev { exempt_networks = { 192.0.2.0/24, 2001:db8::/32 } }");
    size_t bytes = 0;
    bool opened = false;

    (void)state;
    while (!opened) {
        struct am_problem problem = {.text = ""};
        struct am_arena *arena = am_arena_new(64, bytes += 8);
        struct am_conf_env env = {.config = config, .clock = am_clock_system(), .arena = arena};
        void *derived = NULL;

        assert_non_null(arena);
        opened =
            iprev_module.conf_open(am_config_section(config, "iprev"), &env, &derived, &problem);
        if (!opened)
            assert_string_equal(problem.text, "out of memory");
        am_arena_free(arena);
    }
    assert_in_range(bytes, 64, 65536);
    am_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_open_survives_short_memory),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
