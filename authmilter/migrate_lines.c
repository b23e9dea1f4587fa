#include <string.h>
#include <strings.h>

#include "authmilter/migrate.h"
#include "common/base/file.h"

#define FILE_MAX ((size_t)16 << 20)

/* As deep as OpenDKIM lets files include each other. */
#define INCLUDE_MAX 5

struct am_span migrate_file_read(struct am_arena *arena, const char *path,
                                 struct am_problem *problem)
{
    struct am_span result = {NULL, 0};
    struct am_buf text;

    am_buf_init(&text, FILE_MAX);
    if (am_file_read(path, &text, problem)) {
        result.ptr = am_arena_copy(arena, am_buf_span(&text));
        result.len = result.ptr == NULL ? 0 : text.len;
        if (result.ptr == NULL)
            am_problem_set(problem, "out of memory");
    }
    am_buf_fini(&text);
    return result;
}

static bool add_line(struct migrate *migrate, const struct migrate_line *line,
                     struct am_problem *problem)
{
    struct migrate_line *copy = am_arena_alloc(migrate->arena, sizeof(*copy)), **end;

    if (copy == NULL || line->name == NULL || line->value == NULL)
        return am_problem_set(problem, "out of memory");
    *copy = *line;
    for (end = &migrate->lines; *end != NULL;)
        end = &(*end)->next;
    *end = copy;
    return true;
}

/* Takes the name off the line; what is left is the value. */
static struct am_span take_name(struct am_span *line, bool equals)
{
    size_t end = 0;

    while (end < line->len && line->ptr[end] != ' ' && line->ptr[end] != '\t' &&
           !(equals && line->ptr[end] == '='))
        end++;
    struct am_span name = am_span_of(line->ptr, end);
    *line = am_span_trim(am_span_of(line->ptr + end, line->len - end));
    if (equals && line->len > 0 && line->ptr[0] == '=')
        *line = am_span_trim(am_span_of(line->ptr + 1, line->len - 1));
    return name;
}

static bool read_file(struct migrate *migrate, const char *path, bool equals, int depth,
                      struct am_problem *problem);

static bool read_line(struct migrate *migrate, struct am_span text, struct migrate_line line,
                      bool equals, int depth, struct am_problem *problem)
{
    text = am_span_trim(am_span_of(text.ptr, am_span_find(text, '#')));
    if (text.len == 0)
        return true;
    if (am_span_find(text, '\0') < text.len)
        return am_problem_set(problem, "%s:%zu holds a NUL: this is no text file", line.file,
                              line.number);
    line.name = am_arena_copy(migrate->arena, take_name(&text, equals));
    line.value = am_arena_copy(migrate->arena, text);
    if (line.name == NULL || line.value == NULL || strcasecmp(line.name, "Include") != 0 || equals)
        return add_line(migrate, &line, problem);
    if (depth == INCLUDE_MAX)
        return am_problem_set(problem, "%s:%zu: files include each other more than %d deep",
                              line.file, line.number, INCLUDE_MAX);
    migrate_say(migrate, MIGRATE_SAME, &line, "read as a part of this file");
    return read_file(migrate, line.value, equals, depth + 1, problem);
}

static bool read_file(struct migrate *migrate, const char *path, bool equals, int depth,
                      struct am_problem *problem)
{
    struct am_span text = migrate_file_read(migrate->arena, path, problem);
    size_t number = 0;

    if (text.ptr == NULL)
        return false;
    while (text.len > 0) {
        size_t end = am_span_find(text, '\n'), next = end < text.len ? end + 1 : end;
        const struct migrate_line line = {.file = path, .number = ++number};

        if (!read_line(migrate, am_span_of(text.ptr, end), line, equals, depth, problem))
            return false;
        text = am_span_of(text.ptr + next, text.len - next);
    }
    return true;
}

bool migrate_lines_read(struct migrate *migrate, bool equals, struct am_problem *problem)
{
    return read_file(migrate, migrate->path, equals, 0, problem);
}

const struct migrate_line *migrate_line_find(const struct migrate *migrate, const char *name)
{
    const struct migrate_line *found = NULL;

    for (const struct migrate_line *line = migrate->lines; line != NULL; line = line->next)
        if (strcasecmp(line->name, name) == 0)
            found = line;
    return found;
}

const char *migrate_value(const struct migrate *migrate, const char *name)
{
    const struct migrate_line *line = migrate_line_find(migrate, name);

    return line == NULL ? NULL : line->value;
}
