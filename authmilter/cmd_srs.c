#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "authmilter/command.h"
#include "authmilter/srs_serve.h"
#include "authmilter/srs_source.h"
#include "authmilter/tool_clock.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_options.h"
#include "common/base/log.h"

struct arguments {
    const char *config, *domain, *secrets;
    struct srs_serve_options serve;
    struct tool_clock clock;
    bool json;
};

static bool take_now(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;

    return tool_clock_set(&args->clock, text, problem);
}

static const struct tool_option options[] = {
    TOOL_TEXT("config", config),
    TOOL_TEXT("domain", domain),
    TOOL_TEXT("secrets", secrets),
    TOOL_CALL("now", take_now),
    TOOL_FLAG("json", json),
    TOOL_TEXT("socket", serve.socket),
    TOOL_TEXT("socket-group", serve.socket_group),
    {0},
};

static const char help[] =
    "usage: authmilter srs forward|reverse [OPTION...] ADDRESS...\n"
    "       authmilter srs serve [OPTION...]\n\n"
    "Rewrites envelope senders as srs-milter does (forward), and turns them back\n"
    "(reverse). serve answers a mail server's socketmap of the two names.\n\n"
    "  --config FILE        configuration [/etc/authmilter/srs-milter.conf]\n"
    "  --domain NAME        rewrite to this domain; with --secrets: no configuration\n"
    "  --secrets FILE       secrets, one a line\n"
    "  --now TIME           as if it were this time: seconds since 1970, or as in\n"
    "                       2026-12-01T08:30:00Z\n"
    "  --json               print JSON\n"
    "  --socket PATH        where serve answers [below the queue of Postfix:\n"
    "                       /var/spool/postfix/authmilter/srs-map.sock]\n"
    "  --socket-group NAME  its group [auto: Postfix's where possible]\n\n"
    "Exit status: 0 all done, 1 an address stays as it is, 2 one is forged, expired\n"
    "or not of the form, 64 wrong usage, 69 something needed is not available.\n";

static const struct tool_usage usage = {.command = "srs", .help = help, .options = options};

enum status { STATUS_DONE, STATUS_STAYS, STATUS_REFUSED };

/* --- one address --- */

static struct srs_outcome rewrite(const struct srs_scheme *scheme, struct am_arena *arena,
                                  bool forward, const char *text, int64_t now_s)
{
    struct am_address address;

    if (!am_address_parse(&address, am_span_str(text)))
        return (struct srs_outcome){.status = SRS_MALFORMED};
    return forward ? srs_forward(scheme, arena, &address, now_s)
                   : srs_reverse(scheme, arena, &address, now_s);
}

static bool print_json(const char *text, const struct srs_outcome *outcome)
{
    json_t *object =
        json_pack("{s:o, s:s, s:o}", "address", tool_json_str(text), "status",
                  srs_status_word(outcome->status), "becomes", tool_json_str(outcome->address));
    if (object != NULL && outcome->status == SRS_OK)
        (void)json_object_set_new(object, "case_changed", json_boolean(outcome->smashed));
    return tool_json_print(object, stdout);
}

static enum status print(const char *text, const struct srs_outcome *outcome, bool json)
{
    if (json && !print_json(text, outcome))
        return STATUS_REFUSED;
    if (!json && outcome->status == SRS_OK)
        puts(outcome->address);
    if (!json && outcome->status != SRS_OK) {
        struct am_buf escaped;

        am_buf_init(&escaped, 0);
        am_log_escape(&escaped, am_span_str(text));
        fprintf(stderr, "authmilter srs: %s %s\n", am_buf_str(&escaped),
                srs_status_text(outcome->status));
        am_buf_fini(&escaped);
    }
    if (outcome->status == SRS_OK)
        return STATUS_DONE;
    return outcome->status == SRS_NO_SRS ? STATUS_STAYS : STATUS_REFUSED;
}

static int rewrite_all(const struct arguments *args, const struct srs_scheme *scheme, bool forward,
                       char **addresses)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    enum status worst = STATUS_DONE;

    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    for (; *addresses != NULL; addresses++) {
        const struct srs_outcome outcome =
            rewrite(scheme, arena, forward, *addresses, args->clock.now_s);
        enum status status = print(*addresses, &outcome, args->json);
        worst = status > worst ? status : worst;
        am_arena_reset(arena);
    }
    am_arena_free(arena);
    if (fflush(stdout) != 0)
        return tool_unavailable(&usage, "standard output cannot be written");
    return worst;
}

/* --- where domain and secrets come from --- */

static int with_options(const struct arguments *args, bool forward, char **addresses)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct srs_conf conf = {.domain = args->domain,
                            .secrets = args->secrets,
                            .separator = '=',
                            .hash_length = SRS_HASH_LENGTH_MIN,
                            .hash_minimum = SRS_HASH_LENGTH_MIN,
                            .max_age_ms = INT64_C(21) * 86400000};
    struct srs_scheme scheme;
    struct am_problem problem;
    int status;

    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    if (!srs_conf_scheme(&conf, arena, &scheme, &problem))
        status = tool_unavailable(&usage, problem.text);
    else
        status = rewrite_all(args, &scheme, forward, addresses);
    am_arena_free(arena);
    return status;
}

static int with_config(const struct arguments *args, bool forward, char **addresses)
{
    struct am_problem problem;
    struct am_runtime *runtime = srs_source_load(args->config, &problem);

    if (runtime == NULL)
        return tool_unavailable(&usage, problem.text);
    int status = rewrite_all(args, &srs_source_derived(runtime)->scheme, forward, addresses);
    am_snapshot_drop(&runtime->snapshot);
    return status;
}

static int serve(struct arguments *args)
{
    struct am_problem problem;

    args->serve.config = args->config;
    return srs_serve(&args->serve, &problem) ? 0 : tool_unavailable(&usage, problem.text);
}

static int run(int argc, char **argv)
{
    struct arguments args = {
        .serve = {.socket = SRS_SERVE_SOCKET, .socket_group = "auto", .clock = am_clock_system()}};

    tool_clock_init(&args.clock);
    int status = tool_options_read(&usage, argc, argv, &args);
    if (status >= 0)
        return status;
    if (optind == argc)
        return tool_refuse(&usage, "forward, reverse or serve is missing");
    const char *verb = argv[optind++];
    if (strcmp(verb, "serve") == 0)
        return optind < argc || args.domain != NULL || args.secrets != NULL || args.json
                   ? tool_refuse(&usage, "serve takes --config and the options of the socket only")
                   : serve(&args);
    if (strcmp(verb, "forward") != 0 && strcmp(verb, "reverse") != 0)
        return tool_refuse(&usage, "the first argument is forward, reverse or serve");
    if (optind == argc)
        return tool_refuse(&usage, "the address is missing");
    if ((args.domain == NULL) != (args.secrets == NULL))
        return tool_refuse(&usage, "--domain and --secrets go together");
    if (args.domain != NULL && args.config != NULL)
        return tool_refuse(&usage, "--config has a domain and secrets already");
    return args.domain == NULL ? with_config(&args, *verb == 'f', argv + optind)
                               : with_options(&args, *verb == 'f', argv + optind);
}

const struct am_command am_command_srs = {
    .name = "srs",
    .summary = "rewrite senders of forwarded mail and turn them back (SRS)",
    .run = run,
};
