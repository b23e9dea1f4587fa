#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/tool_control.h"
#include "authmilter/tool_options.h"
#include "authmilter/why.h"

enum { EXIT_FOUND, EXIT_NOT_FOUND };

struct arguments {
    struct tool_control control; /* must be first */
    const char *log, *id;
    bool journal, json;
};

static const struct tool_option options[] = {
    TOOL_CONTROL_OPTIONS,
    TOOL_TEXT("log", log),
    TOOL_FLAG("journal", journal),
    TOOL_FLAG("json", json),
    {0},
};

static const char help[] =
    "usage: authmilter why [--log FILE | --journal | --socket PATH]... QUEUE-ID\n\n"
    "Tells what happened to a message and why, and why it was signed or not, from the\n"
    "lines of the log or from what running programs remember.\n\n"
    "  --log FILE     read this log; - is standard input\n"
    "  --journal      read the journal of systemd\n"
    "  --socket PATH  ask at this control socket; repeatable\n"
    "  --config FILE  ask at milter.control_socket of this configuration [without any\n"
    "                 of these: of all installed ones]\n"
    "  --json         print JSON, an object for each line\n\n"
    "Exit status: 0 found, 1 not found, 64 wrong usage, 69 something needed is not\n"
    "available.\n";

static const struct tool_usage usage = {.command = "why", .help = help, .options = options};

/* --- where the lines come from --- */

/* Returns what reads a file that begins so, where it is compressed; "?" stands for any octet. */
static const char *reader_of(const char *begin, size_t len)
{
    static const struct {
        const char *octets, *program;
    } kinds[] = {{"\x1f\x8b", "zcat"},
                 {"\xfd"
                  "7zXZ",
                  "xzcat"},
                 {"BZh?1AY&SY", "bzcat"},
                 {"\x28\xb5\x2f\xfd", "zstdcat"}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *octets = kinds[i].octets;
        size_t same = 0;

        while (octets[same] != '\0' && same < len &&
               (octets[same] == '?' || octets[same] == begin[same]))
            same++;
        if (octets[same] == '\0')
            return kinds[i].program;
    }
    return NULL;
}

/* Rotated logs are often compressed: without a word a message in one would seem to be unknown. */
static bool refuse_compressed(const struct why *why, const char *name, const char *program,
                              struct am_problem *problem)
{
    bool piped = strcmp(name, "-") == 0;

    return am_problem_set(problem, "%s is compressed: %s %s | authmilter why --log - %s",
                          piped ? "the log" : name, program, piped ? "FILE" : name, why->id);
}

static bool read_stream(struct why *why, FILE *file, const char *name, struct am_problem *problem)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = getline(&line, &room, file);
    const char *program = len < 0 ? NULL : reader_of(line, (size_t)len);
    bool good = program == NULL;

    for (; good && len >= 0; len = getline(&line, &room, file))
        good = why_take(why, am_span_of(line, (size_t)len));
    free(line);
    if (program != NULL)
        return refuse_compressed(why, name, program, problem);
    if (!good)
        return am_problem_set(problem, "out of memory");
    return ferror(file) == 0 || am_problem_set(problem, "%s: %s", name, strerror(errno));
}

static bool read_log(struct why *why, const char *path, struct am_problem *problem)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file == NULL)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    bool good = read_stream(why, file, path, problem);
    if (file != stdin)
        fclose(file);
    return good;
}

static bool read_journal(struct why *why, struct am_problem *problem)
{
    int ends[2], status = 0;

    if (pipe(ends) != 0)
        return am_problem_set(problem, "%s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("journalctl", "journalctl", "--no-pager", "--quiet", "-o", "short-iso", "-g",
               why->id, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *file = child < 0 ? NULL : fdopen(ends[0], "r");
    bool good = file != NULL && read_stream(why, file, "the journal", problem);
    if (file != NULL)
        fclose(file);
    else
        close(ends[0]);
    if (child > 0)
        (void)waitpid(child, &status, 0);
    if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
        return am_problem_set(problem, "there is no journalctl here: give --log FILE");
    /* 1: nothing was found. */
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return am_problem_set(problem, "journalctl could not read the journal: give --log FILE");
    return good;
}

static bool ask_program(struct why *why, const char *path, const char *line,
                        struct am_problem *problem)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    bool good = tool_control_ask(path, line, &text, problem) &&
                (why_take_all(why, am_buf_span(&text)) || am_problem_set(problem, "out of memory"));
    am_buf_fini(&text);
    return good;
}

/* One that does not answer hides nothing of what the others know. */
static bool ask_programs(struct why *why, struct arguments *args, struct am_arena *arena,
                         struct am_problem *problem)
{
    struct am_problem failure;
    size_t failures = 0;
    char line[200];

    if (!tool_control_find(&args->control, arena, problem))
        return false;
    snprintf(line, sizeof(line), "why %s", args->id);
    for (size_t i = 0; i < args->control.count; i++) {
        if (ask_program(why, args->control.sockets[i], line, &failure))
            continue;
        if (failures++ > 0)
            fprintf(stderr, "authmilter why: %s\n", problem->text);
        *problem = failure;
    }
    if (failures > 0 && why->count > 0)
        fprintf(stderr, "authmilter why: %s\n", problem->text);
    return failures == 0 || why->count > 0;
}

static int print(const struct arguments *args, const struct why *why)
{
    if (why->count == 0) {
        fprintf(stderr, "authmilter why: nothing is known of %s%s\n", args->id,
                args->log == NULL && !args->journal
                    ? "; a program remembers the latest messages only: try --log or --journal"
                    : "");
        return EXIT_NOT_FOUND;
    }
    if (!args->json)
        why_text(why, stdout);
    else if (!why_json(why, stdout))
        return tool_unavailable(&usage, "out of memory");
    return EXIT_FOUND;
}

static int tell(struct arguments *args, struct am_arena *arena)
{
    struct why why = {.id = args->id};
    struct am_problem problem;
    bool good;

    if (args->log != NULL)
        good = read_log(&why, args->log, &problem);
    else if (args->journal)
        good = read_journal(&why, &problem);
    else
        good = ask_programs(&why, args, arena, &problem);
    why_sort(&why);
    int status = good ? print(args, &why) : tool_unavailable(&usage, problem.text);
    why_fini(&why);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments args = {.json = false};
    int status = tool_options_read(&usage, argc, argv, &args);

    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return tool_refuse(&usage, "one queue id is needed");
    args.id = argv[optind];
    if (*args.id == '\0' || strlen(args.id) > 100 ||
        strspn(args.id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") !=
            strlen(args.id))
        return tool_refuse(&usage, "a queue id has letters, digits, dots, hyphens and underscores");
    if ((args.log != NULL) + args.journal + (args.control.count > 0 || args.control.config) > 1)
        return tool_refuse(&usage, "--log, --journal and a socket exclude each other");
    struct am_arena *arena = am_arena_new(65536, 0);
    if (arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    status = tell(&args, arena);
    am_arena_free(arena);
    return tool_finish(&usage, status);
}

const struct am_command am_command_why = {
    .name = "why",
    .summary = "tell what happened to a message, and why",
    .run = run,
};
