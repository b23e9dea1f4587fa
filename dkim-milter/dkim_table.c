#include "dkim-milter/dkim_table.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/utf8.h"
#include "dkim-milter/dkim_keys_sqlite.h"

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

bool dkim_table_name_split(struct dkim_table_name *out, const char *text,
                           struct am_problem *problem)
{
    const char *path = after(text, "file:");
    *out = (struct dkim_table_name){.path = text};
    if (path == NULL)
        path = after(text, "refile:");
    if (path == NULL && (path = after(text, "sqlite:")) != NULL)
        out->is_sqlite = true;
    if (path != NULL)
        out->path = path;
    if (out->path[0] == '/')
        return true;
    if (path == NULL && strchr(text, ':') != NULL && strchr(text, '/') != text)
        return am_problem_set(problem,
                              "\"%s\" is no kind of table that is known here: write the full path "
                              "of a file, or sqlite: and the full path of a database",
                              text);
    return am_problem_set(problem, "\"%s\" is no full path: let it begin with a slash", out->path);
}

/* --- text --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Counts the lines that are neither blank nor a comment. */
static size_t count_rows(struct am_span text)
{
    size_t count = 0;
    bool fresh = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n') {
            fresh = true;
        } else if (fresh && !is_blank(c)) {
            count += c != '#';
            fresh = false;
        }
    }
    return count;
}

void dkim_table_open_text(struct dkim_table *table, const char *path, struct am_span text,
                          enum dkim_table_what what)
{
    *table = (struct dkim_table){.what = what, .path = path, .rest = text};
    table->rows = count_rows(text);
    if (table->rows > DKIM_TABLE_ROWS_MAX)
        table->rows = DKIM_TABLE_ROWS_MAX;
}

bool dkim_table_open(struct dkim_table *table, const struct dkim_table_name *name,
                     enum dkim_table_what what, struct am_problem *problem)
{
    *table = (struct dkim_table){.what = what, .path = name->path, .is_sqlite = name->is_sqlite};
    if (name->is_sqlite) {
        table->sqlite = dkim_sqlite_open(name->path, what, &table->rows, problem);
        return table->sqlite != NULL;
    }
    am_buf_init(&table->text, DKIM_TABLE_BYTES_MAX);
    if (!am_file_read(name->path, &table->text, problem))
        return false;
    struct am_buf text = table->text;
    dkim_table_open_text(table, name->path, am_buf_span(&text), what);
    table->text = text;
    return true;
}

void dkim_table_close(struct dkim_table *table)
{
    dkim_sqlite_close(table->sqlite);
    table->sqlite = NULL;
    am_buf_fini(&table->text);
}

void dkim_table_place(const struct dkim_table *table, size_t line, struct am_problem *place)
{
    if (!table->is_sqlite)
        am_problem_set(place, "%s:%zu", table->path, line);
    else
        am_problem_set(place, "%s: %s, row %zu", table->path, dkim_sqlite_table_name(table->what),
                       line);
}

/* A NUL separates nothing: it is to be seen, and refused. */
static bool is_separator(char c, const char *also)
{
    return is_blank(c) || (c != '\0' && strchr(also, c) != NULL);
}

struct am_span dkim_table_word(struct am_span *text, const char *also)
{
    struct am_span rest = *text;
    size_t from = 0, end;
    if (rest.len == 0)
        return rest;
    while (from < rest.len && is_separator(rest.ptr[from], also))
        from++;
    for (end = from; end < rest.len && !is_separator(rest.ptr[end], also);)
        end++;
    *text = am_span_of(rest.ptr + end, rest.len - end);
    return am_span_of(rest.ptr + from, end - from);
}

static struct am_span without_comment(struct am_span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '#' && (i == 0 || is_blank(line.ptr[i - 1])))
            line.len = i;
    return am_span_trim(line);
}

