#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/explain.h"
#include "authmilter/run_modules.h"
#include "authmilter/tool_clock.h"
#include "authmilter/tool_dns.h"
#include "authmilter/tool_options.h"
#include "common/base/log.h"
#include "dkim-milter/dkim_module.h"
#include "dkim-milter/dkim_options.h"

#define USUAL_CONFIG "/etc/authmilter/authmilter.conf"

enum { EXIT_ACCEPTED, EXIT_REFUSED, EXIT_DEFERRED, EXIT_HELD };

/* A clock that stands still: with recorded DNS no figure depends on the machine. */
struct still_clock {
    struct am_clock clock; /* must be first */
    const struct tool_clock *wall;
};

struct arguments {
    const char *ip, *name, *helo, *from, *to, *user, *config, *receiver, *hashed, *file;
    struct tool_dns dns;
    struct tool_record_dns record_dns;
    struct tool_clock clock;
    struct still_clock still;
    bool now_is_given, json;
};

static int64_t still_us(const struct am_clock *self)
{
    (void)self;
    return 1000000;
}

static int64_t still_wall_s(const struct am_clock *self)
{
    return ((const struct still_clock *)self)->wall->now_s;
}

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
    TOOL_TEXT("ip", ip),
    TOOL_TEXT("name", name),
    TOOL_TEXT("helo", helo),
    TOOL_TEXT("from", from),
    TOOL_TEXT("to", to),
    TOOL_TEXT("user", user),
    TOOL_TEXT("config", config),
    TOOL_TEXT("zone", dns.zone),
    TOOL_TEXT("dns", dns.recorded),
    TOOL_CALL("nameserver", take_nameserver),
    TOOL_TEXT("record-dns", record_dns.path),
    TOOL_CALL("now", take_now),
    TOOL_TEXT("receiver", receiver),
    TOOL_TEXT("hashed", hashed),
    TOOL_FLAG("json", json),
    {0},
};

static const char help[] =
    "usage: authmilter explain [OPTION...] FILE\n\n"
    "Tells what the checks say of a message in a file, step by step, what was changed\n"
    "in it since it was signed, and what would become of it. What is not given is\n"
    "taken from Return-Path and Received. FILE - is standard input.\n\n"
    "  --ip ADDRESS       the client's address; --name NAME: its name\n"
    "  --helo NAME        what it said in HELO or EHLO\n"
    "  --from SENDER      the envelope sender; --to RECIPIENT: the recipient\n"
    "  --user LOGIN       the client logged in\n"
    "  --config FILE      configuration of authmilter run [the installed one, else\n"
    "                     none]\n"
    "  --zone FILE        answer from a master file in place of the DNS\n"
    "  --dns FILE         answer from a recording, at its time\n"
    "  --record-dns FILE  keep the answers that were used in a recording\n"
    "  --nameserver ADDR  ask this name server, as in 127.0.0.1:5353; repeatable\n"
    "  --now TIME         as if it were this time (seconds, or 2026-12-01T08:30:00Z)\n"
    "  --receiver NAME    our own name\n"
    "  --hashed DIRECTORY write the octets that each signature covers\n"
    "  --json             print JSON\n\n"
    "Exit status: 0 accepted, 1 refused, 2 deferred, 3 held, 64 wrong usage, 69\n"
    "something needed is not available.\n";

static const struct tool_usage usage = {.command = "explain", .help = help, .options = options};

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
    struct am_problem problem;
    struct am_ip ip;

    *args = (struct arguments){.ip = NULL};
    tool_clock_init(&args->clock);
    int status = tool_options_read(&usage, argc, argv, args);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return tool_refuse(&usage, optind < argc ? "more than one file" : "the file is missing");
    if (!tool_dns_check(&args->dns, &problem))
        return tool_refuse(&usage, problem.text);
    if (args->ip != NULL && !am_ip_parse(&ip, am_span_str(args->ip)))
        return tool_refuse(&usage, "--ip takes an IPv4 or IPv6 address");
    args->file = argv[optind];
    return -1;
}

/* All that one run works with. */
struct work {
    const struct arguments *args;
    struct am_arena *arena;
    struct am_resolver *resolver;
    const struct am_clock *clock;
    struct explain_envelope envelope;
    struct explain_mail mail;
    struct explain_report report;
    struct am_outcome outcome;
    struct am_runtime *runtime;
    struct dkim_hashed *hashed;
    size_t hashed_count;
    bool body_given;
};

