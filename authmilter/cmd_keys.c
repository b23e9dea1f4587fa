#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/command.h"
#include "authmilter/keys.h"
#include "authmilter/tool_name.h"

#define arguments keys_arguments

static bool take_nameserver(void *user, const char *text, struct am_problem *problem)
{
    struct keys_arguments *args = user;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static bool take_type(void *user, const char *text, struct am_problem *problem)
{
    struct keys_arguments *args = user;

    args->rsa = strcmp(text, "ed25519") != 0;
    args->ed25519 = strcmp(text, "rsa") != 0;
    return (args->rsa && args->ed25519) == (strcmp(text, "both") == 0) ||
           am_problem_set(problem, "--type takes rsa, ed25519 or both");
}

static bool take_keep(void *user, const char *text, struct am_problem *problem)
{
    struct keys_arguments *args = user;
    char *end;
    unsigned long days = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || days > 366)
        return am_problem_set(problem, "--keep takes a number of days from 0 to 366");
    args->keep_days = (int64_t)days;
    return true;
}

static const struct tool_option options[] = {
    TOOL_TEXT("directory", directory),
    TOOL_TEXT("selector", selector),
    TOOL_CALL("type", take_type),
    TOOL_CALL("keep", take_keep),
    TOOL_FLAG("force", force),
    TOOL_FLAG("json", json),
    TOOL_TEXT("zone", dns.zone),
    TOOL_CALL("nameserver", take_nameserver),
    {0},
};

static const char help[] =
    "usage: authmilter keys COMMAND [OPTION...] [DOMAIN [SELECTOR]]\n\n"
    "Managed keys of dkim-milter, which sign once their records are published.\n\n"
    "  list [DOMAIN]           the keys and their states\n"
    "  status [DOMAIN]         the same, and what each name server shows\n"
    "  new DOMAIN              makes keys and prints the records to publish\n"
    "  record DOMAIN [SEL]     prints the records again\n"
    "  retire DOMAIN SEL       takes a key out of use\n"
    "  purge [DOMAIN]          removes keys that nobody needs any more\n\n"
    "  --directory DIR    dkim.managed_keys; default: /var/lib/authmilter/keys\n"
    "  --selector NAME    new: name of the key; default: of today's date\n"
    "  --type TYPE        new: rsa (of 2048 bits), ed25519 or both (the default)\n"
    "  --keep DAYS        retire: how long its record stays published; default: 7\n"
    "  --force            retire: also the last active key of its type\n"
    "  --json             list, status: as JSON\n"
    "  --zone FILE        status: a master file in place of the DNS\n"
    "  --nameserver ADDR  status: ask this one, as in 127.0.0.1:5353; repeatable\n\n"
    "Exit status: 0 done, 1 a key needs care, 64 wrong usage, 69 not possible.\n";

const struct tool_usage keys_usage = {.command = "keys", .help = help, .options = options};

const char *keys_folder(const struct keys_arguments *args, struct am_arena *arena,
                        const char **domain, int *status)
{
    struct am_problem problem;
    const char *folder = NULL;

    *domain = NULL;
    if (args->words[1] == NULL) {
        *status = tool_refuse(&keys_usage, "a domain is needed");
        return NULL;
    }
    *domain = tool_name_domain(arena, args->words[1], &problem);
    if (*domain == NULL) {
        *status = tool_refuse(&keys_usage, problem.text);
        return NULL;
    }
    folder = am_arena_printf(arena, "%s/%s", args->directory, *domain);
    if (folder == NULL)
        *status = tool_unavailable(&keys_usage, "out of memory");
    return folder;
}

static int list(const struct keys_arguments *args, struct am_arena *arena)
{
    return keys_show(args, arena, false);
}

static int status_of(const struct keys_arguments *args, struct am_arena *arena)
{
    return keys_show(args, arena, true);
}

static const struct {
    const char *name;
    int (*run)(const struct keys_arguments *args, struct am_arena *arena);
    unsigned least, most; /* words behind it */
} commands[] = {
    {"list", list, 0, 1},          {"status", status_of, 0, 1},   {"new", keys_new, 1, 1},
    {"record", keys_record, 1, 2}, {"retire", keys_retire, 2, 2}, {"purge", keys_purge, 0, 1},
};

static int dispatch(const struct keys_arguments *args, unsigned words, struct am_arena *arena)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, args->words[0]) != 0)
            continue;
        if (words - 1 < commands[i].least || words - 1 > commands[i].most)
            return tool_refuse(&keys_usage, "too few or too many arguments");
        return commands[i].run(args, arena);
    }
    return tool_refuse(&keys_usage, "list, status, new, record, retire or purge is needed");
}

static int run(int argc, char **argv)
{
    struct keys_arguments args = {
        .directory = "/var/lib/authmilter/keys", .rsa = true, .ed25519 = true, .keep_days = 7};
    struct am_problem problem;
    unsigned words = 0;
    int status = tool_options_read(&keys_usage, argc, argv, &args);

    if (status >= 0)
        return status;
    for (; optind < argc && words < 3; optind++)
        args.words[words++] = argv[optind];
    if (words == 0 || optind < argc)
        return tool_refuse(&keys_usage, "wrong number of arguments");
    if (!tool_dns_check(&args.dns, &problem))
        return tool_refuse(&keys_usage, problem.text);
    struct am_arena *arena = am_arena_new(16384, 0);
    status = arena == NULL ? tool_unavailable(&keys_usage, "out of memory")
                           : dispatch(&args, words, arena);
    am_arena_free(arena);
    return tool_finish(&keys_usage, status);
}

const struct am_command am_command_keys = {
    .name = "keys",
    .summary = "managed DKIM keys: make, publish, watch and retire them",
    .run = run,
};
