#include "common/map/rows.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/utf8.h"
#include "common/map/rows_sqlite.h"

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

bool am_rows_name_split(struct am_rows_name *out, const char *text, struct am_problem *problem)
{
    const char *path = after(text, "file:");
    *out = (struct am_rows_name){.path = text};
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

void am_rows_open_text(struct am_rows *table, const char *path, struct am_span text,
                       const struct am_rows_kind *kind)
{
    *table = (struct am_rows){.kind = kind, .path = path, .rest = text};
    table->rows = count_rows(text);
    if (table->rows > AM_ROWS_COUNT_MAX)
        table->rows = AM_ROWS_COUNT_MAX;
}

bool am_rows_open(struct am_rows *table, const struct am_rows_name *name,
                  const struct am_rows_kind *kind, struct am_problem *problem)
{
    *table = (struct am_rows){.kind = kind, .path = name->path, .is_sqlite = name->is_sqlite};
    if (name->is_sqlite) {
        table->sqlite = am_rows_sqlite_open(name->path, kind, &table->rows, problem);
        return table->sqlite != NULL;
    }
    am_buf_init(&table->text, AM_ROWS_BYTES_MAX);
    if (!am_file_read(name->path, &table->text, problem))
        return false;
    struct am_buf text = table->text;
    am_rows_open_text(table, name->path, am_buf_span(&text), kind);
    table->text = text;
    return true;
}

void am_rows_close(struct am_rows *table)
{
    am_rows_sqlite_close(table->sqlite);
    table->sqlite = NULL;
    am_buf_fini(&table->text);
}

void am_rows_place(const struct am_rows *table, size_t line, struct am_problem *place)
{
    if (!table->is_sqlite)
        am_problem_set(place, "%s:%zu", table->path, line);
    else
        am_problem_set(place, "%s: %s, row %zu", table->path, table->kind->table, line);
}

/* A NUL separates nothing: it is to be seen, and refused. */
static bool is_separator(char c, const char *also)
{
    return is_blank(c) || (c != '\0' && strchr(also, c) != NULL);
}

struct am_span am_rows_word(struct am_span *text, const char *also)
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
static bool next_line(struct am_rows *table, struct am_span *line)
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

static enum am_rows_step next_text(struct am_rows *table, struct am_span *columns,
                                   struct am_problem *problem)
{
    struct am_span line;
    if (!next_line(table, &line))
        return AM_ROWS_END;
    if (line.len > AM_ROWS_LINE_MAX) {
        am_problem_set(problem, "the line has %zu octets, more than the %d of a row", line.len,
                       AM_ROWS_LINE_MAX);
        return AM_ROWS_BROKEN;
    }
    if (table->kind->split != NULL) {
        table->kind->split(line, columns);
    } else {
        columns[0] = am_rows_word(&line, "");
        columns[1] = am_span_trim(line);
    }
    return AM_ROWS_ROW;
}

/* What no row may hold, wherever it comes from. */
static enum am_rows_step check_octets(const struct am_rows_kind *kind,
                                      const struct am_span *columns, struct am_problem *problem)
{
    for (size_t i = 0; i < AM_ROWS_COLUMNS_MAX; i++) {
        if (kind->columns[i].is_key)
            continue;
        for (size_t k = 0; k < columns[i].len; k++) {
            unsigned char c = (unsigned char)columns[i].ptr[k];
            if ((c < ' ' && c != '\t') || c == 0x7f) {
                am_problem_set(problem, "the row holds a control character (0x%02x)", c);
                return AM_ROWS_BROKEN;
            }
        }
        if (!am_utf8_is_valid(columns[i])) {
            am_problem_set(problem, "the row is not UTF-8");
            return AM_ROWS_BROKEN;
        }
    }
    return AM_ROWS_ROW;
}

enum am_rows_step am_rows_next(struct am_rows *table, struct am_span columns[AM_ROWS_COLUMNS_MAX],
                               struct am_problem *problem)
{
    memset(columns, 0, AM_ROWS_COLUMNS_MAX * sizeof(*columns));
    if (table->is_sqlite)
        table->line++;
    enum am_rows_step step = table->sqlite != NULL
                                 ? am_rows_sqlite_next(table->sqlite, columns, problem)
                                 : next_text(table, columns, problem);
    return step == AM_ROWS_ROW ? check_octets(table->kind, columns, problem) : step;
}
