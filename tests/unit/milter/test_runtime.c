#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/milter/runtime.h"

struct demo_conf {
    int64_t number;
    const char *file;
};

static int opened, closed;
static bool refuse_open;

static const struct am_option demo_options[] = {
    {.name = "number",
     .kind = AM_OPTION_INT,
     .offset = offsetof(struct demo_conf, number),
     .fallback = "7",
     .min = 0,
     .max = 100,
     .help = "a number"},
    {.name = "file",
     .kind = AM_OPTION_TEXT,
     .offset = offsetof(struct demo_conf, file),
     .fallback = "",
     .help = "a watched file"},
    {0},
};

static bool demo_check(const void *conf, const struct am_config *config, struct am_problem *problem)
{
    (void)config;
    return ((const struct demo_conf *)conf)->number != 13 ||
           am_problem_set(problem, "demo.number: 13 is bad luck");
}

static bool demo_open(const void *conf, const struct am_conf_env *env, void **derived,
                      struct am_problem *problem)
{
    const struct demo_conf *demo = conf;
    if (refuse_open)
        return am_problem_set(problem, "demo: not today");
    opened++;
    *derived = &opened;
    if (demo->file[0] != '\0') {
        assert_true(am_conf_env_watch(env, demo->file));
        assert_true(am_conf_env_watch(env, demo->file));
    }
    return true;
}

static void demo_close(void *derived)
{
    assert_ptr_equal(derived, &opened);
    closed++;
}

static unsigned demo_wants(const void *conf, const void *derived)
{
    (void)derived;
    return ((const struct demo_conf *)conf)->number == 1
               ? AM_STAGE_HELO
               : AM_STAGE_HELO | AM_STAGE_ENVFROM | AM_STAGE_BODY;
}

static unsigned demo_answers(const void *conf, const void *derived)
{
    (void)conf, (void)derived;
    return AM_STAGE_ENVFROM | AM_STAGE_CONNECT;
}

static enum am_verdict demo_stage(struct am_ctx *ctx)
{
    (void)ctx;
    return AM_CONTINUE;
}

static const char *const demo_after[] = {"plain", NULL};

static const struct am_module demo = {
    .abi = AM_MODULE_ABI,
    .name = "demo",
    .options = demo_options,
    .conf_size = sizeof(struct demo_conf),
    .conf_check = demo_check,
    .conf_open = demo_open,
    .conf_close = demo_close,
    .after = demo_after,
    .wants = demo_wants,
    .answers = demo_answers,
    .helo = demo_stage,
    .envfrom = demo_stage,
    .data = demo_stage,
};
static const struct am_module plain = {.abi = AM_MODULE_ABI, .name = "plain", .data = demo_stage};
static const struct am_module old = {.abi = AM_MODULE_ABI + 1, .name = "old"};

static const struct am_module *const both[] = {&demo, &plain, NULL};
static const struct am_module *const stale[] = {&old, NULL};

struct fixture {
    struct am_arena *arena;
    struct am_runtime_source source;
    struct am_problem problem;
    const char *overrides[4];
    char path[64];
};

static void write_file(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->path, "/tmp/test_runtime.XXXXXX");
    int fd = mkstemp(f->path);
    close(fd);
    f->arena = am_arena_new(1024, 0);
    f->source = (struct am_runtime_source){.modules = both,
                                           .schema = am_runtime_schema(f->arena, both),
                                           .path = f->path,
                                           .overrides = f->overrides,
                                           .clock = am_clock_system()};
    write_file(f, "dns { nameservers = { \"127.0.0.1:9\" } }\n");
    opened = closed = 0;
    refuse_open = false;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    am_arena_free(f->arena);
    free(f);
    return 0;
}

static struct am_runtime *load(struct fixture *f, struct am_runtime *former)
{
    struct am_runtime *runtime = am_runtime_load(&f->source, former, &f->problem);
    if (runtime == NULL)
        fail_msg("%s", f->problem.text);
    return runtime;
}

static void expect_refusal(struct fixture *f, struct am_runtime *former, const char *sentence)
{
    assert_null(am_runtime_load(&f->source, former, &f->problem));
    if (strstr(f->problem.text, sentence) == NULL)
        fail_msg("the sentence is: %s", f->problem.text);
}

