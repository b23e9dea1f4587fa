#include <getopt.h>
#include <stdio.h>

#include "authmilter/command.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_key.h"
#include "authmilter/tool_name.h"
#include "authmilter/tool_options.h"
#include "common/base/log.h"

/* Exit statuses beside those of every command. */
enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_NONE = 4, EXIT_TEMPERROR = 5 };

struct arguments {
    const char *domain, *selector, *key;
    struct tool_dns dns;
};

static bool take_nameserver(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static const struct tool_option options[] = {
    TOOL_TEXT("key", key),
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_CALL("nameserver", take_nameserver),
    {0},
};

static const char help[] =
    "usage: authmilter testkey [OPTION...] DOMAIN SELECTOR\n\n"
    "Looks up the DKIM key that a domain publishes, and says whether it is good.\n\n"
    "  --key FILE         the private key; says whether the published one belongs to\n"
    "                     it\n"
    "  --zone FILE        answer from a master file in place of the DNS\n"
    "  --dns FILE         answer from a recording in place of the DNS\n"
    "  --nameserver ADDR  ask this name server, as in 127.0.0.1:5353; repeatable\n\n"
    "Exit status: 0 good, 1 no verifier takes it or it does not belong to the private\n"
    "key, 4 there is none, 5 the DNS did not say, 64 wrong usage, 69 something needed\n"
    "is not available.\n";

static const struct tool_usage usage = {.command = "testkey", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;

    *args = (struct arguments){.key = NULL};
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (argc - optind != 2)
        return tool_refuse(&usage, "a domain and a selector are needed");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
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
        return tool_refuse(&usage, problem.text);
    if (!tool_record_find(&record, arena, resolver, domain, selector,
                          am_deadline_in_ms(am_clock_system(), 20000)))
        return tool_unavailable(&usage, "out of memory");
    print_record(&record);
    int status = conclude(&record, key == NULL || compare(&record, key));
    return fflush(stdout) == 0 ? status
                               : tool_unavailable(&usage, "standard output cannot be written");
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
        return tool_unavailable(&usage, problem.text);
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    struct am_arena *arena = am_arena_new(16384, 0);
    if (resolver == NULL)
        status = tool_unavailable(&usage, problem.text);
    else if (arena == NULL)
        status = tool_unavailable(&usage, "out of memory");
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
