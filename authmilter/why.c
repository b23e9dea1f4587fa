#include "authmilter/why.h"

#include <stdlib.h>

#include "authmilter/tool_clock.h"
#include "authmilter/tool_json.h"

void why_fini(struct why *why)
{
    for (size_t i = 0; i < why->count; i++)
        am_arena_free(why->lines[i].arena);
    why->count = 0;
}

static bool is_about(const struct why *why, const struct decision_line *line)
{
    const char *id = decision_line_value(line, "queue_id");

    return id != NULL && strcmp(id, why->id) == 0;
}

/* A line that a running program remembers stands behind the seconds since 1970 alone. */
static int64_t time_of(const struct decision_line *line)
{
    char *end;
    long long seconds = strtoll(line->prefix, &end, 10);

    return line->prefix[0] != '\0' && *end == '\0' && seconds >= 0 ? seconds : -1;
}

static bool is_older(const struct why_line *one, const struct why_line *other)
{
    return one->time_s != other->time_s ? one->time_s < other->time_s : one->number < other->number;
}

/* Without room the oldest goes, be it the new one. */
static void keep(struct why *why, struct why_line line)
{
    struct why_line *oldest = &line;

    line.time_s = time_of(line.line);
    line.number = why->taken++;
    if (why->count < WHY_LINES_MAX) {
        why->lines[why->count++] = line;
        return;
    }
    for (size_t i = 0; i < why->count; i++)
        if (is_older(&why->lines[i], oldest))
            oldest = &why->lines[i];
    am_arena_free(oldest->arena);
    *oldest = line;
}

static int compare(const void *a, const void *b)
{
    return is_older(a, b) ? -1 : is_older(b, a);
}

void why_sort(struct why *why)
{
    if (why->count > 0)
        qsort(why->lines, why->count, sizeof(*why->lines), compare);
}

bool why_take(struct why *why, struct am_span text)
{
    struct why_line one;

    /* Most lines are about other messages: a look is cheaper than reading them. */
    if (memmem(text.ptr, text.len, why->id, strlen(why->id)) == NULL)
        return true;
    one.arena = am_arena_new(sizeof(*one.line) + 4096, 0);
    if (one.arena == NULL)
        return false;
    one.line = am_arena_alloc(one.arena, sizeof(*one.line));
    if (one.line != NULL && decision_line_read(one.line, one.arena, text) &&
        is_about(why, one.line))
        keep(why, one);
    else
        am_arena_free(one.arena);
    return one.line != NULL;
}

bool why_take_all(struct why *why, struct am_span text)
{
    while (text.len > 0) {
        size_t end = am_span_find(text, '\n');

        if (!why_take(why, am_span_of(text.ptr, end)))
            return false;
        end += end < text.len;
        text = am_span_of(text.ptr + end, text.len - end);
    }
    return true;
}

/* --- in words --- */

static const char *value(const struct decision_line *line, const char *key)
{
    return decision_line_value(line, key);
}

/* Writes a text that is there, between two others. */
static void say(FILE *out, const char *before, const char *text, const char *after)
{
    if (text != NULL)
        fprintf(out, "%s%s%s", before, text, after);
}

/* The prefix is a time of the log's own, or seconds where a program was asked. */
static void write_when(const struct decision_line *line, FILE *out)
{
    char text[TOOL_CLOCK_TEXT_MAX];
    int64_t time_s = time_of(line);

    if (line->prefix[0] == '\0')
        return;
    fprintf(out, "%s\n", time_s >= 0 ? tool_clock_format(time_s, text) : line->prefix);
}