static void drop(struct am_runtime *runtime)
{
    am_snapshot_drop(&runtime->snapshot);
}

static void builds_sorted_modules_with_their_stages(void **state)
{
    struct fixture *f = *state;
    struct am_runtime *runtime = load(f, NULL);
    assert_int_equal(runtime->generation, 1);
    assert_int_equal(runtime->module_count, 2);
    assert_string_equal(runtime->modules[0].module->name, "plain");
    assert_int_equal(runtime->modules[0].wants, AM_STAGE_DATA);
    assert_int_equal(runtime->modules[0].answers, AM_STAGE_DATA);
    assert_string_equal(runtime->modules[1].module->name, "demo");
    assert_int_equal(runtime->modules[1].wants, AM_STAGE_HELO | AM_STAGE_ENVFROM);
    assert_int_equal(runtime->modules[1].answers, AM_STAGE_ENVFROM);
    assert_int_equal(((const struct demo_conf *)runtime->modules[1].conf)->number, 7);
    assert_non_null(runtime->resolver);
    assert_true(runtime->host_name[0] != '\0');
    drop(runtime);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
}

static void refuses_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    write_file(f, "demo { number = 13 }\n");
    expect_refusal(f, NULL, "bad luck");
    write_file(f, "demo { number = 101 }\n");
    expect_refusal(f, NULL, "number");
    write_file(f, "milter { observe_modules = { \"nobody\" } }\n");
    expect_refusal(f, NULL, "no module \"nobody\"");
    write_file(f, "milter { metrics_listen = \"192.0.2.1:80\" }\n");
    expect_refusal(f, NULL, "loopback");
    write_file(f, "milter { socket = \"inet:127.0.0.1:80\" }\n");
    expect_refusal(f, NULL, "inet:80@127.0.0.1");
    write_file(f, "authres { authserv_id = \"a b\" }\n");
    expect_refusal(f, NULL, "authserv-id");
    write_file(f, "");
    refuse_open = true;
    expect_refusal(f, NULL, "not today");
    assert_int_equal(opened, closed);
    f->source.modules = stale;
    expect_refusal(f, NULL, "was built for version");
}

static void a_reload_shares_the_resolver_unless_dns_changed(void **state)
{
    struct fixture *f = *state;
    struct am_runtime *first = load(f, NULL);
    write_file(f, "dns { nameservers = { \"127.0.0.1:9\" } }\ndemo { number = 1 }\n");
    struct am_runtime *second = load(f, first);
    assert_ptr_equal(first->resolver, second->resolver);
    assert_int_equal(second->generation, 2);
    assert_int_equal(second->modules[1].wants, AM_STAGE_HELO);
    drop(first);
    write_file(f, "dns { nameservers = { \"127.0.0.1:10\" } }\n");
    struct am_runtime *third = load(f, second);
    assert_ptr_not_equal(second->resolver, third->resolver);
    drop(second);
    drop(third);
    assert_int_equal(closed, 3);
}

static void a_failed_reload_leaves_the_former_whole(void **state)
{
    struct fixture *f = *state;
    struct am_runtime *first = load(f, NULL);
    write_file(f, "demo { number = }\n");
    expect_refusal(f, first, f->path);
    assert_int_equal(closed, 0);
    assert_int_equal(((const struct demo_conf *)first->modules[1].conf)->number, 7);
    drop(first);
    assert_int_equal(closed, 1);
}

static void keeps_what_can_only_change_at_the_start(void **state)
{
    struct fixture *f = *state;
    write_file(f, "milter { socket = \"inet:1000\" drain = 1s }\n");
    struct am_runtime *first = load(f, NULL);
    write_file(f, "milter { socket = \"inet:2000\" drain = 2s }\n");
    struct am_runtime *second = load(f, first);
    assert_string_equal(second->milter->socket, "inet:1000");
    assert_int_equal(second->milter->drain_ms, 2000);
    drop(first);
    assert_string_equal(second->milter->socket, "inet:1000");
    drop(second);
}