/* Takes the next line that says something. */
static bool next_line(struct dkim_table *table, struct am_span *line)
{
    while (table->rest.len > 0) {
        struct am_span rest = table->rest;
        size_t end = am_span_find(rest, '\n');
        size_t next = end < rest.len ? end + 1 : end;
        table->rest = am_span_of(rest.ptr + next, rest.len - next);
        table->line++;
        *line = without_comment(am_span_of(rest.ptr, end));
        if (line->len > 0)
            return true;
    }
    return false;
}

/* "DOMAIN:SELECTOR:FILE" in place of three words. */
static void split_colons(struct am_span columns[DKIM_TABLE_COLUMNS])
{
    struct am_span word = columns[DKIM_KEY_DOMAIN];
    size_t first = am_span_find(word, ':');
    if (first == word.len)
        return;
    struct am_span rest = am_span_of(word.ptr + first + 1, word.len - first - 1);
    size_t second = am_span_find(rest, ':');
    if (second == rest.len)
        return;
    columns[DKIM_KEY_DOMAIN].len = first;
    columns[DKIM_KEY_SELECTOR] = am_span_of(rest.ptr, second);
    columns[DKIM_KEY_FILE] = am_span_of(rest.ptr + second + 1, rest.len - second - 1);
}

static enum dkim_table_step next_text(struct dkim_table *table, struct am_span *columns,
                                      struct am_problem *problem)
{
    struct am_span line;
    if (!next_line(table, &line))
        return DKIM_TABLE_END;
    if (line.len > DKIM_TABLE_LINE_MAX) {
        am_problem_set(problem, "the line has %zu octets, more than the %d of a row", line.len,
                       DKIM_TABLE_LINE_MAX);
        return DKIM_TABLE_BROKEN;
    }
    columns[0] = dkim_table_word(&line, "");
    if (table->what == DKIM_TABLE_SIGNING) {
        columns[DKIM_SIGNING_KEYS] = am_span_trim(line);
        return DKIM_TABLE_ROW;
    }
    columns[DKIM_KEY_DOMAIN] = dkim_table_word(&line, "");
    split_colons(columns);
    if (columns[DKIM_KEY_FILE].len == 0) {
        columns[DKIM_KEY_SELECTOR] = dkim_table_word(&line, "");
        columns[DKIM_KEY_FILE] = dkim_table_word(&line, "");
    }
    columns[DKIM_KEY_OPTIONS] = am_span_trim(line);
    return DKIM_TABLE_ROW;
}

/* What no row may hold, wherever it comes from. */
static enum dkim_table_step check_octets(const struct am_span *columns, struct am_problem *problem)
{
    for (size_t i = 0; i < DKIM_TABLE_COLUMNS; i++) {
        if (i == DKIM_KEY_PEM)
            continue;
        for (size_t k = 0; k < columns[i].len; k++) {
            unsigned char c = (unsigned char)columns[i].ptr[k];
            if ((c < ' ' && c != '\t') || c == 0x7f) {
                am_problem_set(problem, "the row holds a control character (0x%02x)", c);
                return DKIM_TABLE_BROKEN;
            }
        }
        if (!am_utf8_is_valid(columns[i])) {
            am_problem_set(problem, "the row is not UTF-8");
            return DKIM_TABLE_BROKEN;
        }
    }
    return DKIM_TABLE_ROW;
}

enum dkim_table_step dkim_table_next(struct dkim_table *table,
                                     struct am_span columns[DKIM_TABLE_COLUMNS],
                                     struct am_problem *problem)
{
    memset(columns, 0, DKIM_TABLE_COLUMNS * sizeof(*columns));
    if (table->is_sqlite)
        table->line++;
    enum dkim_table_step step = table->sqlite != NULL
                                    ? dkim_sqlite_next(table->sqlite, columns, problem)
                                    : next_text(table, columns, problem);
    return step == DKIM_TABLE_ROW ? check_octets(columns, problem) : step;
}
