#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/spf_report.h"
#include "authmilter/tool_dns.h"
#include "common/base/clock.h"

struct arguments {
    const char *ip, *helo, *from, *record, *receiver, *engine;
    struct tool_dns dns;
    bool prefetch, json;
};

enum {
    OPTION_IP = 256,
    OPTION_HELO,
    OPTION_FROM,
    OPTION_RECORD,
    OPTION_ZONE,
    OPTION_NAMESERVER,
    OPTION_RECEIVER,
    OPTION_ENGINE,
    OPTION_NO_PREFETCH,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option options[] = {
    {"ip", required_argument, NULL, OPTION_IP},
    {"helo", required_argument, NULL, OPTION_HELO},
    {"from", required_argument, NULL, OPTION_FROM},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"zone", required_argument, NULL, OPTION_ZONE},
    {"nameserver", required_argument, NULL, OPTION_NAMESERVER},
    {"receiver", required_argument, NULL, OPTION_RECEIVER},
    {"engine", required_argument, NULL, OPTION_ENGINE},
    {"no-prefetch", no_argument, NULL, OPTION_NO_PREFETCH},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    fputs("usage: authmilter spf --ip ADDRESS [--helo NAME] [--from SENDER] [OPTION...]\n\n"
          "Evaluates SPF (RFC 7208) as spf-milter does and shows every step.\n\n"
          "  --ip ADDRESS       the client's address\n"
          "  --helo NAME        what the client said in HELO or EHLO\n"
          "  --from SENDER      the envelope sender; \"\" or \"<>\" is the null sender\n"
          "  --record TEXT      evaluate this record in place of the published one\n"
          "  --zone FILE        answer from a master file in place of the DNS\n"
          "  --nameserver ADDR  ask this name server, port as in 127.0.0.1:5353; repeatable\n"
          "  --receiver NAME    our own name, for %{r} and the field; default: the host's name\n"
          "  --engine NAME      another engine of this build\n"
          "  --no-prefetch      start no look-up before it is needed\n"
          "  --json             print JSON\n\n"
          "Exit status: 0 pass, 1 fail, 2 softfail, 3 neutral, 4 none, 5 temperror,\n"
          "6 permerror, 64 wrong usage, 69 something needed is not available.\n",
          stdout);
}

static bool refuse(const char *message)
{
    fprintf(stderr, "authmilter spf: %s; see 'authmilter spf --help'\n", message);
    return false;
}

static bool take_option(struct arguments *args, int option)
{
    struct am_problem problem;

    switch (option) {
    case OPTION_IP:
        args->ip = optarg;
        return true;
    case OPTION_HELO:
        args->helo = optarg;
        return true;
    case OPTION_FROM:
        args->from = strcmp(optarg, "<>") == 0 ? "" : optarg;
        return true;
    case OPTION_RECORD:
        args->record = optarg;
        return true;
    case OPTION_ZONE:
        args->dns.zone = optarg;
        return true;
    case OPTION_NAMESERVER:
        return tool_dns_add_nameserver(&args->dns, optarg, &problem) || refuse(problem.text);
    case OPTION_RECEIVER:
        args->receiver = optarg;
        return true;
    case OPTION_ENGINE:
        args->engine = optarg;
        return true;
    case OPTION_NO_PREFETCH:
        args->prefetch = false;
        return true;
    case OPTION_JSON:
        args->json = true;
        return true;
    default:
        return refuse("wrong usage");
    }
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    int option;
    *args = (struct arguments){.prefetch = true, .engine = "builtin"};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            print_help();
            return 0;
        }
        if (!take_option(args, option))
            return AM_EXIT_USAGE;
    }
    if (optind < argc)
        return refuse("an argument that is no option"), AM_EXIT_USAGE;
    if (args->ip == NULL)
        return refuse("--ip is missing"), AM_EXIT_USAGE;
    if (args->helo == NULL && (args->from == NULL || *args->from == '\0'))
        return refuse("--from or --helo is needed: there is no domain to check"), AM_EXIT_USAGE;
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
        .prefetch = args->prefetch,
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
        return refuse("out of memory"), AM_EXIT_UNAVAILABLE;
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
    char host[256] = "localhost";
    int status = read_arguments(argc, argv, &args);
    if (status >= 0)
        return status;
    struct spf_report report = {.helo = args.helo, .from = args.from, .receiver = args.receiver};
    if (!am_ip_parse(&report.client, am_span_str(args.ip)))
        return refuse("--ip takes an IPv4 or IPv6 address"), AM_EXIT_USAGE;
    if (report.receiver == NULL) {
        gethostname(host, sizeof(host) - 1);
        report.receiver = host;
    }
    const struct spf_engine *engine = spf_engine_find(args.engine);
    if (engine == NULL)
        return refuse("--engine: there is no such engine in this build"), AM_EXIT_USAGE;
    if (args.record != NULL && engine != &spf_engine_builtin)
        return refuse("--record is for the builtin engine only"), AM_EXIT_USAGE;
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    if (resolver == NULL) {
        fprintf(stderr, "authmilter spf: %s\n", problem.text);
        return AM_EXIT_UNAVAILABLE;
    }
    status = report_on(&args, engine, resolver, &report);
    am_resolver_free(resolver);
    return status;
}

const struct am_command am_command_spf = {
    .name = "spf",
    .summary = "evaluate SPF for a client and a sender, and explain the result",
    .run = run,
};