/* --- the envelope --- */

static struct explain_fact given(const char *value, const char *source)
{
    return (struct explain_fact){value, value == NULL ? NULL : source};
}

/* "user@example.com", "<user@example.com>", "" and "<>" are all taken. */
static const char *bare(struct am_arena *arena, const char *text)
{
    struct am_address address;

    if (text == NULL)
        return NULL;
    (void)am_address_parse(&address, am_span_str(text));
    return address.is_null ? "" : am_arena_copy(arena, address.full);
}

static bool set_envelope(struct work *work)
{
    const struct arguments *args = work->args;
    struct explain_envelope *envelope = &work->envelope;

    *envelope = (struct explain_envelope){
        .client = given(args->ip, "--ip"),
        .client_name = given(args->name, "--name"),
        .helo = given(args->helo, "--helo"),
        .sender = given(bare(work->arena, args->from), "--from"),
        .user = args->user,
    };
    if (args->to != NULL) {
        const char **items = am_arena_alloc(work->arena, sizeof(*items));
        const char *to = bare(work->arena, args->to);

        if (items == NULL || to == NULL)
            return false;
        items[0] = am_arena_printf(work->arena, "<%s>", to);
        envelope->recipients = (struct am_strlist){items, items[0] != NULL};
    }
    return explain_envelope_guess(envelope, work->arena, &work->mail.fields);
}

/* --- SPF --- */

static void evaluate(struct work *work, struct spf_request *request, enum spf_identity identity)
{
    struct spf_report *report = &work->report.spf;
    struct spf_report_entry *entry = &report->entries[report->count++];

    request->identity = identity;
    entry->identity = identity;
    entry->outcome = spf_engine_builtin.evaluate(work->arena, request);
}

static void check_spf(struct work *work)
{
    const struct explain_envelope *envelope = &work->envelope;
    struct spf_report *report = &work->report.spf;
    struct spf_request request = {
        .receiver = work->report.dkim.receiver,
        .resolver = work->resolver,
        .clock = work->clock,
        .deadline_us = am_deadline_in_ms(work->clock, 20000),
        .want_explanation = true,
    };

    *report = (struct spf_report){.helo = envelope->helo.value,
                                  .from = envelope->sender.value,
                                  .receiver = work->report.dkim.receiver,
                                  .no_field = true};
    if (envelope->client.value == NULL ||
        !am_ip_parse(&report->client, am_span_str(envelope->client.value))) {
        work->report.spf_unchecked = "no client's address is known: give --ip";
        return;
    }
    if (envelope->sender.value == NULL && envelope->helo.value == NULL) {
        work->report.spf_unchecked = "neither sender nor HELO is known: give --from or --helo";
        return;
    }
    request.client = report->client;
    request.helo = am_span_str(envelope->helo.value);
    if (envelope->sender.value != NULL && *envelope->sender.value != '\0') {
        (void)am_address_parse(&request.sender, am_span_str(envelope->sender.value));
        evaluate(work, &request, SPF_MAILFROM);
    }
    if (envelope->helo.value != NULL) {
        request.sender = (struct am_address){.is_null = true};
        evaluate(work, &request, SPF_HELO);
    }
    if (report->count == 0)
        work->report.spf_unchecked = "the sender is null and no HELO is known: give --helo";
}

/* --- DKIM --- */

/* What the configured milter would allow; NULL: it verifies no signatures. */
static const struct dkim_conf *dkim_conf_of(const struct am_runtime *runtime)
{
    for (size_t i = 0; i < runtime->module_count; i++)
        if (runtime->modules[i].module == &dkim_module)
            return runtime->modules[i].conf;
    return NULL;
}

