#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/milter/app_args.h"

static bool parse(struct am_app_args *args, struct am_problem *problem, char **argv)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    return am_app_args_parse(args, argc, argv, problem);
}

static void expect_refusal(char **argv, const char *sentence)
{
    struct am_app_args args;
    struct am_problem problem = {""};
    assert_false(parse(&args, &problem, argv));
    if (strstr(problem.text, sentence) == NULL)
        fail_msg("the sentence is: %s", problem.text);
    am_app_args_fini(&args);
}

static void reads_the_fixed_options(void **state)
{
    struct am_app_args args;
    struct am_problem problem;
    char *argv[] = {(char *)"x-milter",
                    (char *)"-c",
                    (char *)"file",
                    (char *)"-f",
                    (char *)"-o",
                    (char *)"dns.zone=/z",
                    (char *)"-s",
                    (char *)"inet:1@::1",
                    (char *)"-o",
                    (char *)"a.b=c=d",
                    NULL};
    (void)state;
    assert_true(parse(&args, &problem, argv));
    assert_int_equal(args.task, AM_APP_RUN);
    assert_string_equal(args.config, "file");
    assert_true(args.foreground);
    assert_int_equal(args.override_count, 3);
    assert_string_equal(args.overrides[0], "dns.zone=/z");
    assert_string_equal(args.overrides[1], "milter.socket=inet:1@::1");
    assert_string_equal(args.overrides[2], "a.b=c=d");
    am_app_args_fini(&args);
}

static void reads_the_tasks(void **state)
{
    static const struct {
        const char *word;
        enum am_app_task task;
    } rows[] = {
        {"--check-config", AM_APP_CHECK_CONFIG},
        {"--show-config", AM_APP_SHOW_CONFIG},
        {"--list-options", AM_APP_LIST_OPTIONS},
        {"--version", AM_APP_VERSION},
        {"--help", AM_APP_HELP},
        {"-h", AM_APP_HELP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_app_args args;
        char *argv[] = {(char *)"x-milter", (char *)rows[i].word, NULL};
        assert_true(parse(&args, NULL, argv));
        assert_int_equal(args.task, rows[i].task);
        am_app_args_fini(&args);
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
#define ARGV(...) (char *[]){(char *)"x-milter", __VA_ARGS__, NULL}
    expect_refusal(ARGV((char *)"-x"), "unknown option -x");
    expect_refusal(ARGV((char *)"--wrong"), "unknown option --wrong");
    expect_refusal(ARGV((char *)"-c"), "option -c wants a value");
    expect_refusal(ARGV((char *)"-c", (char *)""), "-c wants the name of a file");
    expect_refusal(ARGV((char *)"word"), "unexpected word \"word\"");
    expect_refusal(ARGV((char *)"-f", (char *)"word", (char *)"-c"), "unexpected word \"word\"");
    expect_refusal(ARGV((char *)"-o", (char *)"name=value"), "section.name=value");
    expect_refusal(ARGV((char *)"-o", (char *)"a=b.c"), "section.name=value");
    expect_refusal(ARGV((char *)"-o", (char *)".b=c"), "section.name=value");
    expect_refusal(ARGV((char *)"-o", (char *)"a.=c"), "section.name=value");
    expect_refusal(ARGV((char *)"--non-default"), "--show-config only");
    expect_refusal(ARGV((char *)"--help", (char *)"--version"), "only one of");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_fixed_options),
        cmocka_unit_test(reads_the_tasks),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
