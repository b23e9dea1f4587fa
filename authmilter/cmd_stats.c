#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/tool_control.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_options.h"

#define WATCH_MAX 86400

struct arguments {
    struct tool_control control; /* must be first */
    int64_t watch_s, rounds;
    bool json, all;
};

static bool take_number(const char *text, int64_t *value, struct am_problem *problem)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < 1 || number > WATCH_MAX)
        return am_problem_set(problem, "\"%s\" is no number from 1 to %d", text, WATCH_MAX);
    *value = number;
    return true;
}

static bool take_watch(void *arguments, const char *text, struct am_problem *problem)
{
    return take_number(text, &((struct arguments *)arguments)->watch_s, problem);
}

static bool take_rounds(void *arguments, const char *text, struct am_problem *problem)
{
    return take_number(text, &((struct arguments *)arguments)->rounds, problem);
}

static const struct tool_option options[] = {
    TOOL_CONTROL_OPTIONS,  TOOL_CALL("watch", take_watch), TOOL_CALL("rounds", take_rounds),
    TOOL_FLAG("all", all), TOOL_FLAG("json", json),        {0},
};

static const char help[] =
    "usage: authmilter stats [--socket PATH]... [--config FILE] [OPTION...]\n\n"
    "Prints the figures of running programs, asked at their control sockets.\n\n"
    "  --socket PATH  a control socket; repeatable\n"
    "  --config FILE  take milter.control_socket of this configuration [all installed\n"
    "                 ones]\n"
    "  --watch N      print what was added, every N seconds, per second\n"
    "  --rounds N     so often, then end\n"
    "  --all          figures that are 0, too\n"
    "  --json         print JSON, an object for each program\n\n"
    "Exit status: 0 all answered, 64 wrong usage, 69 something needed is not\n"
    "available.\n";

static const struct tool_usage usage = {.command = "stats", .help = help, .options = options};

/* --- one program --- */

/* Hands out "NAME VALUE" lines; false at the end. */
static bool next_figure(struct am_span *rest, struct am_span *name, struct am_span *value)
{
    while (rest->len > 0) {
        size_t end = am_span_find(*rest, '\n');
        struct am_span line = am_span_of(rest->ptr, end);
        size_t blank = am_span_find_last(line, ' ');

        end += end < rest->len;
        *rest = am_span_of(rest->ptr + end, rest->len - end);
        if (blank == line.len)
            continue;
        *name = am_span_of(line.ptr, blank);
        *value = am_span_of(line.ptr + blank + 1, line.len - blank - 1);
        return true;
    }
    return false;
}

/* Buckets of histograms are for machines. */
static bool is_shown(const struct arguments *args, struct am_span name, struct am_span value)
{
    if (args->all)
        return true;
    if (value.len == 1 && value.ptr[0] == '0')
        return false;
    for (size_t i = 0; i + 7 <= name.len; i++)
        if (memcmp(name.ptr + i, "_bucket", 7) == 0)
            return false;
    return true;
}

static void print_text(const struct arguments *args, const char *path, struct am_span text)
{
    struct am_span name, value;

    printf("%s\n", path);
    while (next_figure(&text, &name, &value))
        if (is_shown(args, name, value))
            printf("    %-58.*s %12.*s\n", (int)name.len, name.ptr, (int)value.len, value.ptr);
}

static bool print_json(const char *path, struct am_span text)
{
    json_t *figures = json_object();
    struct am_span name, value;

    while (next_figure(&text, &name, &value)) {
        char *key = strndup(name.ptr, name.len);

        if (key == NULL ||
            json_object_set_new(figures, key, json_real(strtod(value.ptr, NULL))) != 0) {
            free(key);
            json_decref(figures);
            return false;
        }
        free(key);
    }
    return tool_json_print(json_pack("{s:s, s:i, s:o, s:o}", "format", "authmilter-stats",
                                     "version", 1, "socket", tool_json_str(path), "figures",
                                     figures),
                           stdout);
}

static bool show(void *user, const char *path, struct am_span text)
{
    const struct arguments *args = user;

    if (args->json)
        return print_json(path, text);
    print_text(args, path, text);
    return true;
}

