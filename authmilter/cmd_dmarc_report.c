#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "authmilter/command.h"
#include "authmilter/report_run.h"
#include "authmilter/tool_clock.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_options.h"
#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_report.h"

/* Exit status beside those of every command. */
enum { STATUS_DONE, STATUS_TROUBLE };

struct arguments {
    const char *config, *database, *stream, *receiver, *org_name, *email, *extra_contact_info,
        *sender, *sendmail, *domain, *output;
    int64_t day;
    struct tool_clock clock;
    struct tool_dns dns;
    bool dry_run, json;
};

static bool take_nameserver(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static bool take_now(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_clock_set(&args->clock, text, problem);
}

static bool take_day(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;
    char back[DMARC_REPORT_ID_MAX];
    struct tm date = {0};
    const char *end = strptime(text, "%Y-%m-%d", &date);

    args->day = (int64_t)timegm(&date) / DMARC_REPORT_DAY_S;
    return (end != NULL && *end == '\0' && args->day >= 0 &&
            strcmp(dmarc_report_day(args->day, back), text) == 0) ||
           am_problem_set(problem, "--day takes a date such as 2026-11-30");
}

static const struct tool_option options[] = {
    TOOL_TEXT("config", config),
    TOOL_TEXT("database", database),
    TOOL_TEXT("stream", stream),
    TOOL_TEXT("domain", domain),
    TOOL_CALL("day", take_day),
    TOOL_FLAG("dry-run", dry_run),
    TOOL_TEXT("output", output),
    TOOL_FLAG("json", json),
    TOOL_TEXT("receiver", receiver),
    TOOL_TEXT("org-name", org_name),
    TOOL_TEXT("email", email),
    TOOL_TEXT("extra-contact-info", extra_contact_info),
    TOOL_TEXT("sender", sender),
    TOOL_TEXT("sendmail", sendmail),
    TOOL_CALL("now", take_now),
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_CALL("nameserver", take_nameserver),
    {0},
};

static const char help[] =
    "usage: authmilter dmarc-report [OPTION...]\n"
    "Makes aggregate reports (RFC 9990) of the days that are over, and sends them.\n\n"
    "  --config FILE      configuration [/etc/authmilter/dmarc-report.conf]\n"
    "  --database FILE    rows, reports and deliveries [/var/lib/authmilter/dmarc.db]\n"
    "  --stream PLACE     take rows from redis://host:port/stream first\n"
    "  --domain NAME      only reports about this policy domain\n"
    "  --day DATE         only this day, as in 2026-11-30\n"
    "  --dry-run          show what would be sent, and change nothing\n"
    "  --output DIR       write the files of new reports to a folder, too\n"
    "  --json             print JSON\n"
    "  --receiver NAME    our domain name [the host's name]\n"
    "  --org-name TEXT    our organisation [the receiver]\n"
    "  --email ADDRESS    our contact, and From [postmaster@receiver]\n"
    "  --extra-contact-info TEXT\n"
    "  --sender ADDRESS   envelope sender [as --email]\n"
    "  --sendmail PATH    program that takes mails [/usr/sbin/sendmail]\n"
    "  --now TIME         as if it were this time, as in 2026-12-01T08:30:00Z\n"
    "  --zone FILE, --dns FILE, --nameserver ADDR    as in authmilter spf\n\n"
    "Exit status: 0 done, 1 a report waits or was given up, 64 wrong usage, 69 not\n"
    "possible.\n";

static const struct tool_usage usage = {
    .command = "dmarc-report", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;

    *args = (struct arguments){.day = -1};
    tool_clock_init(&args->clock);
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
    if (!args->dry_run && args->day >= args->clock.now_s / DMARC_REPORT_DAY_S)
        return tool_refuse(&usage, "--day: that day is not over; --dry-run shows what there is");
    return -1;
}

/* Options that stand in for those of the file. */
static size_t list_overrides(const struct arguments *args, struct am_arena *arena,
                             const char **overrides)
{
    const struct {
        const char *name, *value;
    } given[] = {
        {"database", args->database}, {"stream", args->stream},
        {"receiver", args->receiver}, {"org_name", args->org_name},
        {"email", args->email},       {"extra_contact_info", args->extra_contact_info},
        {"sender", args->sender},     {"sendmail", args->sendmail},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        if (given[i].value != NULL)
            overrides[count++] =
                am_arena_printf(arena, "report.%s=%s", given[i].name, given[i].value);
    return count;
}

static int run_with(const struct arguments *args, const struct report_conf *conf,
                    struct am_arena *arena)
{
    struct am_problem problem;
    struct tool_dns dns = args->dns;
    struct report_run run = {
        .conf = conf,
        .print = {.out = stdout, .json = args->json, .dry_run = args->dry_run},
        .domain = args->domain,
        .day = args->day,
        .now_s = args->clock.now_s,
        .dry_run = args->dry_run,
        .output = args->output,
    };

    if (args->domain != NULL &&
        ((run.domain = am_domain_to_ascii(arena, am_span_str(args->domain))) == NULL ||
         !am_domain_is_valid(am_span_str(run.domain))))
        return tool_refuse(&usage, "--domain takes a domain name");
    run.resolver = tool_dns_open(&dns, &problem);
    if (run.resolver == NULL)
        return tool_unavailable(&usage, problem.text);
    bool good = report_run(&run, &problem);
    am_resolver_free(run.resolver);
    if (!good)
        return tool_unavailable(&usage, problem.text);
    return run.trouble ? STATUS_TROUBLE : STATUS_DONE;
}

static int run(int argc, char **argv)
{
    const char *overrides[8];
    struct am_problem problem;
    struct am_config *config;
    struct arguments args;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    struct am_arena *arena = am_arena_new(4096, 0);
    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    size_t count = list_overrides(&args, arena, overrides);
    const struct report_conf *conf =
        report_conf_load(args.config, overrides, count, arena, &config, &problem);
    status = conf == NULL ? tool_unavailable(&usage, problem.text) : run_with(&args, conf, arena);
    am_config_free(config);
    am_arena_free(arena);
    return status;
}

const struct am_command am_command_dmarc_report = {
    .name = "dmarc-report",
    .summary = "make aggregate reports of DMARC and send them",
    .run = run,
};
