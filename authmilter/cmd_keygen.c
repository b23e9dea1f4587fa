#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/tool_keygen.h"
#include "authmilter/tool_name.h"
#include "authmilter/tool_options.h"
#include "dkim-milter/dkim_key_record.h"

#define BITS_TEXT "2048"

struct arguments {
    const char *domain, *selector, *output;
    enum dkim_key_type type;
    unsigned bits;
};

static bool take_type(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++)
        if (strcmp(text, dkim_key_type_word((enum dkim_key_type)type)) == 0) {
            args->type = (enum dkim_key_type)type;
            return true;
        }
    return am_problem_set(problem, "--type takes rsa or ed25519");
}

static bool take_bits(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;
    char *end;
    unsigned long bits = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || bits < DKIM_RSA_BITS_MIN ||
        bits > DKIM_RSA_BITS_MAX)
        return am_problem_set(problem, "--bits takes a number from %d to %d", DKIM_RSA_BITS_MIN,
                              DKIM_RSA_BITS_MAX);
    args->bits = (unsigned)bits;
    return true;
}

static const struct tool_option options[] = {
    TOOL_TEXT("domain", domain),  TOOL_TEXT("selector", selector), TOOL_CALL("type", take_type),
    TOOL_CALL("bits", take_bits), TOOL_TEXT("output", output),     {0},
};

static const char help[] =
    "usage: authmilter keygen --domain DOMAIN --selector NAME [OPTION...]\n\n"
    "Makes a key that signs mail with DKIM and prints the TXT record to publish.\n\n"
    "  --domain DOMAIN   the signing domain, d=\n"
    "  --selector NAME   the key's name in that domain, s=\n"
    "  --type TYPE       rsa (the default) or ed25519\n"
    "  --bits N          size of an RSA key, 1024 to 8192; default: " BITS_TEXT "\n"
    "  --output PATH     where the private key is written: a new file, or a directory\n"
    "                    that gets DOMAIN/NAME.pem; default: ./DOMAIN.NAME.pem\n\n"
    "No file is ever overwritten. Exit status: 0 made, 64 wrong usage, 69 the key\n"
    "could not be made or written.\n";

static const struct tool_usage usage = {.command = "keygen", .help = help, .options = options};

static int unavailable(const char *path, const char *message)
{
    fprintf(stderr, "authmilter keygen: %s%s%s\n", path, *path == '\0' ? "" : ": ", message);
    return AM_EXIT_UNAVAILABLE;
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    *args = (struct arguments){.type = DKIM_KEY_RSA};
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (args->domain == NULL || args->selector == NULL)
        return tool_refuse(&usage, "--domain and --selector are needed");
    if (args->type == DKIM_KEY_ED25519 && args->bits != 0)
        return tool_refuse(&usage, "--bits is for RSA only");
    if (args->bits == 0)
        args->bits = (unsigned)strtoul(BITS_TEXT, NULL, 10);
    return -1;
}

/* --- the private key --- */

/* Finds the path and makes the domain's directory where one is needed. Returns NULL with errno. */
static const char *choose_path(const struct arguments *args, struct am_arena *arena,
                               const char *domain, const char *selector)
{
    struct stat found;

    if (args->output == NULL)
        return am_arena_printf(arena, "%s.%s.pem", domain, selector);
    if (stat(args->output, &found) != 0 || !S_ISDIR(found.st_mode))
        return args->output;
    char *dir = am_arena_printf(arena, "%s/%s", args->output, domain);
    if (dir == NULL || (mkdir(dir, 0700) != 0 && errno != EEXIST))
        return NULL;
    return am_arena_printf(arena, "%s/%s.pem", dir, selector);
}

/* --- the record --- */

static int print_all(const struct arguments *args, struct am_arena *arena, const char *path,
                     const char *domain, const char *selector, const struct dkim_private_key *key)
{
    const char *name = am_arena_printf(arena, "%s._domainkey.%s", selector, domain);
    const char *record = dkim_key_record_write(arena, key);

    if (name == NULL || record == NULL)
        return tool_unavailable(&usage, "out of memory");
    printf("Private key: %s (%s, %u bits, mode 0600)\n\n", path, dkim_key_type_word(args->type),
           dkim_private_key_bits(key));
    tool_key_print_record(name, record);
    printf("Publish the record, and ask 'authmilter testkey --key %s %s %s' until it says that "
           "the key is good.\nThen let dkim-milter sign with the key: its user must be able to "
           "read the file, and dkim-milter.conf(5) says how to name it.\n",
           path, domain, selector);
    if (fflush(stdout) != 0)
        return unavailable("standard output", strerror(errno));
    return 0;
}

static int make(const struct arguments *args, struct am_arena *arena)
{
    struct am_problem problem;
    const char *domain = tool_name_domain(arena, args->domain, &problem);
    const char *selector =
        domain == NULL ? NULL : tool_name_selector(arena, args->selector, &problem);

    if (selector == NULL)
        return tool_refuse(&usage, problem.text);
    if (args->type == DKIM_KEY_RSA && args->bits < DKIM_RSA_BITS_GOOD)
        fputs("authmilter keygen: warning: RSA keys below 2048 bits are weak, and some receivers "
              "say so\n",
              stderr);
    const char *path = choose_path(args, arena, domain, selector);
    if (path == NULL)
        return unavailable(args->output == NULL ? "" : args->output, strerror(errno));
    if (access(path, F_OK) == 0)
        return unavailable(path, "is there already and is not overwritten");
    struct dkim_private_key *key = dkim_private_key_generate(args->type, args->bits, &problem);
    if (key == NULL)
        return tool_unavailable(&usage, problem.text);
    int status = tool_key_save(path, key, NULL, &problem)
                     ? print_all(args, arena, path, domain, selector, key)
                     : tool_unavailable(&usage, problem.text);
    dkim_private_key_free(key);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments args;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    struct am_arena *arena = am_arena_new(4096, 0);
    status = arena == NULL ? tool_unavailable(&usage, "out of memory") : make(&args, arena);
    am_arena_free(arena);
    return status;
}

const struct am_command am_command_keygen = {
    .name = "keygen",
    .summary = "make a DKIM key and print the record to publish",
    .run = run,
};
