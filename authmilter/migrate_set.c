#include "authmilter/migrate_set.h"

#include <string.h>
#include <strings.h>

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

const char *migrate_path(const struct migrate *migrate, const char *path)
{
    if (path[0] == '/')
        return path;
    return migrate->base == NULL ? NULL
                                 : am_arena_printf(migrate->arena, "%s/%s", migrate->base, path);
}

/* Takes the next row off the text. Returns false at its end. */
static bool next_row(struct am_span *text, bool is_list, struct am_span *row, size_t *line)
{
    while (text->len > 0) {
        size_t end = am_span_find(*text, is_list ? ',' : '\n');
        size_t next = end < text->len ? end + 1 : end;

        *row = am_span_of(text->ptr, end);
        *text = am_span_of(text->ptr + next, text->len - next);
        ++*line;
        if (!is_list)
            row->len = am_span_find(*row, '#');
        *row = am_span_trim(*row);
        if (row->len > 0)
            return true;
    }
    return false;
}

static bool split(struct migrate *migrate, struct am_span text, bool is_list,
                  struct migrate_row *row)
{
    size_t end = 0;

    while (end < text.len &&
           (is_list ? text.ptr[end] != '=' : text.ptr[end] != ' ' && text.ptr[end] != '\t'))
        end++;
    size_t from = is_list && end < text.len ? end + 1 : end;
    row->key = am_arena_copy(migrate->arena, am_span_trim(am_span_of(text.ptr, end)));
    row->value =
        am_arena_copy(migrate->arena, am_span_trim(am_span_of(text.ptr + from, text.len - from)));
    return row->key != NULL && row->value != NULL;
}

static bool read_rows(struct migrate *migrate, struct am_span text, bool is_list,
                      struct migrate_set_rows *out)
{
    struct am_span rest = text, row;
    size_t line = 0, count = 0;

    while (next_row(&rest, is_list, &row, &line))
        count++;
    out->rows = am_arena_alloc(migrate->arena, (count + 1) * sizeof(*out->rows));
    for (line = 0; out->rows != NULL && next_row(&text, is_list, &row, &line);) {
        out->rows[out->count].line = is_list ? 0 : line;
        if (!split(migrate, row, is_list, &out->rows[out->count++]))
            return false;
    }
    return out->rows != NULL;
}

static bool read_file(struct migrate *migrate, const struct migrate_line *line, const char *name,
                      struct migrate_set_rows *out)
{
    const char *path = migrate_path(migrate, name);
    struct am_problem problem;

    if (path == NULL) {
        migrate_say(migrate, MIGRATE_MEND, line,
                    "%s is no full path, and nobody knows where it begins: write the full one",
                    name);
        return false;
    }
    struct am_span text = migrate_file_read(migrate->arena, path, &problem);
    if (text.ptr != NULL && am_span_find(text, '\0') == text.len)
        return read_rows(migrate, text, false, out);
    migrate_say(migrate, MIGRATE_MEND, line, "%s",
                text.ptr == NULL ? problem.text : "the file holds a NUL: it is no text");
    return false;
}

/* Tells whether a text begins as a kind of data set that only OpenDKIM knows. */
static bool is_database(const char *text)
{
    static const char *const kinds[] = {
        "db:",  "bdb:",  "dsn:",    "ldap:",   "ldaps:",    "ldapi:", "lua:",
        "mdb:", "odbx:", "repute:", "socket:", "memcache:", "erlang:"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (after(text, kinds[i]) != NULL)
            return true;
    return false;
}

bool migrate_set_read(struct migrate *migrate, const struct migrate_line *line,
                      struct migrate_set_rows *out)
{
    const char *text = line->value, *path;

    *out = (struct migrate_set_rows){.rows = NULL};
    if (is_database(text)) {
        migrate_say(migrate, MIGRATE_NONE, line,
                    "data sets of this kind are not read: let a script write a text file, or a "
                    "database of SQLite for the tables of keys");
        return false;
    }
    if ((path = after(text, "refile:")) != NULL) {
        out->patterns = true;
        return read_file(migrate, line, path, out);
    }
    if ((path = after(text, "file:")) != NULL || text[0] == '/' || strncmp(text, "./", 2) == 0 ||
        strncmp(text, "../", 3) == 0)
        return read_file(migrate, line, path != NULL ? path : text, out);
    path = after(text, "csl:");
    return read_rows(migrate, am_span_str(path != NULL ? path : text), true, out);
}
