#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/check_dmarc.h"
#include "authmilter/check_keys.h"
#include "authmilter/check_lists.h"
#include "authmilter/check_maps.h"
#include "authmilter/check_spf.h"
#include "authmilter/command.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_name.h"
#include "authmilter/tool_options.h"
#include "common/mail/domain.h"

/* Exit statuses beside those of every command. */
enum { EXIT_GOOD = 0, EXIT_WARNINGS = 1, EXIT_ERRORS = 2 };

/* Not in everybody's PATH. */
#define USUAL_POSTCONF "/usr/sbin/postconf"

/* Most memory of all that is read. */
#define ARENA_LIMIT ((size_t)256 << 20)

struct arguments {
    struct {
        const char *path, *program; /* program: NULL = by the file's name */
    } files[CHECK_PROGRAMS_MAX];
    size_t file_count;
    const char *program; /* of the files that follow */
    const char *domains[CHECK_DOMAINS_MAX];
    size_t domain_count;
    struct check_senders senders;
    struct tool_dns dns;
    const char *postconf, *postfix_config;
    bool postfix, no_dns, json, verbose, list_findings;
};

static bool take_config(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    if (args->file_count == CHECK_PROGRAMS_MAX)
        return am_problem_set(problem, "more than %d configurations", CHECK_PROGRAMS_MAX);
    const char *program = args->program != NULL ? args->program : check_program_of_file(text);
    if (program == NULL)
        return am_problem_set(problem,
                              "the name of %s does not say which program it is for: put "
                              "--program NAME in front",
                              text);
    args->files[args->file_count].path = text;
    args->files[args->file_count++].program = program;
    return true;
}

static bool take_program(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    if (!check_program_is_known(text))
        return am_problem_set(problem, "there is no program %s", text);
    args->program = text;
    return true;
}

static bool take_domain(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    if (args->domain_count == CHECK_DOMAINS_MAX)
        return am_problem_set(problem, "more than %d domains", CHECK_DOMAINS_MAX);
    args->domains[args->domain_count++] = text;
    return true;
}

static bool take_ip(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return check_senders_add_address(&args->senders, text, problem);
}