static bool note_hashed(struct work *work, struct am_span body, struct am_problem *problem)
{
    struct verify_report *report = &work->report.dkim;
    struct explain_hash_target target = {.path = work->args->hashed, .directory = -1};
    bool good = true;

    work->hashed = am_arena_alloc(work->arena, (report->dkim->count + 1) * sizeof(*work->hashed));
    if (work->hashed == NULL)
        return am_problem_set(problem, "out of memory");
    report->hashed = work->hashed;
    if (target.path != NULL) {
        target.directory = open(target.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        good = target.directory >= 0 ||
               am_problem_set(problem, "%s cannot be opened: %s", target.path, strerror(errno));
    }
    for (size_t i = 0; i < report->dkim->count && good; i++) {
        work->hashed_count = i + 1;
        good = explain_hash_to(&target, i + 1, &work->hashed[i], work->arena, &work->mail.fields,
                               &report->dkim->outcomes[i], body, problem);
    }
    if (target.directory >= 0)
        close(target.directory);
    return good;
}

static bool check_dkim(struct work *work, struct am_problem *problem)
{
    const struct dkim_conf *conf = dkim_conf_of(work->runtime);
    const struct dkim_limits limits =
        conf == NULL ? dkim_limits_default : dkim_options_limits(conf);
    const struct dkim_verify_env env = {
        .arena = work->arena,
        .resolver = work->resolver,
        .clock = work->clock,
        .limits = &limits,
        .partial_body_passes = conf != NULL && conf->partial_body_passes,
        .lookup_deadline_us = am_deadline_in_ms(work->clock, 20000),
    };
    struct verify_report *report = &work->report.dkim;
    const struct am_span body = am_buf_span(&work->mail.body);
    struct dkim_verifier *verifier = dkim_engine_builtin.start(&env, &work->mail.fields);

    if (verifier == NULL)
        return am_problem_set(problem, "out of memory");
    dkim_engine_builtin.body(verifier, body);
    report->dkim = dkim_engine_builtin.finish(verifier);
    report->notes = work->mail.notes;
    report->field_count = work->mail.fields.count;
    report->utf8 = verify_report_has_utf8(&work->mail.fields);
    report->no_field = true;
    report->records = verify_report_find_records(&env, report->dkim);
    struct dkim_diagnosis *diagnoses =
        am_arena_alloc(work->arena, (report->dkim->count + 1) * sizeof(*diagnoses));
    if (report->records == NULL || diagnoses == NULL)
        return am_problem_set(problem, "out of memory");
    for (size_t i = 0; i < report->dkim->count; i++)
        if (!dkim_diagnose(&env, &work->mail.fields, report->dkim, i, body, &diagnoses[i]))
            return am_problem_set(problem, "out of memory");
    report->diagnoses = diagnoses;
    work->report.diagnoses = diagnoses;
    return note_hashed(work, body, problem);
}

/* --- what would become of it --- */

static bool open_runtime(struct work *work, struct am_problem *problem)
{
    const char *path = work->args->config;
    const char *receiver =
        work->args->receiver == NULL
            ? NULL
            : am_arena_printf(work->arena, "authres.authserv_id=%s", work->args->receiver);

    if (path == NULL && access(USUAL_CONFIG, R_OK) == 0)
        path = USUAL_CONFIG;
    const struct am_runtime_source source = {
        .modules = am_run_modules,
        .schema = am_runtime_schema(work->arena, am_run_modules),
        .path = path,
        .overrides = &receiver,
        .override_count = receiver != NULL,
        .clock = work->clock,
        .resolver = work->resolver,
        .reporter = am_play_reporter(),
        .check_only = true,
    };
    if (source.schema == NULL)
        return am_problem_set(problem, "out of memory");
    work->runtime = am_runtime_load(&source, NULL, problem);
    work->report.config = path;
    return work->runtime != NULL;
}

static bool hand_out_body(void *user, struct am_span *chunk, struct am_problem *problem)
{
    struct work *work = user;

    (void)problem;
    *chunk = work->body_given ? am_span_of(NULL, 0) : am_buf_span(&work->mail.body);
    work->body_given = true;
    return true;
}

/* The fields as an MTA hands them on: folds as LF. */
static const struct am_play_field *play_fields(struct work *work)
{
    const struct dkim_fields *fields = &work->mail.fields;
    struct am_play_field *out = am_arena_alloc(work->arena, (fields->count + 1) * sizeof(*out));
    size_t i = 0;

    for (const struct dkim_field *field = fields->first; out != NULL && field != NULL;
         field = field->below, i++) {
        out[i].name = am_arena_copy(work->arena, field->name);
        out[i].value = am_arena_copy(work->arena, field->value);
        if (out[i].name == NULL || out[i].value == NULL)
            return NULL;
    }
    return out;
}

static bool play(struct work *work, struct am_problem *problem)
{
    const struct explain_envelope *envelope = &work->envelope;
    struct am_play_macro macros[2] = {{AM_STAGE_CONNECT, "j", work->report.dkim.receiver}};
    struct am_play_mail mail = {
        .client = envelope->client.value == NULL ? "unknown" : envelope->client.value,
        .client_name = envelope->client_name.value,
        .helo = envelope->helo.value,
        .sender = am_arena_printf(work->arena, "<%s>",
                                  envelope->sender.value == NULL ? "" : envelope->sender.value),
        .recipients = envelope->recipients,
        .macros = macros,
        .macro_count = 1,
        .fields = play_fields(work),
        .field_count = work->mail.fields.count,
        .body = hand_out_body,
        .body_user = work,
    };

    if (envelope->user != NULL)
        macros[mail.macro_count++] =
            (struct am_play_macro){AM_STAGE_ENVFROM, "{auth_authen}", envelope->user};
    if (mail.sender == NULL || mail.fields == NULL)
        return am_problem_set(problem, "out of memory");
    work->report.outcome = &work->outcome;
    work->report.modules = "";
    for (size_t i = 0; i < work->runtime->module_count && work->report.modules != NULL; i++)
        work->report.modules =
            am_arena_printf(work->arena, "%s%s%s", work->report.modules, i == 0 ? "" : ", ",
                            work->runtime->modules[i].module->name);
    return am_play(work->runtime, &mail, work->arena, &work->outcome, problem);
}

static int exit_status(const char *action)
{
    if (strcmp(action, "tempfail") == 0)
        return EXIT_DEFERRED;
    if (strcmp(action, "quarantine") == 0)
        return EXIT_HELD;
    return strcmp(action, "accept") == 0 ? EXIT_ACCEPTED : EXIT_REFUSED;
}

static int tell(struct work *work)
{
    struct am_problem problem;

    if (!explain_mail_read(&work->mail, work->arena, work->args->file, &problem) ||
        !open_runtime(work, &problem))
        return tool_unavailable(&usage, problem.text);
    if (work->args->receiver == NULL && work->runtime->authres->authserv_id[0] != '\0')
        work->report.dkim.receiver = work->runtime->authres->authserv_id;
    if (!set_envelope(work))
        return tool_unavailable(&usage, "out of memory");
    check_spf(work);
    if (!check_dkim(work, &problem))
        return tool_unavailable(&usage, problem.text);
    if (!play(work, &problem))
        return tool_unavailable(&usage, problem.text);
    work->report.envelope = &work->envelope;
    if (!work->args->json)
        explain_text(&work->report, stdout);
    else if (!explain_json(&work->report, stdout))
        return tool_unavailable(&usage, "out of memory");
    return exit_status(work->outcome.action);
}

static int run(int argc, char **argv)
{
    struct arguments args;
    struct am_problem problem;
    int status = read_arguments(argc, argv, &args);

    if (status >= 0)
        return status;
    /* The line of the message is told in other words. */
    am_log_open("authmilter", &(struct am_log_options){.level = AM_LOG_WARNING});
    struct am_resolver *resolver = tool_dns_open(&args.dns, &problem);
    if (resolver == NULL)
        return tool_unavailable(&usage, problem.text);
    resolver = tool_record_dns_begin(&args.record_dns, resolver);
    struct work work = {.args = &args, .resolver = resolver, .arena = am_arena_new(65536, 0)};
    if (args.dns.time_s != 0 && !args.now_is_given)
        args.clock.now_s = args.dns.time_s;
    args.still = (struct still_clock){{still_us, still_wall_s}, &args.clock};
    work.clock =
        args.dns.recorded != NULL || args.dns.zone != NULL ? &args.still.clock : &args.clock.clock;
    work.report.dkim.receiver = args.receiver == NULL ? "mx.invalid" : args.receiver;
    if (resolver == NULL || work.arena == NULL)
        status = tool_unavailable(&usage, "out of memory");
    else
        status = tell(&work);
    for (size_t i = 0; i < work.hashed_count; i++)
        dkim_hashed_fini(&work.hashed[i]);
    am_buf_fini(&work.mail.body);
    if (work.runtime != NULL)
        am_snapshot_drop(&work.runtime->snapshot);
    am_arena_free(work.arena);
    if (!tool_record_dns_end(&args.record_dns, args.clock.now_s, &problem))
        return tool_unavailable(&usage, problem.text);
    if (fflush(stdout) != 0)
        return tool_unavailable(&usage, "standard output cannot be written");
    return status;
}

const struct am_command am_command_explain = {
    .name = "explain",
    .summary = "tell all about a message in a file, and what would become of it",
    .run = run,
};
