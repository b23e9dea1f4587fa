#include <getopt.h>
#include <stdio.h>

#include "authmilter/command.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_key.h"
#include "authmilter/tool_name.h"
#include "common/base/log.h"

/* Exit statuses beside those of every command. */
enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_NONE = 4, EXIT_TEMPERROR = 5 };

struct arguments {
    const char *domain, *selector, *key;
    struct tool_dns dns;
};

enum { OPTION_KEY = 256, OPTION_ZONE, OPTION_NAMESERVER, OPTION_HELP };

static const struct option options[] = {
    {"key", required_argument, NULL, OPTION_KEY},
    {"zone", required_argument, NULL, OPTION_ZONE},
    {"nameserver", required_argument, NULL, OPTION_NAMESERVER},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    fputs("usage: authmilter testkey [OPTION...] DOMAIN SELECTOR\n\n"
          "Looks up the DKIM key that a domain publishes, and says whether it is good.\n\n"
          "  --key FILE         the private key; says whether the published one belongs to it\n"
          "  --zone FILE        answer from a master file in place of the DNS\n"
          "  --nameserver ADDR  ask this name server, as in 127.0.0.1:5353; repeatable\n\n"
          "Exit status: 0 good, 1 no verifier takes it or it does not belong to the private key,\n"
          "4 there is none, 5 the DNS did not say, 64 wrong usage, 69 something needed is not\n"
          "available.\n",
          stdout);
}

static bool refuse(const char *message)
{
    fprintf(stderr, "authmilter testkey: %s; see 'authmilter testkey --help'\n", message);
    return false;
}

static int unavailable(const char *message)
{
    fprintf(stderr, "authmilter testkey: %s\n", message);
    return AM_EXIT_UNAVAILABLE;
}

static bool take_option(struct arguments *args, int option)
{
    struct am_problem problem;

    switch (option) {
    case OPTION_KEY:
        args->key = optarg;
        return true;
    case OPTION_ZONE:
        args->dns.zone = optarg;
        return true;
    case OPTION_NAMESERVER:
        return tool_dns_add_nameserver(&args->dns, optarg, &problem) || refuse(problem.text);
    default:
        return refuse("wrong usage");
    }
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    int option;

    *args = (struct arguments){.key = NULL};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            print_help();
            return 0;
        }
        if (!take_option(args, option))
            return AM_EXIT_USAGE;
    }
    if (argc - optind != 2)
        return refuse("a domain and a selector are needed"), AM_EXIT_USAGE;
    if (args->dns.zone != NULL && args->dns.count > 0)
        return refuse("--zone and --nameserver exclude each other"), AM_EXIT_USAGE;
    args->domain = argv[optind];
    args->selector = argv[optind + 1];
    return -1;
}

static void line(const char *name, const char *text)
{
    printf("    %-12s %s\n", name, text);
}

static void print_text(const char *name, struct am_span text, const char *comment)
{
    struct am_buf escaped;

    if (text.ptr == NULL)
        return;
    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    printf("    %-12s %s%s\n", name, am_buf_str(&escaped), comment);
    am_buf_fini(&escaped);
}

static void print_record(const struct tool_record *record)
{
    printf("%s: %s\n", record->name, tool_record_dns_text(record));
    if (record->text.ptr == NULL)
        return;
    print_text("record", record->text, "");
    if (record->key != NULL)
        printf("    %-12s %s, %u bits%s\n", "key", dkim_key_type_word(record->parsed.type),
               record->bits,
               record->parsed.type == DKIM_KEY_RSA && record->bits < DKIM_RSA_BITS_GOOD
                   ? "; make one of 2048 (RFC 8301)"
                   : "");
    print_text("hashes", record->hashes, " (h=)");
    print_text("services", record->services, " (s=)");
    print_text("note", record->notes, " (n=)");
    if (record->parsed.testing)
        line("testing", "t=y: some receivers treat signatures as if there were none");
    if (record->parsed.strict)
        line("strict", "t=s: the identity i= must not be in a subdomain");
    line("DNSSEC", record->secure ? "signed and validated" : "not signed (fine)");
}

/* Says whether a private key belongs to the record. */
static bool compare(const struct tool_record *record, const struct dkim_private_key *key)
{
    if (record->key == NULL)
        return true;
    bool fits = dkim_private_key_fits(key, record->key);
    line("private key", fits ? "belongs to this record" : "does not belong to this record");
    return fits;
}

/* Writes the last line. Returns the exit status. */
static int conclude(const struct tool_record *record, bool fits)
{
    if (record->reason != DKIM_REASON_NONE)
        printf("result: %s (%s)\n", dkim_result_word(dkim_reason_result(record->reason)),
               dkim_reason_text(record->reason));
    else
        printf("result: %s\n", fits ? "good" : "the published key is another one");
    if (record->reason == DKIM_REASON_KEY_NONE)
        return EXIT_NONE;
    if (dkim_reason_result(record->reason) == DKIM_TEMPERROR)
        return EXIT_TEMPERROR;
    return record->reason == DKIM_REASON_NONE && fits ? EXIT_GOOD : EXIT_BAD;
}

static int test(const struct arguments *args, struct am_resolver *resolver, struct am_arena *arena,
                const struct dkim_private_key *key)
{
    struct am_problem problem;
    struct tool_record record;
    const char *domain = tool_name_domain(arena, args->domain, &problem);
    const char *selector = NULL;

    if (domain != NULL)
        selector = tool_name_selector(arena, args->selector, &problem);
    if (selector == NULL)
        return refuse(problem.text), AM_EXIT_USAGE;
    if (!tool_record_find(&record, arena, resolver, domain, selector,
                          am_deadline_in_ms(am_clock_system(), 20000)))
        return unavailable("out of memory");
    print_record(&record);
    int status = conclude(&record, key == NULL || compare(&record, key));
    return fflush(stdout) == 0 ? status : unavailable("standard output cannot be written");
}

static int run(int argc, char **argv)
{
    struct dkim_private_key *key = NULL;
    struct am_problem problem;
    struct arguments args;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    if (args.key != NULL && (key = tool_key_load(args.key, &problem)) == NULL)
        return unavailable(problem.text);
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    struct am_arena *arena = am_arena_new(16384, 0);
    if (resolver == NULL)
        status = unavailable(problem.text);
    else if (arena == NULL)
        status = unavailable("out of memory");
    else
        status = test(&args, resolver, arena, key);
    am_arena_free(arena);
    am_resolver_free(resolver);
    dkim_private_key_free(key);
    return status;
}

const struct am_command am_command_testkey = {
    .name = "testkey",
    .summary = "look up a published DKIM key, and judge it",
    .run = run,
};
