#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/tool_clock.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_options.h"
#include "authmilter/verify_report.h"

struct arguments {
    const char *file, *receiver, *engine;
    struct tool_dns dns;
    struct tool_record_dns record_dns;
    struct tool_clock clock;
    bool now_is_given;
    bool json, partial_body_passes;
};

static bool take_nameserver(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_dns_add_nameserver(&args->dns, text, problem);
}

static bool take_now(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    args->now_is_given = true;
    return tool_clock_set(&args->clock, text, problem);
}

static const struct tool_option options[] = {
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_TEXT("record-dns", record_dns.path),
    TOOL_CALL("nameserver", take_nameserver),
    TOOL_CALL("now", take_now),
    TOOL_TEXT("receiver", receiver),
    TOOL_TEXT("engine", engine),
    TOOL_FLAG("partial-body-passes", partial_body_passes),
    TOOL_FLAG("json", json),
    {0},
};

static const char help[] =
    "usage: authmilter verify [OPTION...] FILE\n\n"
    "Verifies the DKIM signatures (RFC 6376) of a message as dkim-milter does and\n"
    "explains what was found. FILE holds one message; - is standard input.\n\n"
    "  --zone FILE            answer from a master file in place of the DNS\n"
    "  --dns FILE             answer from a recording in place of the DNS; its time\n"
    "                         is now\n"
    "  --record-dns FILE      keep the answers that were used in a recording\n"
    "  --nameserver ADDR      ask this name server, as in 127.0.0.1:5353; repeatable\n"
    "  --now TIME             verify as if it were this time: seconds since 1970, or\n"
    "                         as in 2026-11-21T08:30:00Z\n"
    "  --receiver NAME        our own name, for the field; default: the host's name\n"
    "  --engine NAME          another engine of this build\n"
    "  --partial-body-passes  an l= that leaves content unsigned may pass\n"
    "  --json                 print JSON\n\n"
    "Exit status: 0 pass, 1 fail, 2 neutral, 3 policy, 4 none, 5 temperror, 6\n"
    "permerror, 64 wrong usage, 69 something needed is not available.\n";

static const struct tool_usage usage = {.command = "verify", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;

    *args = (struct arguments){.engine = "builtin"};
    tool_clock_init(&args->clock);
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return tool_refuse(&usage, optind < argc ? "more than one file" : "the file is missing");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
    args->file = argv[optind];
    return -1;
}

static int exit_status(enum dkim_result result)
{
    static const int status[DKIM_RESULT_COUNT] = {
        [DKIM_PASS] = 0, [DKIM_FAIL] = 1,      [DKIM_NEUTRAL] = 2,   [DKIM_POLICY] = 3,
        [DKIM_NONE] = 4, [DKIM_TEMPERROR] = 5, [DKIM_PERMERROR] = 6,
    };
    return status[result];
}

/* Reads the message through the engine. Returns NULL with a sentence. */
static const struct dkim_report *verify(const struct dkim_engine *engine,
                                        const struct dkim_verify_env *env, struct tool_mail *mail,
                                        struct dkim_fields *fields, struct am_problem *problem)
{
    struct am_span chunk;

    if (!tool_mail_header(mail, fields, problem))
        return NULL;
    struct dkim_verifier *verifier = engine->start(env, fields);
    if (verifier == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    do {
        if (!tool_mail_body(mail, &chunk, problem))
            return NULL;
        engine->body(verifier, chunk);
    } while (chunk.len > 0);
    return engine->finish(verifier);
}

static int report_on(const struct arguments *args, const struct dkim_engine *engine,
                     const struct dkim_verify_env *env)
{
    char host[256] = "localhost";
    struct am_problem problem;
    struct dkim_fields fields;
    struct tool_mail *mail = tool_mail_open(env->arena, args->file, false, &problem);

    if (mail == NULL)
        return tool_unavailable(&usage, problem.text);
    gethostname(host, sizeof(host) - 1);
    dkim_fields_init(&fields, env->arena, false);
    struct verify_report report = {
        .receiver = args->receiver == NULL ? host : args->receiver,
        .notes = tool_mail_notes(mail),
        .dkim = verify(engine, env, mail, &fields, &problem),
    };
    if (report.dkim == NULL)
        return tool_unavailable(&usage, problem.text);
    report.field_count = fields.count;
    report.utf8 = verify_report_has_utf8(&fields);
    report.records = verify_report_find_records(env, report.dkim);
    if (report.records == NULL)
        return tool_unavailable(&usage, "out of memory");
    if (!args->json)
        verify_report_text(&report, stdout);
    else if (!verify_report_json(&report, stdout))
        return tool_unavailable(&usage, "out of memory");
    if (fflush(stdout) != 0)
        return tool_unavailable(&usage, "standard output cannot be written");
    return exit_status(report.dkim->best);
}

static int run(int argc, char **argv)
{
    struct arguments args;
    struct am_problem problem;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    const struct dkim_engine *engine = dkim_engine_find(args.engine);
    if (engine == NULL)
        return tool_refuse(&usage, "--engine: there is no such engine in this build");
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    if (resolver == NULL)
        return tool_unavailable(&usage, problem.text);
    resolver = tool_record_dns_begin(&args.record_dns, resolver);
    if (resolver == NULL)
        return tool_unavailable(&usage, "out of memory");
    if (args.dns.time_s != 0 && !args.now_is_given)
        args.clock.now_s = args.dns.time_s;
    struct am_arena *arena = am_arena_new(65536, 0);
    const struct dkim_verify_env env = {
        .arena = arena,
        .resolver = resolver,
        .clock = &args.clock.clock,
        .limits = &dkim_limits_default,
        .partial_body_passes = args.partial_body_passes,
        .lookup_deadline_us = am_deadline_in_ms(&args.clock.clock, 20000),
    };
    status =
        arena == NULL ? tool_unavailable(&usage, "out of memory") : report_on(&args, engine, &env);
    am_arena_free(arena);
    if (!tool_record_dns_end(&args.record_dns, args.clock.now_s, &problem))
        return tool_unavailable(&usage, problem.text);
    return status;
}

const struct am_command am_command_verify = {
    .name = "verify",
    .summary = "verify the DKIM signatures of a message, and explain the results",
    .run = run,
};
