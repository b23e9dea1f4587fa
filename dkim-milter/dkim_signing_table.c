#include "dkim-milter/dkim_signing_table.h"

#include "common/mail/domain.h"
#include "common/mail/pattern.h"

/* As long as the local part of a pattern without "*" may be. */
#define LOCAL_MAX 128

struct glob {
    struct am_span local;  /* lower-case; without a pointer: any */
    struct am_span domain; /* lower-case A-labels */
    struct dkim_signing_row *row;
};

struct dkim_signing_table {
    struct am_arena *arena;
    struct am_patterns *patterns;
    struct dkim_signing_row *rows;
    size_t count, capacity;
    struct glob *globs;
    size_t glob_count;
};

struct dkim_signing_table *dkim_signing_table_new(struct am_arena *arena, size_t capacity)
{
    struct dkim_signing_table *table = am_arena_alloc(arena, sizeof(*table));
    if (table == NULL || capacity >= AM_TABLE_NONE)
        return NULL;
    table->arena = arena;
    table->capacity = capacity;
    table->patterns = am_patterns_new(arena, capacity);
    table->rows = am_arena_alloc(arena, (capacity + 1) * sizeof(*table->rows));
    return table->patterns == NULL || table->rows == NULL ? NULL : table;
}

size_t dkim_signing_table_count(const struct dkim_signing_table *table)
{
    return table->count;
}

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "out of memory");
}

static bool bad_pattern(struct am_span pattern, struct am_problem *problem)
{
    return am_problem_set(problem,
                          "\"%.*s\" is no pattern: write user@example.org, example.org, "
                          ".example.org (with everything below it) or a glob such as "
                          "*@*.example.org",
                          (int)(pattern.len > 200 ? 200 : pattern.len), pattern.ptr);
}

static bool merge(struct dkim_signing_row *row, const struct dkim_signing_row *more,
                  struct am_problem *problem)
{
    for (unsigned i = 0; i < more->count; i++) {
        unsigned k = 0;
        while (k < row->count && row->keys[k] != more->keys[i])
            k++;
        if (k == DKIM_KEYS_PER_MESSAGE_MAX)
            return am_problem_set(problem, "%s has more than %d keys; the first %d are used",
                                  row->pattern, DKIM_KEYS_PER_MESSAGE_MAX,
                                  DKIM_KEYS_PER_MESSAGE_MAX);
        if (k == row->count)
            row->keys[row->count++] = more->keys[i];
    }
    return true;
}

/* Takes a fresh row into use once its pattern stands. */
static bool keep(struct dkim_signing_table *table, struct dkim_signing_row *row,
                 struct am_span pattern, const struct dkim_signing_row *from,
                 struct am_problem *problem)
{
    table->count++; /* used up even when this fails: the pattern points to it already */
    row->line = from->line;
    row->pattern = am_arena_copy(table->arena, pattern);
    if (row->pattern == NULL)
        return no_memory(problem);
    return merge(row, from, problem);
}

/* --- globs --- */

static char *lower(struct am_arena *arena, struct am_span text)
{
    char *copy = am_arena_copy(arena, text);
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        *p = am_lower(*p);
    return copy;
}

/* Tells whether a domain with stars might fit a name; one in U-labels has none within them. */
static bool is_domain_glob(struct am_span ascii, struct am_span written)
{
    bool wide = false, star = false;
    for (size_t i = 0; i < written.len; i++) {
        if (written.ptr[i] == '.')
            wide = star = false;
        wide = wide || (unsigned char)written.ptr[i] >= 0x80;
        star = star || written.ptr[i] == '*';
        if (wide && star)
            return false;
    }
    for (size_t i = 0; i < ascii.len; i++)
        if (!am_is_alnum((unsigned char)ascii.ptr[i]) && strchr("*.-_", ascii.ptr[i]) == NULL)
            return false;
    return ascii.len > 0 && ascii.len <= AM_DOMAIN_MAX;
}

static bool read_glob(struct glob *glob, struct am_arena *arena, struct am_span pattern,
                      struct am_problem *problem)
{
    size_t at = am_span_find_last(pattern, '@');
    struct am_span domain = pattern;
    *glob = (struct glob){.row = NULL};
    if (at < pattern.len) {
        const char *local = at > LOCAL_MAX ? NULL : lower(arena, am_span_of(pattern.ptr, at));
        domain = am_span_of(pattern.ptr + at + 1, pattern.len - at - 1);
        if (local == NULL || at == 0)
            return bad_pattern(pattern, problem);
        glob->local = am_span_str(local);
    }
    const char *ascii = domain.len > 4 * AM_DOMAIN_MAX ? NULL : am_domain_to_ascii(arena, domain);
    if (ascii == NULL || !is_domain_glob(am_span_str(ascii), domain))
        return bad_pattern(pattern, problem);
    glob->domain = am_span_str(ascii);
    return true;
}

