#include "common/base/config_internal.h"

#include "common/base/utf8.h"

/*
 * libConfuse drops characters it has no rule for ("a*b" is read as "a" and
 * "b", "/run/" as "/run"), counts lines twice where comments stand, takes an
 * open section at the end of the file as closed, puts environment variables
 * into values, and lets the last of two equal options win. So the outer form is
 * settled here, with the line of every mistake, and libConfuse gets a text in
 * which every word is quoted.
 */

/* More names than any section has options: beyond, equal names are found as unknown ones. */
#define NAMES_MAX 256

struct seen {
    struct am_span names[NAMES_MAX];
    unsigned lines[NAMES_MAX];
    size_t count;
};

enum place { IN_FILE, IN_SECTION, IN_LIST };
enum token { TOKEN_START, TOKEN_STRING, TOKEN_EQUALS, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };

struct scan {
    struct am_span text;
    size_t at;
    unsigned line;
    const char *name;
    struct am_buf *out;
    struct am_problem *problem;
    enum place place, outside_list;
    unsigned section_line, list_line;
    enum token last, before_last;
    struct am_span last_string;
    struct seen sections, options;
};

#define FAIL(scan, format, ...)                                                                    \
    am_problem_set((scan)->problem, "%s:%u: " format, (scan)->name, (scan)->line, __VA_ARGS__)

static char peek(const struct scan *scan, size_t ahead)
{
    return ahead < scan->text.len - scan->at ? scan->text.ptr[scan->at + ahead] : '\0';
}

/* How much of a word a sentence repeats. */
static int shown(struct am_span word)
{
    return word.len > 60 ? 60 : (int)word.len;
}

/* Remembers a name of the file or of a section; refuses the second of its kind. */
static bool see(struct scan *scan, struct seen *seen, const char *kind)
{
    struct am_span name = scan->last_string;

    for (size_t i = 0; i < seen->count; i++)
        if (am_span_equal(seen->names[i], name))
            return FAIL(scan, "%s \"%.*s\" comes a second time, first in line %u; keep one of them",
                        kind, shown(name), name.ptr, seen->lines[i]);
    if (seen->count < NAMES_MAX) {
        seen->names[seen->count] = name;
        seen->lines[seen->count++] = scan->line;
    }
    return true;
}

/* libConfuse gives '|' and '=' in names a meaning of their own. */
static bool is_name(struct am_span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!am_is_alnum((unsigned char)word.ptr[i]) && word.ptr[i] != '_' && word.ptr[i] != '-')
            return false;
    return word.len > 0;
}

static bool check_name(struct scan *scan)
{
    struct am_span word = scan->last_string;

    if (scan->last != TOKEN_STRING)
        return FAIL(scan, "\"=\" without an option's name in front%s", "");
    if (word.len > 0 && word.ptr[word.len - 1] == '+')
        return FAIL(scan, "\"+=\" is not used here; write the whole list after \"%s\"", "=");
    if (!is_name(word))
        return FAIL(scan, "\"%.*s\" is not an option's name", shown(word), word.ptr);
    return true;
}

static bool take_equals(struct scan *scan)
{
    if (!check_name(scan))
        return false;
    return scan->place != IN_SECTION || see(scan, &scan->options, "option");
}

static bool take_open(struct scan *scan)
{
    if (scan->last == TOKEN_EQUALS) {
        scan->outside_list = scan->place;
        scan->place = IN_LIST;
        scan->list_line = scan->line;
        return true;
    }
    if (scan->place == IN_LIST)
        return FAIL(scan, "a second \"{\" inside the list that began in line %u; lists do not nest",
                    scan->list_line);
    if (scan->place == IN_SECTION)
        return FAIL(scan,
                    "a section begins inside the section that began in line %u; close that one "
                    "with \"}\" first, or write \"=\" in front of a list",
                    scan->section_line);
    if (scan->last != TOKEN_STRING)
        return FAIL(scan, "\"{\" without a section's name in front%s", "");
    if (scan->before_last != TOKEN_STRING) {
        if (!is_name(scan->last_string))
            return FAIL(scan, "\"%.*s\" is not a section's name", shown(scan->last_string),
                        scan->last_string.ptr);
        if (!see(scan, &scan->sections, "section"))
            return false;
    }
    scan->place = IN_SECTION;
    scan->section_line = scan->line;
    scan->options.count = 0;
    return true;
}

static bool take_close(struct scan *scan)
{
    if (scan->place == IN_FILE)
        return FAIL(scan, "\"}\" closes nothing; remove it%s", "");
    scan->place = scan->place == IN_LIST ? scan->outside_list : IN_FILE;
    return true;
}

static void push(struct scan *scan, enum token token)
{
    scan->before_last = scan->last;
    scan->last = token;
}

/* Takes one of the marks { } = , and writes it. */
static bool take_mark(struct scan *scan, char mark)
{
    enum token token = TOKEN_COMMA;
    bool good = true;

    if (mark == '=') {
        token = TOKEN_EQUALS;
        good = take_equals(scan);
    } else if (mark == '{') {
        token = TOKEN_OPEN;
        good = take_open(scan);
    } else if (mark == '}') {
        token = TOKEN_CLOSE;
        good = take_close(scan);
    }
    push(scan, token);
    am_buf_add_char(scan->out, mark);
    scan->at++;
    return good;
}

static bool take_string(struct scan *scan, struct am_span content)
{
    if (!am_utf8_is_valid(content))
        return FAIL(scan, "this line holds bytes that are not UTF-8; save the file as %s", "UTF-8");
    push(scan, TOKEN_STRING);
    scan->last_string = content;
    return true;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7F;
}