static void a_file_reload_reads_no_configuration(void **state)
{
    struct fixture *f = *state;
    write_file(f, "demo { number = 3 file = \"/tmp/map\" }\n");
    struct am_runtime *first = load(f, NULL);
    assert_int_equal(first->watches.count, 1);
    assert_string_equal(first->watches.items[0].path, "/tmp/map");
    write_file(f, "half an ed");
    f->source.keep_config = true;
    struct am_runtime *second = load(f, first);
    drop(first);
    assert_int_equal(opened, 2);
    assert_int_equal(((const struct demo_conf *)second->modules[1].conf)->number, 3);
    assert_int_equal(second->watches.count, 1);
    drop(second);
    assert_int_equal(closed, 2);
}

static void observe_is_for_all_or_for_some(void **state)
{
    struct fixture *f = *state;
    write_file(f, "milter { observe_modules = { \"demo\" } }\n");
    struct am_runtime *runtime = load(f, NULL);
    assert_false(runtime->modules[0].observe);
    assert_true(runtime->modules[1].observe);
    drop(runtime);
    write_file(f, "milter { observe = yes }\n");
    runtime = load(f, NULL);
    assert_true(runtime->modules[0].observe);
    drop(runtime);
}

static void some_modules_of_a_program_run(void **state)
{
    struct fixture *f = *state;
    struct am_runtime *all = load(f, NULL);
    assert_int_equal(all->milter->modules.count, 2);
    write_file(f, "milter { modules = plain observe_modules = demo }\ndemo { number = 13 }\n");
    struct am_runtime *one = load(f, all);
    assert_int_equal(one->module_count, 1);
    assert_string_equal(one->modules[0].module->name, "plain");
    assert_false(one->modules[0].observe);
    assert_int_equal(opened, 1);
    drop(one);
    write_file(f, "milter { modules = { demo, plain } }\n");
    one = load(f, NULL);
    assert_string_equal(one->modules[0].module->name, "plain");
    drop(one);
    assert_int_equal(all->module_count, 2);
    drop(all);
    assert_int_equal(closed, 2);
}

static void a_choice_of_modules_is_judged(void **state)
{
    struct fixture *f = *state;
    write_file(f, "milter { modules = { demo, nobody } }\n");
    expect_refusal(f, NULL, "milter.modules: this program has no module \"nobody\"");
    write_file(f, "milter { modules = { demo, demo } }\n");
    expect_refusal(f, NULL, "\"demo\" is named twice");
    write_file(f, "milter { modules = { } }\n");
    expect_refusal(f, NULL, "no module is named");
    assert_int_equal(opened, 0);
}

static void a_program_with_one_module_has_no_choice(void **state)
{
    static const struct am_module *const alone[] = {&demo, NULL};
    struct fixture *f = *state;
    f->source.modules = alone;
    f->source.schema = am_runtime_schema(f->arena, alone);
    struct am_runtime *runtime = load(f, NULL);
    assert_int_equal(runtime->module_count, 1);
    assert_int_equal(runtime->milter->modules.count, 0);
    drop(runtime);
    write_file(f, "milter { modules = { demo } }\n");
    expect_refusal(f, NULL, "modules");
}

static void a_check_opens_no_resolver(void **state)
{
    struct fixture *f = *state;
    f->source.check_only = true;
    struct am_runtime *runtime = load(f, NULL);
    assert_null(runtime->resolver);
    assert_int_equal(opened, 1);
    drop(runtime);
    write_file(f, "dns { zone = \"/nonexistent/zone\" }\n");
    expect_refusal(f, NULL, "/nonexistent/zone");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(builds_sorted_modules_with_their_stages),
        TEST(refuses_with_a_sentence),
        TEST(a_reload_shares_the_resolver_unless_dns_changed),
        TEST(a_failed_reload_leaves_the_former_whole),
        TEST(keeps_what_can_only_change_at_the_start),
        TEST(a_file_reload_reads_no_configuration),
        TEST(observe_is_for_all_or_for_some),
        TEST(some_modules_of_a_program_run),
        TEST(a_choice_of_modules_is_judged),
        TEST(a_program_with_one_module_has_no_choice),
        TEST(a_check_opens_no_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