/* --- watching --- */

static double former_value(struct am_span text, struct am_span wanted)
{
    struct am_span name, value;

    while (next_figure(&text, &name, &value))
        if (am_span_equal(name, wanted))
            return strtod(value.ptr, NULL);
    return 0;
}

/* Counters end so, behind their name or before their labels; all else is a gauge. */
static bool is_counter(struct am_span name)
{
    static const char *const endings[] = {"_total", "_bucket", "_sum", "_count"};
    struct am_span bare = am_span_of(name.ptr, am_span_find(name, '{'));

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (am_span_ends_nocase(bare, am_span_str(endings[i])))
            return true;
    return false;
}

/* A counter only goes back with a new process. */
static bool has_restarted(struct am_span former, struct am_span text)
{
    struct am_span name, value;

    while (next_figure(&text, &name, &value))
        if (is_counter(name) && strtod(value.ptr, NULL) < former_value(former, name))
            return true;
    return false;
}

/* What was added to counters since; gauges as they are. */
static void print_rates(const struct arguments *args, const char *path, struct am_span former,
                        struct am_span text)
{
    bool restarted = has_restarted(former, text);
    struct am_span name, value;

    printf("%s%s\n", path, restarted ? " (restarted: counted from 0)" : "");
    while (next_figure(&text, &name, &value)) {
        double now = strtod(value.ptr, NULL), before = restarted ? 0 : former_value(former, name);
        bool counts = is_counter(name);
        double shown = counts ? (now - before) / (double)args->watch_s : now;

        if ((shown != 0 || args->all) && is_shown(args, name, am_span_str("1")))
            printf("    %-58.*s %12.1f%s\n", (int)name.len, name.ptr, shown, counts ? "/s" : "");
    }
}

struct watching {
    const struct arguments *args;
    struct am_buf former[TOOL_CONTROL_SOCKETS_MAX]; /* answers; empty: none yet */
};

/* Asks one program again. One that does not answer may be on its way up: the next round tells. */
static int ask_again(struct watching *watching, size_t index)
{
    const char *path = watching->args->control.sockets[index];
    struct am_buf now, *former = &watching->former[index];
    struct am_problem problem;

    am_buf_init(&now, 0);
    if (!tool_control_ask(path, "stats", &now, &problem)) {
        am_buf_fini(&now);
        return tool_unavailable(&usage, problem.text);
    }
    if (former->len > 0)
        print_rates(watching->args, path, am_buf_span(former), am_buf_span(&now));
    am_buf_fini(former);
    *former = now;
    return 0;
}

static int watch(const struct arguments *args)
{
    struct watching watching = {.args = args};
    int status = 0;

    for (size_t i = 0; i < args->control.count; i++) {
        am_buf_init(&watching.former[i], 0);
        int one = ask_again(&watching, i);
        status = one != 0 ? one : status;
    }
    /* Who is not there at all is no restart: a wrong path is said at once. */
    for (int64_t round = 0;
         (status == 0 || round > 0) && (args->rounds == 0 || round < args->rounds); round++) {
        sleep((unsigned)args->watch_s);
        status = 0;
        for (size_t i = 0; i < args->control.count; i++) {
            int one = ask_again(&watching, i);
            status = one != 0 ? one : status;
        }
        if (fflush(stdout) != 0)
            break;
    }
    for (size_t i = 0; i < args->control.count; i++)
        am_buf_fini(&watching.former[i]);
    return status;
}

static int ask(const void *arguments)
{
    const struct arguments *args = arguments;

    return args->watch_s > 0
               ? watch(args)
               : tool_control_ask_all(&usage, &args->control, "stats", show, (void *)args);
}

static int run(int argc, char **argv)
{
    struct arguments args = {.json = false};
    int status = tool_options_read(&usage, argc, argv, &args);

    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (args.watch_s > 0 && args.json)
        return tool_refuse(&usage, "--watch and --json exclude each other");
    return tool_control_run(&usage, &args, ask);
}

const struct am_command am_command_stats = {
    .name = "stats",
    .summary = "print the figures of running programs",
    .run = run,
};
