#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/command.h"
#include "authmilter/replay.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_options.h"
#include "common/base/log.h"

struct arguments {
    const char *config, *check;
    char **files;
    bool json;
};

static const struct tool_option options[] = {
    TOOL_TEXT("config", config), TOOL_TEXT("check", check), TOOL_FLAG("json", json), {0}};

static const char help[] =
    "usage: authmilter replay [--config FILE] [--json] CASE...\n"
    "       authmilter replay --check DIRECTORY [--config FILE] [--json]\n\n"
    "Plays kept messages (section capture of the configuration) again, with the\n"
    "answers of the DNS, the macros, the time and the configuration they were kept\n"
    "with, and says what comes out otherwise than then.\n\n"
    "  --config FILE      with another configuration: what would it have done?\n"
    "  --check DIRECTORY  all cases (*.json) of a directory; one line for each\n"
    "  --json             print JSON, an object for each case\n\n"
    "Exit status: 0 all is as it was, 1 something differs, 2 a case cannot be\n"
    "replayed, 64 wrong usage, 69 something needed is not available, or there is no\n"
    "case in the directory.\n";

static const struct tool_usage usage = {.command = "replay", .help = help, .options = options};

enum { EXIT_SAME, EXIT_DIFFERS, EXIT_NOT_REPLAYED };

static void print(const char *before, const char *text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, am_span_str(text));
    printf("%s%s\n", before, am_buf_str(&escaped));
    am_buf_fini(&escaped);
}

static json_t *list(const struct am_strlist *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < texts->count; i++)
        json_array_append_new(array, tool_json_str(texts->items[i]));
    return array;
}

static const char *word_of(int status)
{
    static const char *const words[] = {"same", "differs", "not replayed"};

    return words[status];
}

static bool report_json(const char *path, int status, const struct replay *replay)
{
    return tool_json_print(
        json_pack("{s:s, s:i, s:o, s:s, s:o, s:o, s:o, s:o}", "format", "authmilter-replay",
                  "version", 1, "case", tool_json_str(path), "status", word_of(status), "action",
                  tool_json_str(replay->outcome.action), "differences", list(&replay->differences),
                  "left_out", list(&replay->left_out), "missed", list(&replay->missed)),
        stdout);
}

static void report_text(const struct arguments *args, const char *path, int status,
                        const struct replay *replay)
{
    printf("%s: ", word_of(status));
    print("", path);
    if (args->check != NULL && status == EXIT_SAME)
        return;
    for (size_t i = 0; i < replay->left_out.count; i++)
        print("    left out: ", replay->left_out.items[i]);
    for (size_t i = 0; i < replay->missed.count; i++)
        print("    not recorded: ", replay->missed.items[i]);
    for (size_t i = 0; i < replay->differences.count; i++)
        print("    ", replay->differences.items[i]);
    if (replay->outcome.action != NULL)
        print("    action: ", replay->outcome.action);
}

/* Returns the status of one case. */
static int one(const struct arguments *args, const char *path)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_problem problem = {"out of memory"};
    struct replay replay = {.arena = arena};
    int status = EXIT_NOT_REPLAYED;

    if (arena != NULL && replay_case(&replay, path, args->config, &problem))
        status = replay.differences.count == 0 ? EXIT_SAME : EXIT_DIFFERS;
    else
        fprintf(stderr, "authmilter replay: %s\n", problem.text);
    if (!args->json)
        report_text(args, path, status, &replay);
    else if (!report_json(path, status, &replay))
        status = EXIT_NOT_REPLAYED;
    am_arena_free(arena);
    return status;
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int unusable(const char *path, const char *why)
{
    struct am_problem problem;

    am_problem_set(&problem, "%s: %s", path, why);
    return tool_unavailable(&usage, problem.text);
}

/* A directory without a case is a mistake: a check of nothing must not pass. */
static int directory(const struct arguments *args)
{
    struct dirent **names;
    int count = scandir(args->check, &names, is_case, alphasort), worst = EXIT_SAME, bad = 0;

    if (count < 0)
        return unusable(args->check, strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", args->check, names[i]->d_name);
        int status = one(args, path);
        bad += status != EXIT_SAME;
        worst = status > worst ? status : worst;
        free(names[i]);
    }
    free(names);
    if (count == 0)
        return unusable(args->check, "there is no case (*.json) in it");
    if (!args->json)
        printf("%d cases, %d as they were\n", count, count - bad);
    return worst;
}

static int run(int argc, char **argv)
{
    struct arguments args = {.config = NULL};
    int status = tool_options_read(&usage, argc, argv, &args), worst = EXIT_SAME;

    if (status >= 0)
        return status;
    if ((args.check == NULL) == (optind == argc))
        return tool_refuse(&usage, args.check == NULL ? "the case is missing"
                                                      : "--check takes no further files");
    am_log_open("authmilter", &(struct am_log_options){.level = AM_LOG_ERROR});
    if (args.check != NULL)
        return tool_finish(&usage, directory(&args));
    for (; optind < argc; optind++) {
        status = one(&args, argv[optind]);
        worst = status > worst ? status : worst;
    }
    return tool_finish(&usage, worst);
}

const struct am_command am_command_replay = {
    .name = "replay",
    .summary = "play a kept message again, and say what comes out otherwise",
    .run = run,
};
