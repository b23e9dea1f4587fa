#include "authmilter/tool_options.h"

#include <getopt.h>
#include <stdio.h>

#include "authmilter/command.h"

/* What getopt_long() returns for a row of the table; '?' and lower values are its own. */
#define OPTION_FIRST 256

int tool_refuse(const struct tool_usage *usage, const char *message)
{
    fprintf(stderr, "authmilter %s: %s; see 'authmilter %s --help'\n", usage->command, message,
            usage->command);
    return AM_EXIT_USAGE;
}

int tool_unavailable(const struct tool_usage *usage, const char *message)
{
    fprintf(stderr, "authmilter %s: %s\n", usage->command, message);
    return AM_EXIT_UNAVAILABLE;
}

/* Writes the table as getopt_long() has it, with --help behind. Returns the number of --help. */
static int translate(const struct tool_option *options, struct option out[TOOL_OPTIONS_MAX + 2])
{
    int count = 0;

    for (; count < TOOL_OPTIONS_MAX && options[count].name != NULL; count++)
        out[count] = (struct option){
            .name = options[count].name,
            .has_arg = options[count].kind == TOOL_OPTION_FLAG ? no_argument : required_argument,
            .val = OPTION_FIRST + count,
        };
    out[count] =
        (struct option){.name = "help", .has_arg = no_argument, .val = OPTION_FIRST + count};
    out[count + 1] = (struct option){0};
    return OPTION_FIRST + count;
}

static bool take(const struct tool_option *option, void *arguments, struct am_problem *problem)
{
    void *place = (char *)arguments + option->offset;

    switch (option->kind) {
    case TOOL_OPTION_TEXT:
        *(const char **)place = optarg;
        return true;
    case TOOL_OPTION_FLAG:
        *(bool *)place = true;
        return true;
    default:
        return option->take(arguments, optarg, problem);
    }
}

int tool_options_read(const struct tool_usage *usage, int argc, char **argv, void *arguments)
{
    struct option options[TOOL_OPTIONS_MAX + 2];
    struct am_problem problem;
    int help = translate(usage->options, options), found;

    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (found == help) {
            fputs(usage->help, stdout);
            return 0;
        }
        if (found < OPTION_FIRST)
            return tool_refuse(usage, "wrong usage");
        if (!take(&usage->options[found - OPTION_FIRST], arguments, &problem))
            return tool_refuse(usage, problem.text);
    }
    return -1;
}

int tool_finish(const struct tool_usage *usage, int status)
{
    return fflush(stdout) == 0 ? status
                               : tool_unavailable(usage, "standard output cannot be written");
}