static bool is_same(const struct glob *a, const struct glob *b)
{
    return (a->local.ptr == NULL) == (b->local.ptr == NULL) && am_span_equal(a->local, b->local) &&
           am_span_equal(a->domain, b->domain);
}

static bool add_glob(struct dkim_signing_table *table, struct am_span pattern,
                     const struct dkim_signing_row *from, struct am_problem *problem)
{
    struct glob glob;
    if (!read_glob(&glob, table->arena, pattern, problem))
        return false;
    for (size_t i = 0; i < table->glob_count; i++)
        if (is_same(&table->globs[i], &glob))
            return merge(table->globs[i].row, from, problem);
    if (table->glob_count == DKIM_GLOBS_MAX)
        return am_problem_set(problem,
                              "more than %d patterns with \"*\": write .example.org for a "
                              "domain and what is below it",
                              DKIM_GLOBS_MAX);
    if (table->globs == NULL)
        table->globs = am_arena_alloc(table->arena, DKIM_GLOBS_MAX * sizeof(*table->globs));
    if (table->globs == NULL)
        return no_memory(problem);
    glob.row = &table->rows[table->count];
    table->globs[table->glob_count++] = glob;
    return keep(table, glob.row, pattern, from, problem);
}

/* --- rows --- */

bool dkim_signing_table_add(struct dkim_signing_table *table, struct am_span pattern,
                            const struct dkim_signing_row *row, struct am_problem *problem)
{
    char whole[AM_DOMAIN_MAX + 2] = "@";
    struct am_span key = pattern;
    struct am_problem ignored;
    if (pattern.len == 0 || pattern.ptr[pattern.len - 1] == '@' || pattern.ptr[0] == '<')
        return bad_pattern(pattern, problem);
    if (table->count == table->capacity)
        return no_memory(problem);
    /* What OpenDKIM's users write for a domain. */
    if (key.len > 2 && key.ptr[0] == '*' && key.ptr[1] == '@')
        key = am_span_of(key.ptr + 1, key.len - 1);
    if (am_span_find(key, '*') < key.len)
        return add_glob(table, pattern, row, problem);
    /* A set of patterns takes a word without a dot for a local part; here it is a domain. */
    if (am_span_find(key, '@') == key.len && am_span_find(key, '.') == key.len &&
        key.len <= AM_DOMAIN_MAX) {
        memcpy(whole + 1, key.ptr, key.len);
        key = am_span_of(whole, key.len + 1);
    }
    uint32_t held = am_patterns_add(table->patterns, key, (uint32_t)table->count, &ignored);
    if (held == AM_TABLE_NONE)
        return bad_pattern(pattern, problem);
    if (held != table->count)
        return merge(&table->rows[held], row, problem);
    return keep(table, &table->rows[held], pattern, row, problem);
}

static const struct dkim_signing_row *find_glob(const struct dkim_signing_table *table,
                                                const struct am_address *address)
{
    char local[LOCAL_MAX * 2];
    if (address->local.len > sizeof(local))
        return NULL;
    for (size_t i = 0; i < address->local.len; i++)
        local[i] = am_lower(address->local.ptr[i]);
    for (size_t i = 0; i < table->glob_count; i++) {
        const struct glob *glob = &table->globs[i];
        if (dkim_glob_fits(glob->domain, address->domain) &&
            (glob->local.ptr == NULL ||
             dkim_glob_fits(glob->local, am_span_of(local, address->local.len))))
            return glob->row;
    }
    return NULL;
}

const struct dkim_signing_row *dkim_signing_table_find(const struct dkim_signing_table *table,
                                                       struct am_arena *arena,
                                                       const struct am_address *address)
{
    if (address->domain.len == 0)
        return NULL;
    uint32_t held = am_patterns_find(table->patterns, arena, address);
    if (held != AM_TABLE_NONE && table->rows[held].count > 0)
        return &table->rows[held];
    return table->glob_count == 0 ? NULL : find_glob(table, address);
}