static const char *action_text(const char *action)
{
    static const char *const texts[][2] = {
        {"accept", "accepted"},
        {"reject", "refused"},
        {"tempfail", "deferred: the client was told to try again"},
        {"quarantine", "held by the mail server"},
        {"discard", "accepted and thrown away"},
        {"aborted", "given up by the client or the mail server before its end"}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (action != NULL && strcmp(action, texts[i][0]) == 0)
            return texts[i][1];
    return action == NULL ? "not decided" : action;
}

/* Returns the module of a key such as "spf_rule", where there is one, in `name`. */
static bool module_of(const char *key, const char *suffix, char name[32])
{
    size_t len = strlen(key), end = strlen(suffix);

    if (len <= end || len - end >= 32 || strcmp(key + len - end, suffix) != 0)
        return false;
    memcpy(name, key, len - end);
    name[len - end] = '\0';
    return true;
}

/* The keys that have a sentence of their own: what stands behind the module's name. */
enum sentence { DECIDED, EXEMPT, NOT_EVALUATED, SIGNED, UNSIGNED, SENTENCE_COUNT };

static const char *const suffixes[SENTENCE_COUNT] = {"_rule", "_exempt", "_not_evaluated",
                                                     "_signed", "_unsigned"};

/* Returns which sentence a key has, with the module's name; SENTENCE_COUNT for none. */
static enum sentence sentence_of(const char *key, char name[32])
{
    int which = 0;

    while (which < SENTENCE_COUNT && !module_of(key, suffixes[which], name))
        which++;
    return (enum sentence)which;
}

static void write_sentence(const char *key, const char *text, FILE *out)
{
    char name[32];

    switch (sentence_of(key, name)) {
    case DECIDED:
        fprintf(out, "    %s decided by its option %s\n", name, text);
        break;
    case EXEMPT:
        fprintf(out, "    %s did not check it: exempt (%s)\n", name, text);
        break;
    case NOT_EVALUATED:
        fprintf(out, "    %s could not check it: %s\n", name, text);
        break;
    case SIGNED:
        fprintf(out, "    %s signed it: %s\n", name, text);
        break;
    case UNSIGNED:
        fprintf(out, "    %s did not sign it: %s\n", name, text);
        break;
    case SENTENCE_COUNT:
        break;
    }
}

static bool is_told(const char *key)
{
    static const char *const keys[] = {
        "event",         "queue_id", "conn",    "client",   "client_name", "helo",
        "from",          "user",     "action",  "module",   "stage",       "code",
        "xcode",         "why",      "results", "observed", "failures",    "rcpts",
        "rcpts_refused", "scrubbed", "time_us", "listener", "recipient",   "cut"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    char name[32];
    return sentence_of(key, name) != SENTENCE_COUNT;
}

static void write_decision(const struct decision_line *line, FILE *out)
{
    if (value(line, "module") != NULL)
        fprintf(out, "    decided by %s%s%s\n", value(line, "module"),
                value(line, "stage") == NULL ? "" : " at ",
                value(line, "stage") == NULL ? "" : value(line, "stage"));
    say(out, "    because: ", value(line, "why"), "\n");
    if (value(line, "code") != NULL)
        fprintf(out, "    the client was told %s %s\n", value(line, "code"),
                value(line, "xcode") == NULL ? "" : value(line, "xcode"));
    say(out, "    only observed, not carried out: ", value(line, "observed"), "\n");
    say(out, "    could not do their work: ", value(line, "failures"), "\n");
    if (value(line, "cut") != NULL)
        fputs("    (this line was too long for the log: some values are missing)\n", out);
}

static void write_message(const struct decision_line *line, FILE *out)
{
    fprintf(out, "message %s from %s: %s\n", value(line, "queue_id"),
            value(line, "from") == NULL ? "?" : value(line, "from"),
            action_text(value(line, "action")));
    say(out, "    client ", value(line, "client"), "");
    say(out, " (", value(line, "client_name"), ")");
    say(out, ", HELO ", value(line, "helo"), "");
    say(out, ", logged in as ", value(line, "user"), "");
    say(out, ", at listener ", value(line, "listener"), "");
    fputs(value(line, "client") == NULL ? "    submitted on this machine\n" : "\n", out);
    write_decision(line, out);
    say(out, "    results: ", value(line, "results"), "\n");
    say(out, "    forged fields removed: ", value(line, "scrubbed"), "\n");
    for (size_t i = 0; i < line->count; i++)
        write_sentence(line->values[i].key, line->values[i].value, out);
    for (size_t i = 0; i < line->count; i++)
        if (!is_told(line->values[i].key))
            fprintf(out, "    %s: %s\n", line->values[i].key, line->values[i].value);
}

static void write_line(const struct decision_line *line, FILE *out)
{
    const char *event = value(line, "event");

    write_when(line, out);
    if (event != NULL && strcmp(event, "recipient") == 0) {
        fprintf(out, "recipient %s: %s\n",
                value(line, "recipient") == NULL ? "?" : value(line, "recipient"),
                action_text(value(line, "action")));
        write_decision(line, out);
        return;
    }
    if (event != NULL && strcmp(event, "message") == 0) {
        write_message(line, out);
        return;
    }
    fprintf(out, "%s\n", event == NULL ? "?" : event);
    for (size_t i = 0; i < line->count; i++)
        fprintf(out, "    %s: %s\n", line->values[i].key, line->values[i].value);
}

void why_text(const struct why *why, FILE *out)
{
    if (why->taken > why->count)
        fprintf(out, "(%zu older lines of this queue id are left out)\n", why->taken - why->count);
    for (size_t i = 0; i < why->count; i++)
        write_line(why->lines[i].line, out);
}

bool why_json(const struct why *why, FILE *out)
{
    for (size_t i = 0; i < why->count; i++) {
        const struct decision_line *line = why->lines[i].line;
        json_t *values = json_object();

        for (size_t j = 0; j < line->count; j++)
            (void)json_object_set_new(values, line->values[j].key,
                                      tool_json_str(line->values[j].value));
        if (!tool_json_print(json_pack("{s:s, s:i, s:o, s:o}", "format", "authmilter-why",
                                       "version", 1, "prefix", tool_json_str(line->prefix),
                                       "values", values),
                             out))
            return false;
    }
    return true;
}
