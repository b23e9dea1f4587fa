#include "common/milter/override_map.h"

#include <errno.h>
#include <stdio.h>

/* A map being read, and where in it. */
struct reader {
    struct am_override_map *map;
    const struct am_section *section;
    struct am_arena *arena;
    const char *path;
    unsigned line;
    struct am_problem *problem;
};

static bool wrong(struct reader *reader, const char *what)
{
    struct am_problem inner;

    am_problem_set(&inner, "%s", what); /* `what` may lie in reader->problem */
    return am_problem_set(reader->problem, "%s:%u: %s", reader->path, reader->line, inner.text);
}

/* Takes the next word off a line. */
static struct am_span next_word(struct am_span *line)
{
    struct am_span rest = am_span_trim(*line);
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != ' ' && rest.ptr[len] != '\t')
        len++;
    *line = am_span_of(rest.ptr + len, rest.len - len);
    return am_span_of(rest.ptr, len);
}

/* Takes a prefix off a key. */
static bool strip(struct am_span *key, const char *prefix)
{
    struct am_span want = am_span_str(prefix);

    if (!am_span_starts_nocase(*key, want))
        return false;
    *key = am_span_of(key->ptr + want.len, key->len - want.len);
    return true;
}

/* Files the row under its key; says where the key stands already. */
static bool add_key(struct reader *reader, struct am_span key, uint32_t index)
{
    struct am_override_map *map = reader->map;
    struct am_problem inner;
    struct am_net net;
    uint32_t held;

    inner.text[0] = '\0';
    if (strip(&key, "client:")) {
        if (!am_net_parse(&net, key, &inner))
            return wrong(reader, inner.text);
        held = am_netset_add(map->clients, &net, index);
    } else if (strip(&key, "from:")) {
        held = am_patterns_add(map->senders, key, index, &inner);
    } else if (strip(&key, "to:")) {
        held = am_patterns_add(map->recipients, key, index, &inner);
    } else {
        return wrong(reader, "a row begins with client:NETWORK, from:SENDER or to:RECIPIENT");
    }
    if (held == AM_TABLE_NONE)
        return wrong(reader, inner.text[0] != '\0' ? inner.text : "out of memory");
    if (held != index) {
        am_problem_set(&inner, "this key stands already in line %u: put both rows into one",
                       map->rules[held].line);
        return wrong(reader, inner.text);
    }
    return true;
}

/* Returns the row of a policy option, or NULL. */
static const struct am_option *find_option(const struct am_section *section, struct am_span name)
{
    for (const struct am_option *row = section->options; row->name != NULL; row++)
        if (am_override_index(row) < AM_POLICY_MAX && am_span_equal(name, am_span_str(row->name)))
            return row;
    return NULL;
}

/* Reads one `name=value` of a row. */
static bool add_option(struct reader *reader, struct am_span word, struct am_override_conf *values)
{
    size_t equals = am_span_find(word, '=');
    const struct am_option *row = find_option(reader->section, am_span_of(word.ptr, equals));
    struct am_problem inner;

    if (equals == word.len || row == NULL) {
        am_problem_set(&inner, "\"%.*s\" is no option of a row: write one such as %s=accept",
                       (int)(word.len > 100 ? 100 : word.len), word.ptr,
                       am_override_first_row(reader->section)->name);
        return wrong(reader, inner.text);
    }
    const char *text =
        am_arena_copy(reader->arena, am_span_of(word.ptr + equals + 1, word.len - equals - 1));
    if (text == NULL)
        return wrong(reader, "out of memory");
    if (!am_option_parse(row, text, values, reader->arena, &inner))
        return wrong(reader, inner.text);
    return true;
}

