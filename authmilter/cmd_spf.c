#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/spf_report.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_options.h"
#include "common/base/clock.h"

struct arguments {
    const char *ip, *helo, *from, *record, *receiver, *engine;
    struct tool_dns dns;
    struct tool_record_dns record_dns;
    bool no_prefetch, json;
};

static bool take_nameserver(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static const struct tool_option options[] = {
    TOOL_TEXT("ip", ip),
    TOOL_TEXT("helo", helo),
    TOOL_TEXT("from", from),
    TOOL_TEXT("record", record),
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_TEXT("record-dns", record_dns.path),
    TOOL_CALL("nameserver", take_nameserver),
    TOOL_TEXT("receiver", receiver),
    TOOL_TEXT("engine", engine),
    TOOL_FLAG("no-prefetch", no_prefetch),
    TOOL_FLAG("json", json),
    {0},
};

static const char help[] =
    "usage: authmilter spf --ip ADDRESS [--helo NAME] [--from SENDER] [OPTION...]\n\n"
    "Evaluates SPF (RFC 7208) as spf-milter does and shows every step.\n\n"
    "  --ip ADDRESS       the client's address\n"
    "  --helo NAME        what the client said in HELO or EHLO\n"
    "  --from SENDER      the envelope sender; \"\" or \"<>\" is the null sender\n"
    "  --record TEXT      evaluate this record in place of the published one\n"
    "  --zone FILE        answer from a master file in place of the DNS\n"
    "  --dns FILE         answer from a recording in place of the DNS\n"
    "  --record-dns FILE  keep the answers that were used in a recording\n"
    "  --nameserver ADDR  ask this name server, port as in 127.0.0.1:5353; repeatable\n"
    "  --receiver NAME    our own name, for %{r} and the field; default: the host's\n"
    "                     name\n"
    "  --engine NAME      another engine of this build\n"
    "  --no-prefetch      start no look-up before it is needed\n"
    "  --json             print JSON\n\n"
    "Exit status: 0 pass, 1 fail, 2 softfail, 3 neutral, 4 none, 5 temperror, 6\n"
    "permerror, 64 wrong usage, 69 something needed is not available.\n";

static const struct tool_usage usage = {.command = "spf", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;

    *args = (struct arguments){.engine = "builtin"};
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
    if (args->ip == NULL)
        return tool_refuse(&usage, "--ip is missing");
    if (args->from != NULL && strcmp(args->from, "<>") == 0)
        args->from = "";
    if (args->helo == NULL && (args->from == NULL || *args->from == '\0'))
        return tool_refuse(&usage, "--from or --helo is needed: there is no domain to check");
    return -1;
}

static void evaluate(const struct spf_engine *engine, struct spf_report *report,
                     struct am_arena *arena, struct spf_request *request,
                     enum spf_identity identity)
{
    request->identity = identity;
    struct spf_report_entry *entry = &report->entries[report->count++];
    entry->identity = identity;
    entry->outcome = engine->evaluate(arena, request);
}

/* RFC 7208 section 2.3: the HELO is worth a check of its own. A given record is that of the sender.
 */
static void evaluate_all(const struct arguments *args, const struct spf_engine *engine,
                         struct am_resolver *resolver, struct am_arena *arena,
                         struct spf_report *report)
{
    const struct am_clock *clock = am_clock_system();
    struct spf_request request = {
        .client = report->client,
        .helo = am_span_str(report->helo),
        .receiver = report->receiver,
        .resolver = resolver,
        .clock = clock,
        .deadline_us = am_deadline_in_ms(clock, 20000),
        .prefetch = !args->no_prefetch,
        .want_explanation = true,
        .record = args->record,
    };
    if (args->from == NULL) {
        evaluate(engine, report, arena, &request, SPF_HELO);
        return;
    }
    if (*args->from == '\0')
        request.sender.is_null = true;
    else
        am_address_parse(&request.sender, am_span_str(args->from));
    evaluate(engine, report, arena, &request, SPF_MAILFROM);
    if (request.sender.is_null || args->helo == NULL)
        return;
    request.record = NULL;
    evaluate(engine, report, arena, &request, SPF_HELO);
}

static int exit_status(enum spf_result result)
{
    static const int status[SPF_RESULT_COUNT] = {
        [SPF_PASS] = 0, [SPF_FAIL] = 1,      [SPF_SOFTFAIL] = 2,  [SPF_NEUTRAL] = 3,
        [SPF_NONE] = 4, [SPF_TEMPERROR] = 5, [SPF_PERMERROR] = 6,
    };
    return status[result];
}

static int report_on(const struct arguments *args, const struct spf_engine *engine,
                     struct am_resolver *resolver, struct spf_report *report)
{
    struct am_arena *arena = am_arena_new(32768, 0);
    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    evaluate_all(args, engine, resolver, arena, report);
    int status = exit_status(report->entries[0].outcome->result);
    if (!args->json)
        spf_report_text(report, stdout);
    else if (!spf_report_json(report, stdout))
        status = AM_EXIT_UNAVAILABLE;
    if (fflush(stdout) != 0)
        status = AM_EXIT_UNAVAILABLE;
    am_arena_free(arena);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments args;
    struct am_problem problem;
    const struct am_clock *clock = am_clock_system();
    char host[256] = "localhost";
    int status = read_arguments(argc, argv, &args);
    if (status >= 0)
        return status;
    struct spf_report report = {.helo = args.helo, .from = args.from, .receiver = args.receiver};
    if (!am_ip_parse(&report.client, am_span_str(args.ip)))
        return tool_refuse(&usage, "--ip takes an IPv4 or IPv6 address");
    if (report.receiver == NULL) {
        gethostname(host, sizeof(host) - 1);
        report.receiver = host;
    }
    const struct spf_engine *engine = spf_engine_find(args.engine);
    if (engine == NULL)
        return tool_refuse(&usage, "--engine: there is no such engine in this build");
    if (args.record != NULL && engine != &spf_engine_builtin)
        return tool_refuse(&usage, "--record is for the builtin engine only");
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    if (resolver == NULL)
        return tool_unavailable(&usage, problem.text);
    resolver = tool_record_dns_begin(&args.record_dns, resolver);
    if (resolver == NULL)
        return tool_unavailable(&usage, "out of memory");
    status = report_on(&args, engine, resolver, &report);
    if (!tool_record_dns_end(&args.record_dns, clock->wall_s(clock), &problem))
        return tool_unavailable(&usage, problem.text);
    return status;
}

const struct am_command am_command_spf = {
    .name = "spf",
    .summary = "evaluate SPF for a client and a sender, and explain the result",
    .run = run,
};