/* Judges a character inside quotes; returns how many bytes to go on by, 0 after a sentence. */
static size_t judge_quoted(struct scan *scan, char quote)
{
    char c = peek(scan, 0), next = peek(scan, 1);

    if (is_control(c)) {
        FAIL(scan, "a control character stands inside quotes; remove it%s", "");
        return 0;
    }
    if (c == '\\' && quote == '\'')
        return next == '\'' || next == '\\' ? 2 : 1;
    if (c == '\\') {
        if (next != '\0' && strchr("\\\"$nt", next) != NULL)
            return 2;
        FAIL(scan, "a backslash in double quotes goes before one of \\ \" $ n t; double it%s", "");
        return 0;
    }
    if (c == '$' && next == '{' && quote == '"') {
        FAIL(scan,
             "\"${\" looks like an environment variable, which is not put in here; write the "
             "value itself, or \"\\${\" for the two characters%s",
             "");
        return 0;
    }
    return 1;
}

/* Takes a quoted string as it stands; it ends on its line. */
static bool take_quoted(struct scan *scan, char quote)
{
    size_t start = scan->at++;

    while (scan->at < scan->text.len && peek(scan, 0) != '\n' && peek(scan, 0) != '\r') {
        size_t step;
        if (peek(scan, 0) == quote) {
            scan->at++;
            am_buf_add(scan->out, am_span_of(scan->text.ptr + start, scan->at - start));
            return take_string(scan, am_span_of(scan->text.ptr + start + 1, scan->at - start - 2));
        }
        step = judge_quoted(scan, quote);
        if (step == 0)
            return false;
        scan->at += step;
    }
    return FAIL(scan, "a string is not closed on its line; the %s quote is missing",
                quote == '"' ? "second double" : "second single");
}

static bool ends_word(char c)
{
    return c == '\0' || (unsigned char)c <= ' ' || strchr("#\"'{}=,", c) != NULL;
}

/* Takes a bare word and writes it quoted, so that every character of it counts. */
static bool take_word(struct scan *scan)
{
    size_t start = scan->at;
    struct am_span word;

    while (scan->at < scan->text.len && !ends_word(peek(scan, 0)))
        scan->at++;
    word = am_span_of(scan->text.ptr + start, scan->at - start);
    if (word.len == 0 || memchr(word.ptr, 0x7F, word.len) != NULL)
        return FAIL(scan, "a control character (byte %u) stands here; remove it",
                    (unsigned)(unsigned char)(word.len == 0 ? peek(scan, 0) : 0x7F));
    if (word.ptr[word.len - 1] == ';')
        return FAIL(scan, "\";\" does not end anything here; remove it%s", "");
    if (word.ptr[word.len - 1] == '$' && peek(scan, 0) == '{')
        return FAIL(scan,
                    "\"${\" looks like an environment variable, which is not put in here; write "
                    "the value itself%s",
                    "");
    am_buf_add_char(scan->out, '\'');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '\\')
            am_buf_add_char(scan->out, '\\');
        am_buf_add_char(scan->out, word.ptr[i]);
    }
    am_buf_add_char(scan->out, '\'');
    return take_string(scan, word);
}

static void skip_line(struct scan *scan)
{
    while (scan->at < scan->text.len && peek(scan, 0) != '\n')
        scan->at++;
}

static void take_newline(struct scan *scan)
{
    scan->line++;
    scan->at++;
    am_buf_add_char(scan->out, '\n');
}

static bool skip_block_comment(struct scan *scan)
{
    unsigned begin = scan->line;

    for (scan->at += 2; scan->at < scan->text.len;) {
        if (peek(scan, 0) == '*' && peek(scan, 1) == '/') {
            scan->at += 2;
            am_buf_add_char(scan->out, ' ');
            return true;
        }
        if (peek(scan, 0) == '\n')
            take_newline(scan);
        else
            scan->at++;
    }
    scan->line = begin;
    return FAIL(scan, "the comment that begins here has no end; add \"%s\"", "*/");
}

static bool take_next(struct scan *scan)
{
    char c = peek(scan, 0);

    if (c == '\n') {
        take_newline(scan);
    } else if (c == ' ' || c == '\t' || c == '\r') {
        am_buf_add_char(scan->out, ' ');
        scan->at++;
    } else if (c == '#' || (c == '/' && peek(scan, 1) == '/')) {
        skip_line(scan);
    } else if (c == '/' && peek(scan, 1) == '*') {
        return skip_block_comment(scan);
    } else if (c == '"' || c == '\'') {
        return take_quoted(scan, c);
    } else if (c != '\0' && strchr("{}=,", c) != NULL) {
        return take_mark(scan, c);
    } else {
        return take_word(scan);
    }
    return true;
}

bool am_config_scan(struct am_span text, const char *name, struct am_buf *out,
                    struct am_problem *problem)
{
    struct scan scan = {.text = text, .line = 1, .name = name, .out = out, .problem = problem};

    if (memmem(text.ptr, text.len, "\0", 1) != NULL)
        return am_problem_set(problem, "%s: holds a NUL byte; it is not a text file", name);
    /* A byte order mark of some editors is no content. */
    if (text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0)
        scan.at = 3;
    while (scan.at < text.len)
        if (!take_next(&scan))
            return false;
    if (scan.place != IN_FILE) {
        scan.line = scan.place == IN_LIST ? scan.list_line : scan.section_line;
        return FAIL(&scan, "the \"{\" in this line is never closed; add \"%s\"", "}");
    }
    if (out->failed)
        return am_problem_set(problem, "%s: memory is short", name);
    return true;
}