static bool take_nameserver(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static const struct tool_option options[] = {
    TOOL_CALL("program", take_program),
    TOOL_CALL("config", take_config),
    TOOL_CALL("domain", take_domain),
    TOOL_CALL("ip", take_ip),
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_CALL("nameserver", take_nameserver),
    TOOL_FLAG("no-dns", no_dns),
    TOOL_FLAG("postfix", postfix),
    TOOL_TEXT("postconf", postconf),
    TOOL_TEXT("postfix-config", postfix_config),
    TOOL_FLAG("json", json),
    TOOL_FLAG("verbose", verbose),
    TOOL_FLAG("list-findings", list_findings),
    {0},
};

static const char help[] =
    "usage: authmilter check [OPTION...]\n\n"
    "Judges configurations, key files, DNS records and Postfix, and says how to mend\n"
    "them.\n\n"
    "  --config FILE         a configuration; repeatable; default: those in\n"
    "                        /etc/authmilter\n"
    "  --program NAME        whose the files behind it are; default: by their names\n"
    "  --domain DOMAIN       a further domain of ours; repeatable\n"
    "  --ip ADDRESS          from which our mail comes; repeatable\n"
    "  --zone FILE           answer from a master file in place of the DNS\n"
    "  --dns FILE            answer from a recording of other commands\n"
    "  --nameserver ADDR     ask this name server, as in 127.0.0.1:5353; repeatable\n"
    "  --no-dns              ask no DNS: files, and Postfix, only\n"
    "  --postfix             judge Postfix, too\n"
    "  --postfix-config DIR  its configuration, when it is not the usual one\n"
    "  --postconf PROGRAM    its postconf(1)\n"
    "  --json                print JSON\n"
    "  --verbose             print what is in order, too\n"
    "  --list-findings       print all that can be found, with its meaning\n\n"
    "Exit status: 0 nothing above notes, 1 warnings, 2 errors, 64 wrong usage, 69\n"
    "something needed is not available.\n";

static const struct tool_usage usage = {.command = "check", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;
    int status = tool_options_read(&usage, argc, argv, args);

    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
    args->postfix |= args->postconf != NULL || args->postfix_config != NULL;
    if (args->postconf == NULL)
        args->postconf = access(USUAL_POSTCONF, X_OK) == 0 ? USUAL_POSTCONF : "postconf";
    return -1;
}

/* --- the parts --- */

/* The usual files that are there. */
static void find_usual(struct arguments *args, struct am_arena *arena)
{
    const char *name;

    for (size_t i = 0; (name = check_program_name(i)) != NULL; i++) {
        const char *path = am_arena_printf(arena, "/etc/authmilter/%s.conf", name);

        if (path == NULL || access(path, F_OK) != 0 || args->file_count == CHECK_PROGRAMS_MAX)
            continue;
        args->files[args->file_count].path = path;
        args->files[args->file_count++].program = name;
    }
}

static bool load_programs(const struct arguments *args, struct check_programs *programs,
                          struct check_findings *findings)
{
    for (size_t i = 0; i < args->file_count; i++)
        if (!check_program_load(programs, findings, args->files[i].program, args->files[i].path))
            return false;
    check_programs_compare(programs, findings);
    check_maps(programs, findings);
    return true;
}

/* Returns -1 to go on, else the exit status. */
static int find_domains(struct arguments *args, const struct check_programs *programs,
                        struct am_arena *arena)
{
    struct am_problem problem;

    for (size_t i = 0; i < args->domain_count; i++) {
        const char *domain = tool_name_domain(arena, args->domains[i], &problem);

        if (domain == NULL)
            return tool_refuse(&usage, problem.text);
        check_senders_add_domain(&args->senders, domain);
    }
    for (size_t i = 0; i < programs->count; i++)
        check_keys_domains(&programs->items[i], &args->senders);
    return -1;
}

static void judge_postfix(struct arguments *args, const struct check_programs *programs,
                          struct check_findings *findings)
{
    struct check_postfix *postfix = am_arena_alloc(findings->arena, sizeof(*postfix));
    struct check_lists lists;

    if (postfix == NULL) {
        findings->failed = true;
        return;
    }
    if (!check_postfix_read(postfix, args->postconf, args->postfix_config, findings))
        return;
    const char *origin = check_postfix_value(postfix, NULL, "myorigin");
    if (am_domain_is_multi_label(am_span_str(origin)))
        check_senders_add_domain(&args->senders, origin);
    if (args->senders.address_count == 0) {
        check_senders_add_listed(&args->senders,
                                 check_postfix_value(postfix, NULL, "smtp_bind_address"));
        check_senders_add_listed(&args->senders,
                                 check_postfix_value(postfix, NULL, "smtp_bind_address6"));
    }
    if (args->senders.address_count == 0)
        check_senders_add_listed(&args->senders,
                                 check_postfix_value(postfix, NULL, "inet_interfaces"));
    if (!check_lists_read(&lists, postfix, programs)) {
        findings->failed = true;
        return;
    }
    check_lists_judge(&lists, postfix, findings);
    check_lists_judge_use(&lists, postfix, programs, findings);
}

/* Without options the DNS is asked as the first configuration says. */
static void choose_dns(struct tool_dns *dns, const struct check_programs *programs)
{
    const struct am_runtime *runtime = programs->count == 0 ? NULL : programs->items[0].runtime;

    if (dns->zone != NULL || dns->recorded != NULL || dns->count > 0 || runtime == NULL)
        return;
    const struct am_dns_options *conf = am_config_section(runtime->config, "dns");
    if (conf->zone[0] != '\0')
        dns->zone = conf->zone;
    for (size_t i = 0; dns->zone == NULL && i < conf->nameservers.count; i++)
        if (dns->count < TOOL_DNS_SERVERS_MAX)
            dns->nameservers[dns->count++] = conf->nameservers.items[i];
}

static bool judge_dns(struct arguments *args, const struct check_programs *programs,
                      struct check_findings *findings, struct am_problem *problem)
{
    const struct check_senders *senders = &args->senders;

    choose_dns(&args->dns, programs);
    struct am_resolver *resolver = tool_dns_open(&args->dns, problem);
    if (resolver == NULL)
        return false;
    for (size_t i = 0; i < programs->count; i++)
        check_keys_published(&programs->items[i], senders, resolver, findings);
    if (args->senders.address_count == 0 && senders->domain_count > 0)
        check_senders_add_interfaces(&args->senders, findings);
    check_senders_judge(senders, findings);
    for (size_t i = 0; i < senders->domain_count; i++) {
        check_spf(senders->domains[i], senders, resolver, findings);
        check_dmarc(senders->domains[i], resolver, findings);
    }
    am_resolver_free(resolver);
    return true;
}

/* --- the whole --- */

static int print(const struct arguments *args, const struct check_findings *findings)
{
    bool written = true;

    if (findings->failed)
        return tool_unavailable(&usage, "out of memory");
    if (args->json)
        written = check_print_json(findings, stdout);
    else
        check_print_text(findings, args->verbose, stdout);
    if (fflush(stdout) != 0 || !written)
        return tool_unavailable(&usage, "standard output cannot be written");
    if (findings->counts[CHECK_ERROR] > 0)
        return EXIT_ERRORS;
    return findings->counts[CHECK_WARNING] > 0 ? EXIT_WARNINGS : EXIT_GOOD;
}

static int check(struct arguments *args, struct check_programs *programs,
                 struct check_findings *findings)
{
    struct am_problem problem;

    if (args->file_count == 0)
        find_usual(args, findings->arena);
    if (args->file_count == 0 && args->domain_count == 0 && !args->postfix)
        return tool_unavailable(&usage, "there is no configuration in /etc/authmilter; name one "
                                        "with --config, or a domain with --domain");
    if (!load_programs(args, programs, findings))
        return tool_unavailable(&usage, "out of memory");
    int status = find_domains(args, programs, findings->arena);
    if (status >= 0)
        return status;
    if (args->postfix)
        judge_postfix(args, programs, findings);
    for (size_t i = 0; i < programs->count; i++)
        check_keys_signing(&programs->items[i], &args->senders, findings);
    if (!args->no_dns && !judge_dns(args, programs, findings, &problem))
        return tool_unavailable(&usage, problem.text);
    return print(args, findings);
}

static int run(int argc, char **argv)
{
    static struct arguments args;
    static struct check_programs programs;
    struct check_findings findings;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    if (args.list_findings) {
        check_print_kinds(stdout);
        return fflush(stdout) == 0 ? EXIT_GOOD : AM_EXIT_UNAVAILABLE;
    }
    struct am_arena *arena = am_arena_new(65536, ARENA_LIMIT);
    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    check_findings_init(&findings, arena);
    status = check(&args, &programs, &findings);
    check_programs_fini(&programs);
    am_arena_free(arena);
    return status;
}

const struct am_command am_command_check = {
    .name = "check",
    .summary = "judge configurations, keys, DNS records and Postfix",
    .run = run,
};
