#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/command.h"
#include "authmilter/mta_sim.h"
#include "authmilter/tool_options.h"

struct arguments {
    const char *socket;
    int timeout_ms;
    bool quiet, json;
};

static bool take_timeout(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *args = arguments;
    char *end;
    long seconds = strtol(text, &end, 10);

    if (end == text || *end != '\0' || seconds < 1 || seconds > 3600)
        return am_problem_set(problem, "--timeout takes 1 to 3600 seconds, not '%s'", text);
    args->timeout_ms = (int)seconds * 1000;
    return true;
}

static const struct tool_option options[] = {TOOL_TEXT("socket", socket),
                                             TOOL_CALL("timeout", take_timeout),
                                             TOOL_FLAG("quiet", quiet),
                                             TOOL_FLAG("json", json),
                                             {0}};

static const char help[] =
    "usage: authmilter mta-sim [--socket ADDRESS] [--timeout SECONDS]\n"
    "                          [--quiet | --json] SCRIPT\n\n"
    "Plays a mail server against a milter, anybody's, that is running: what the lines\n"
    "of SCRIPT ('-': standard input) say happens, the milter's answers and the mail\n"
    "as it would be delivered are printed, and 'expect' lines are judged.\n\n"
    "  --socket ADDRESS   where it is: unix:PATH, inet:PORT@HOST, inet6:PORT@HOST\n"
    "                     unless a line 'milter ADDRESS' of the script says it\n"
    "  --timeout SECONDS  for each answer (30); ten times as long for a whole step\n"
    "  --quiet            print what fails only\n"
    "  --json             print JSON (docs/mta-sim.md)\n\n"
    "    client 192.0.2.1 mail.example.com\n"
    "    helo mail.example.com\n"
    "    from <a@example.com>\n"
    "    to <b@example.org>\n"
    "    data\n"
    "    | Subject: test\n"
    "    expect accepted\n\n"
    "Exit status: 0 as expected, 1 not, 64 wrong usage or script, 69 no such file.\n";

static const struct tool_usage usage = {.command = "mta-sim", .help = help, .options = options};

static void failed(void *user, const struct mta_script_line *line, const char *sentence)
{
    struct mta_sim *sim = user;

    if (sim->json)
        mta_sim_json_failure(sim, line, sentence);
    else
        mta_sim_text_failure(sim, line, sentence);
}

static void stepped(void *user, const struct mta_script_line *line, const char *step,
                    const char *about, const struct mta_reply *reply)
{
    struct mta_sim *sim = user;

    if (sim->json)
        mta_sim_json_step(sim, line, step, about, reply);
    else
        mta_sim_text_step(sim, line, step, about, reply);
}

static void ended(void *user, const struct mta_script_line *line, const struct mta_reply *reply,
                  const struct mta_message *message)
{
    struct mta_sim *sim = user;

    if (sim->json)
        mta_sim_json_message(sim, line, reply, message);
    else
        mta_sim_text_message(sim, reply, message);
}

/* Reads a file or standard input, so much as a script may hold and a byte more. */
static bool read_file(const char *path, struct am_buf *out, struct am_problem *problem)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char chunk[8192];

    if (file == NULL)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    for (size_t got;
         out->len <= MTA_SCRIPT_MAX && (got = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        am_buf_add(out, am_span_of(chunk, got));
    bool ok = !ferror(file) && !out->failed;
    if (!ok)
        am_problem_set(problem, "%s: cannot be read: %s", path,
                       out->failed ? "out of memory" : strerror(errno));
    if (file != stdin)
        fclose(file);
    return ok;
}

/* "milter ADDRESS" is a line of this command, the others are the player's. */
static bool is_address(const struct mta_script_line *line)
{
    return strcmp(line->verb, "milter") == 0;
}

/* Nothing is sent before every line is one that can be played. */
static bool check(const struct mta_script *script, const struct arguments *args, const char *path,
                  struct am_problem *problem)
{
    bool placed = args->socket != NULL;

    for (size_t i = 0; i < script->count; i++) {
        const struct mta_script_line *line = &script->lines[i];
        struct am_problem why = {"it is written: milter ADDRESS"};
        bool ok = is_address(line) ? line->text[0] != '\0' && line->block.len == 0
                                   : mta_player_knows(line, &why);
        if (!ok)
            return am_problem_set(problem, "%s:%u: %s", path, line->number, why.text);
        placed = placed || is_address(line);
        if (!placed && strcmp(line->verb, "client") == 0)
            return am_problem_set(problem,
                                  "%s:%u: where is the milter? Say --socket ADDRESS, or "
                                  "'milter ADDRESS' before this line",
                                  path, line->number);
    }
    return script->count > 0 || am_problem_set(problem, "%s: nothing in it", path);
}

static int play(const struct mta_script *script, const struct arguments *args, const char *path)
{
    static const struct mta_player_hooks hooks = {
        .failed = failed, .stepped = stepped, .ended = ended};
    struct mta_sim sim = {.path = path, .json = args->json, .quiet = args->quiet};
    bool written = true;

    sim.player = (struct mta_player){
        .socket = args->socket, .timeout_ms = args->timeout_ms, .hooks = &hooks, .user = &sim};
    if (args->json && !mta_sim_json_begin(&sim))
        return tool_unavailable(&usage, "out of memory");
    for (size_t i = 0; i < script->count; i++) {
        const struct mta_script_line *line = &script->lines[i];
        if (!is_address(line))
            mta_player_do(&sim.player, line);
        else if (args->socket == NULL)
            sim.player.socket = line->text;
    }
    mta_player_end(&sim.player);
    if (args->json)
        written = mta_sim_json_end(&sim);
    else if (!args->quiet)
        mta_sim_text_end(&sim);
    if (!written || fflush(stdout) != 0)
        return tool_unavailable(&usage, "standard output cannot be written");
    return sim.player.failures == 0 ? 0 : 1;
}

static int run_script(const struct arguments *args, const char *path)
{
    struct mta_script script = {.count = 0};
    struct am_problem problem = {""}, why = {""};
    struct am_buf text;
    int status;

    am_buf_init(&text, 0);
    if (!read_file(path, &text, &problem))
        status = tool_unavailable(&usage, problem.text);
    else if (!mta_script_read(&script, am_buf_span(&text), &why)) {
        am_problem_set(&problem, "%s: %s", path, why.text);
        status = tool_refuse(&usage, problem.text);
    } else if (!check(&script, args, path, &problem))
        status = tool_refuse(&usage, problem.text);
    else
        status = play(&script, args, path);
    mta_script_fini(&script);
    am_buf_fini(&text);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments args = {.socket = NULL};
    int status = tool_options_read(&usage, argc, argv, &args);

    if (status >= 0)
        return status;
    if (optind != argc - 1)
        return tool_refuse(&usage, optind == argc ? "the script is missing"
                                                  : "there is one script at a time");
    if (args.quiet && args.json)
        return tool_refuse(&usage, "--quiet and --json exclude each other");
    return run_script(&args, argv[optind]);
}

const struct am_command am_command_mta_sim = {
    .name = "mta-sim",
    .summary = "play a mail server against a milter that is being tested",
    .run = run,
};
