#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/command.h"
#include "authmilter/tool_control.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_options.h"
#include "common/milter/top.h"

struct arguments {
    struct tool_control control; /* must be first */
    const char *method, *result, *lines;
    bool json;
};

static const struct tool_option options[] = {
    TOOL_CONTROL_OPTIONS,      TOOL_TEXT("method", method), TOOL_TEXT("result", result),
    TOOL_TEXT("lines", lines), TOOL_FLAG("json", json),     {0},
};

static const char help[] =
    "usage: authmilter top [--socket PATH]... [--config FILE] [OPTION...]\n\n"
    "Prints the domains that running programs have seen most often, with their\n"
    "results.\n\n"
    "  --socket PATH  a control socket; repeatable\n"
    "  --config FILE  take milter.control_socket of this configuration [all installed\n"
    "                 ones]\n"
    "  --method NAME  only results of this method: spf, dkim, dmarc\n"
    "  --result NAME  those with most of this result first: fail, temperror, ...\n"
    "  --lines N      so many for each program [20]\n"
    "  --json         print JSON, an object for each program\n\n"
    "Exit status: 0 all answered, 64 wrong usage, 69 something needed is not\n"
    "available.\n";

static const struct tool_usage usage = {.command = "top", .help = help, .options = options};

/* A line of the answer: "METHOD DOMAIN COUNT ERROR RESULT=N...". */
struct row {
    char method[17], domain[4 * AM_TOP_NAME_MAX + 1], results[256];
    unsigned long long count, error;
};

_Static_assert(AM_TOP_NAME_MAX == 80, "the format of next_row() has room for 4 octets for each");

static bool next_row(struct am_span *rest, struct row *row)
{
    while (rest->len > 0) {
        size_t end = am_span_find(*rest, '\n');
        char line[1024];
        int at = 0;

        snprintf(line, sizeof(line), "%.*s", (int)end, rest->ptr);
        end += end < rest->len;
        *rest = am_span_of(rest->ptr + end, rest->len - end);
        if (sscanf(line, "%16s %320s %llu %llu%n", row->method, row->domain, &row->count,
                   &row->error, &at) != 4)
            continue;
        snprintf(row->results, sizeof(row->results), "%s", line + at + strspn(line + at, " "));
        return true;
    }
    return false;
}

static void print_text(const char *path, struct am_span text)
{
    struct row row;

    printf("%s\n    %-8s %-40s %10s  %s\n", path, "method", "domain", "messages", "results");
    while (next_row(&text, &row)) {
        printf("    %-8s %-40s %10llu  %s", row.method, row.domain, row.count, row.results);
        printf(row.error > 0 ? " (at most; at least %llu)\n" : "\n", row.count - row.error);
    }
}

static json_t *results_object(char *text)
{
    json_t *object = json_object();
    char *save = NULL;

    for (char *word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');

        if (equals == NULL)
            continue;
        *equals = '\0';
        (void)json_object_set_new(object, word, json_integer(strtoll(equals + 1, NULL, 10)));
    }
    return object;
}

/* The program has escaped what is not printable; what is none of ours is escaped here. */
static json_t *domain_text(const char *domain)
{
    json_t *text = json_string(domain);

    return text != NULL ? text : tool_json_str(domain);
}

static bool print_json(const char *path, struct am_span text)
{
    json_t *rows = json_array();
    struct row row;

    while (next_row(&text, &row))
        json_array_append_new(rows, json_pack("{s:s, s:o, s:I, s:I, s:o}", "method", row.method,
                                              "domain", domain_text(row.domain), "count",
                                              (json_int_t)row.count, "error", (json_int_t)row.error,
                                              "results", results_object(row.results)));
    return tool_json_print(json_pack("{s:s, s:i, s:o, s:o}", "format", "authmilter-top", "version",
                                     1, "socket", tool_json_str(path), "domains", rows),
                           stdout);
}

static bool is_word(const char *text)
{
    return text == NULL || (*text != '\0' && strlen(text) <= 16 &&
                            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text));
}

static bool show(void *user, const char *path, struct am_span text)
{
    const struct arguments *args = user;

    if (args->json)
        return print_json(path, text);
    print_text(path, text);
    return true;
}

static int ask(const void *arguments)
{
    const struct arguments *args = arguments;
    char line[80];

    snprintf(line, sizeof(line), "top %s %s %s", args->method == NULL ? "-" : args->method,
             args->result == NULL ? "-" : args->result, args->lines == NULL ? "20" : args->lines);
    return tool_control_ask_all(&usage, &args->control, line, show, (void *)args);
}

static int run(int argc, char **argv)
{
    struct arguments args = {.json = false};
    int status = tool_options_read(&usage, argc, argv, &args);

    if (status >= 0)
        return status;
    if (optind < argc)
        return tool_refuse(&usage, "an argument that is no option");
    if (!is_word(args.method) || !is_word(args.result))
        return tool_refuse(&usage, "--method and --result take a word");
    if (args.lines != NULL && (strlen(args.lines) > 5 || *args.lines == '\0' ||
                               strspn(args.lines, "0123456789") != strlen(args.lines)))
        return tool_refuse(&usage, "--lines takes a number");
    return tool_control_run(&usage, &args, ask);
}

const struct am_command am_command_top = {
    .name = "top",
    .summary = "print the domains seen most often, with their results",
    .run = run,
};
