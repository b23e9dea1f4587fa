#include "common/milter/app_args.h"

#include <getopt.h>
#include <string.h>

enum {
    LONG_CHECK_CONFIG = 256,
    LONG_SHOW_CONFIG,
    LONG_NON_DEFAULT,
    LONG_LIST_OPTIONS,
    LONG_VERSION,
    LONG_HELP,
};

static const struct option long_options[] = {
    {"foreground", no_argument, NULL, 'f'},
    {"check-config", no_argument, NULL, LONG_CHECK_CONFIG},
    {"show-config", no_argument, NULL, LONG_SHOW_CONFIG},
    {"non-default", no_argument, NULL, LONG_NON_DEFAULT},
    {"list-options", no_argument, NULL, LONG_LIST_OPTIONS},
    {"version", no_argument, NULL, LONG_VERSION},
    {"help", no_argument, NULL, LONG_HELP},
    {NULL, 0, NULL, 0},
};

static bool set_task(struct am_app_args *args, enum am_app_task task, struct am_problem *problem)
{
    if (args->task != AM_APP_RUN && args->task != task)
        return am_problem_set(problem, "only one of --check-config, --show-config, --list-options, "
                                       "--version and --help can be given");
    args->task = task;
    return true;
}

static bool add_override(struct am_app_args *args, const char *text, struct am_problem *problem)
{
    const char *equals = strchr(text, '=');
    const char *dot = strchr(text, '.');
    if (equals == NULL || dot == NULL || dot > equals || dot == text || dot + 1 == equals)
        return am_problem_set(problem, "-o wants section.name=value, not \"%s\"", text);
    args->overrides[args->override_count++] = text;
    return true;
}

static bool add_socket(struct am_app_args *args, const char *text, struct am_problem *problem)
{
    const char *whole = am_arena_printf(args->arena, "milter.socket=%s", text);
    if (whole == NULL)
        return am_problem_set(problem, "memory is short");
    args->overrides[args->override_count++] = whole;
    return true;
}

static bool take(struct am_app_args *args, int option, const char *word, struct am_problem *problem)
{
    switch (option) {
    case 'c':
        args->config = optarg;
        return optarg[0] != '\0' || am_problem_set(problem, "-c wants the name of a file");
    case 'f':
        args->foreground = true;
        return true;
    case 'o':
        return add_override(args, optarg, problem);
    case 's':
        return add_socket(args, optarg, problem);
    case LONG_CHECK_CONFIG:
        return set_task(args, AM_APP_CHECK_CONFIG, problem);
    case LONG_SHOW_CONFIG:
        return set_task(args, AM_APP_SHOW_CONFIG, problem);
    case LONG_NON_DEFAULT:
        args->non_default = true;
        return true;
    case LONG_LIST_OPTIONS:
        return set_task(args, AM_APP_LIST_OPTIONS, problem);
    case LONG_VERSION:
        return set_task(args, AM_APP_VERSION, problem);
    case LONG_HELP:
        return set_task(args, AM_APP_HELP, problem);
    case ':':
        return am_problem_set(problem, "option %s wants a value", word);
    default:
        return am_problem_set(problem, "unknown option %s", word);
    }
}

bool am_app_args_parse(struct am_app_args *args, int argc, char **argv, struct am_problem *problem)
{
    memset(args, 0, sizeof(*args));
    args->arena = am_arena_new(1024, 0);
    if (args->arena != NULL)
        args->overrides = am_arena_alloc(args->arena, (size_t)(argc + 1) * sizeof(char *));
    if (args->overrides == NULL)
        return am_problem_set(problem, "memory is short");

    optind = 1;
    opterr = 0;
    int option;
    for (;;) {
        const char *word = optind < argc ? argv[optind] : "";
        option = getopt_long(argc, argv, "+:c:fo:s:h", long_options, NULL);
        if (option == -1)
            break;
        if (!take(args, option == 'h' ? LONG_HELP : option, word, problem))
            return false;
    }
    if (optind < argc)
        return am_problem_set(problem, "unexpected word \"%s\"", argv[optind]);
    if (args->non_default && args->task != AM_APP_SHOW_CONFIG)
        return am_problem_set(problem, "--non-default goes with --show-config only");
    return true;
}

void am_app_args_fini(struct am_app_args *args)
{
    am_arena_free(args->arena);
    args->arena = NULL;
}
