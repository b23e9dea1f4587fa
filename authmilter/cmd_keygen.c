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
    bool wanted[DKIM_KEY_TYPE_COUNT];
    unsigned bits;
};

static bool is_pair(const struct arguments *args)
{
    return args->wanted[DKIM_KEY_RSA] && args->wanted[DKIM_KEY_ED25519];
}

static bool take_type(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;
    bool both = strcmp(text, "both") == 0, any = false;

    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        args->wanted[type] =
            both || strcmp(text, dkim_key_type_word((enum dkim_key_type)type)) == 0;
        any = any || args->wanted[type];
    }
    return any || am_problem_set(problem, "--type takes rsa, ed25519 or both");
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
    "  --type TYPE       rsa (the default), ed25519, or both: NAMEr and NAMEe\n"
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
    *args = (struct arguments){.wanted[DKIM_KEY_RSA] = true};
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (args->domain == NULL || args->selector == NULL)
        return tool_refuse(&usage, "--domain and --selector are needed");
    if (!args->wanted[DKIM_KEY_RSA] && args->bits != 0)
        return tool_refuse(&usage, "--bits is for RSA only");
    if (args->bits == 0)
        args->bits = (unsigned)strtoul(BITS_TEXT, NULL, 10);
    return -1;
}

/* A key that is to be made. */
struct plan {
    enum dkim_key_type type;
    const char *selector, *path;
};

/* --- the private key --- */

/* Finds the path and makes the domain's directory where one is needed. Returns NULL with errno. */
static const char *choose_path(const struct arguments *args, struct am_arena *arena,
                               const char *domain, const char *selector)
{
    struct stat found;

    if (args->output == NULL)
        return am_arena_printf(arena, "%s.%s.pem", domain, selector);
    if (stat(args->output, &found) != 0 || !S_ISDIR(found.st_mode)) {
        /* Two keys do not go into one file. */
        errno = is_pair(args) ? ENOTDIR : 0;
        return is_pair(args) ? NULL : args->output;
    }
    char *dir = am_arena_printf(arena, "%s/%s", args->output, domain);
    if (dir == NULL || (mkdir(dir, 0700) != 0 && errno != EEXIST))
        return NULL;
    return am_arena_printf(arena, "%s/%s.pem", dir, selector);
}

/* Plans the keys; none is made when one of their files is there. Returns -1, or the exit status. */
static int plan_keys(const struct arguments *args, struct am_arena *arena, const char *domain,
                     struct plan plans[DKIM_KEY_TYPE_COUNT], size_t *count)
{
    static const char *const letters[] = {[DKIM_KEY_RSA] = "r", [DKIM_KEY_ED25519] = "e"};
    struct am_problem problem;

    *count = 0;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        if (!args->wanted[type])
            continue;
        struct plan *plan = &plans[(*count)++];
        const char *text = is_pair(args)
                               ? am_arena_printf(arena, "%s%s", args->selector, letters[type])
                               : args->selector;
        plan->type = (enum dkim_key_type)type;
        plan->selector = text == NULL ? NULL : tool_name_selector(arena, text, &problem);
        if (plan->selector == NULL)
            return text == NULL ? tool_unavailable(&usage, "out of memory")
                                : tool_refuse(&usage, problem.text);
        plan->path = choose_path(args, arena, domain, plan->selector);
        if (plan->path == NULL)
            return unavailable(args->output == NULL ? "" : args->output, strerror(errno));
        if (access(plan->path, F_OK) == 0)
            return unavailable(plan->path, "is there already and is not overwritten");
    }
    return -1;
}

/* --- the record --- */

static bool print_key(struct am_arena *arena, const char *domain, const struct plan *plan,
                      const struct dkim_private_key *key)
{
    const char *name = am_arena_printf(arena, "%s._domainkey.%s", plan->selector, domain);
    const char *record = dkim_key_record_write(arena, key);

    if (name == NULL || record == NULL)
        return false;
    printf("Private key: %s (%s, %u bits, mode 0600)\n\n", plan->path,
           dkim_key_type_word(plan->type), dkim_private_key_bits(key));
    tool_key_print_record(name, record);
    return true;
}

static void print_advice(const char *domain, const struct plan *plans, size_t count)
{
    printf("Publish the record%s, and ask until the answer is that the key is good:\n\n",
           count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++)
        printf("authmilter testkey --key %s %s %s\n", plans[i].path, domain, plans[i].selector);
    printf("\nThen let dkim-milter sign with the key%s: its user must be able to read the file%s, "
           "and\ndkim-milter.conf(5) says how to name %s.\n",
           count == 1 ? "" : "s", count == 1 ? "" : "s", count == 1 ? "it" : "them");
}

static int make_key(const struct arguments *args, struct am_arena *arena, const char *domain,
                    const struct plan *plan)
{
    struct am_problem problem;
    struct dkim_private_key *key = dkim_private_key_generate(
        plan->type, plan->type == DKIM_KEY_RSA ? args->bits : 0, &problem);

    if (key == NULL)
        return tool_unavailable(&usage, problem.text);
    int status = !tool_key_save(plan->path, key, NULL, &problem)
                     ? tool_unavailable(&usage, problem.text)
                 : print_key(arena, domain, plan, key) ? 0
                                                       : tool_unavailable(&usage, "out of memory");
    dkim_private_key_free(key);
    return status;
}

static int make(const struct arguments *args, struct am_arena *arena)
{
    struct am_problem problem;
    struct plan plans[DKIM_KEY_TYPE_COUNT];
    size_t count;
    const char *domain = tool_name_domain(arena, args->domain, &problem);

    if (domain == NULL)
        return tool_refuse(&usage, problem.text);
    int status = plan_keys(args, arena, domain, plans, &count);
    if (status >= 0)
        return status;
    if (args->wanted[DKIM_KEY_RSA] && args->bits < DKIM_RSA_BITS_GOOD)
        fputs("authmilter keygen: warning: RSA keys below 2048 bits are weak, and some receivers "
              "say so\n",
              stderr);
    status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = make_key(args, arena, domain, &plans[i]);
    if (status == 0)
        print_advice(domain, plans, count);
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
    return tool_finish(&usage, status);
}

const struct am_command am_command_keygen = {
    .name = "keygen",
    .summary = "make a DKIM key and print the record to publish",
    .run = run,
};
