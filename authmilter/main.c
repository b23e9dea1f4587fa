#include <stdio.h>
#include <string.h>

#include "authmilter/command.h"

static const struct am_command *const commands[] = {
    &am_command_ar,     &am_command_check, &am_command_dmarc_report, &am_command_explain,
    &am_command_keygen, &am_command_keys,  &am_command_migrate,      &am_command_mta_sim,
    &am_command_replay, &am_command_run,   &am_command_sign,         &am_command_spf,
    &am_command_srs,    &am_command_stats, &am_command_testkey,      &am_command_top,
    &am_command_verify, &am_command_why};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    fprintf(out, "usage: authmilter COMMAND [OPTION...] | --help | --version\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n'authmilter COMMAND --help' describes a command; see also authmilter(1).\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return AM_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("authmilter %s\n", AM_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    fprintf(stderr, "authmilter: there is no command '%s'; see 'authmilter --help'\n", argv[1]);
    return AM_EXIT_USAGE;
}