static bool add_row(struct reader *reader, struct am_span line)
{
    struct am_override_map *map = reader->map;
    struct am_override_rule *rule = &map->rules[map->count];
    struct am_override_conf values = {.title = NULL};
    struct am_span key = next_word(&line), word;
    struct am_problem inner;
    size_t options = 0;

    if (map->count == AM_OVERRIDE_MAP_ROWS_MAX)
        return wrong(reader, "too many rows: a map holds 100000 at most");
    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        values.policy.action[i] = AM_POLICY_INHERIT;
    while ((word = next_word(&line)).len > 0) {
        if (!add_option(reader, word, &values))
            return false;
        options++;
    }
    if (options == 0) {
        am_problem_set(&inner, "the row changes nothing: add an option such as %s=accept",
                       am_override_first_row(reader->section)->name);
        return wrong(reader, inner.text);
    }

    rule->source = reader->path;
    rule->line = reader->line;
    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        rule->action[i] = (unsigned char)values.policy.action[i];
    if (!add_key(reader, key, (uint32_t)map->count))
        return false;
    map->count++;
    return true;
}

/* Counts the lines whose first letter is that of a key's prefix: never fewer than its rows. */
static size_t count_lines(struct am_span text, char letter)
{
    size_t count = 0;
    bool fresh = true; /* nothing but blanks on this line so far */

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        count += fresh && am_lower(c) == letter;
        fresh = c == '\n' || (fresh && (c == ' ' || c == '\t' || c == '\r'));
    }
    return count > AM_OVERRIDE_MAP_ROWS_MAX ? AM_OVERRIDE_MAP_ROWS_MAX : count;
}

/* Makes room for every row of the text. */
static bool prepare(struct reader *reader, struct am_span text)
{
    struct am_override_map *map = reader->map;
    size_t clients = count_lines(text, 'c');
    size_t senders = count_lines(text, 'f');
    size_t recipients = count_lines(text, 't');

    map->capacity = clients + senders + recipients;
    if (map->capacity > AM_OVERRIDE_MAP_ROWS_MAX)
        map->capacity = AM_OVERRIDE_MAP_ROWS_MAX;
    map->rules = am_arena_alloc(reader->arena, (map->capacity + 1) * sizeof(*map->rules));
    map->clients = am_netset_new(reader->arena, clients);
    map->senders = am_patterns_new(reader->arena, senders);
    map->recipients = am_patterns_new(reader->arena, recipients);
    reader->path = am_arena_copy(reader->arena, am_span_str(reader->path));
    return map->rules != NULL && map->clients != NULL && map->senders != NULL &&
           map->recipients != NULL && reader->path != NULL;
}

bool am_override_map_parse(struct am_override_map *map, struct am_arena *arena,
                           const struct am_section *section, const char *path, struct am_span text,
                           struct am_problem *problem)
{
    struct reader reader = {map, section, arena, path, 0, problem};

    *map = (struct am_override_map){.count = 0};
    if (!prepare(&reader, text))
        return am_problem_set(problem, "%s: out of memory", path);
    while (text.len > 0) {
        size_t end = am_span_find(text, '\n');
        struct am_span line = am_span_of(text.ptr, end);

        reader.line++;
        text = end < text.len ? am_span_of(text.ptr + end + 1, text.len - end - 1)
                              : am_span_of(text.ptr + end, 0);
        line.len = am_span_find(line, '#');
        line = am_span_trim(line);
        if (line.len > 0 && !add_row(&reader, line))
            return false;
    }
    return true;
}

bool am_override_map_load(struct am_override_map *map, struct am_arena *arena,
                          const struct am_override_source *source, struct am_problem *problem)
{
    const char *path = source->map_path;
    FILE *file = fopen(path, "re");
    struct am_buf text;
    char chunk[16384];
    size_t got;

    if (file == NULL)
        return am_problem_set(problem, "%s: cannot open %s: %s", source->map_option, path,
                              strerror(errno));
    am_buf_init(&text, AM_OVERRIDE_MAP_BYTES_MAX);
    while (!text.failed && (got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        am_buf_add(&text, am_span_of(chunk, got));

    bool good = !text.failed && !ferror(file);
    if (text.failed)
        am_problem_set(problem, "%s: longer than the 16 MiB a map may have", path);
    else if (!good)
        am_problem_set(problem, "%s: cannot be read: %s", path, strerror(errno));
    else
        good =
            am_override_map_parse(map, arena, source->section, path, am_buf_span(&text), problem);
    am_buf_fini(&text);
    fclose(file);
    return good;
}
