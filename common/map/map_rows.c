#include "common/map/map_internal.h"
#include "common/map/rows.h"
#include "common/mail/pattern.h"

/* Maps that are read once: rows of addresses and what belongs to them. */

struct rows_map {
    struct am_map base;
    struct am_patterns *patterns;
    struct am_map_values *values; /* by the number of a pattern */
};

static enum am_map_answer ask(struct am_map *base, const struct am_map_question *question,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    const struct rows_map *map = (const struct rows_map *)base;
    const struct am_address address = {.local = question->local,
                                       .domain = am_span_str(question->domain)};

    (void)problem;
    uint32_t found = am_patterns_find(map->patterns, arena, &address);
    if (found == AM_TABLE_NONE)
        return AM_MAP_NONE;
    *values = map->values[found];
    return AM_MAP_FOUND;
}

/* A row of a pattern that is there already adds its values. */
static bool add_row(struct rows_map *map, const struct am_span *columns, uint32_t number,
                    struct am_arena *arena, struct am_problem *problem)
{
    uint32_t at = am_patterns_add(map->patterns, columns[0], number, problem);

    return at != AM_TABLE_NONE && am_map_values_add(&map->values[at], arena, columns[1], problem);
}

static bool complain(const struct am_map_env *env, const struct am_rows *rows,
                     const struct am_problem *what)
{
    struct am_problem place;

    am_rows_place(rows, rows->line, &place);
    const char *sentence =
        am_arena_printf(env->arena, "%s: %s; the row is left out", place.text, what->text);
    if (sentence != NULL)
        env->complain(env->user, sentence);
    return sentence != NULL;
}

static bool read_rows(struct rows_map *map, struct am_rows *rows, const struct am_map_env *env,
                      struct am_problem *problem)
{
    struct am_span columns[AM_ROWS_COLUMNS_MAX];
    struct am_problem inner;

    for (uint32_t number = 0;; number++) {
        enum am_rows_step step = am_rows_next(rows, columns, &inner);

        if (step == AM_ROWS_END)
            return true;
        if (step == AM_ROWS_FAILED)
            return am_problem_set(problem, "%s", inner.text);
        if (number >= rows->rows)
            return am_problem_set(problem, "%s has more than %zu rows", rows->path, rows->rows);
        if (step == AM_ROWS_ROW && add_row(map, columns, number, env->arena, &inner))
            continue;
        if (!complain(env, rows, &inner))
            return am_problem_set(problem, "%s: out of memory", rows->path);
    }
}

static bool fill(struct rows_map *map, const struct am_rows_name *name,
                 const struct am_map_env *env, struct am_problem *problem)
{
    struct am_rows rows;
    bool good = am_rows_open(&rows, name, env->rows, problem);

    if (good) {
        map->patterns = am_patterns_new(env->arena, rows.rows);
        map->values = am_arena_alloc(env->arena, (rows.rows + 1) * sizeof(*map->values));
        good = (map->patterns != NULL && map->values != NULL) ||
               am_problem_set(problem, "%s: out of memory", name->path);
    }
    good = good && read_rows(map, &rows, env, problem);
    am_rows_close(&rows);
    return good;
}

struct am_map *am_map_rows_open(const char *text, const struct am_map_env *env,
                                struct am_problem *problem)
{
    struct rows_map *map = am_arena_alloc(env->arena, sizeof(*map));
    struct am_rows_name name;

    if (!am_rows_name_split(&name, text, problem))
        return NULL;
    if (map == NULL || !env->watch(env->user, name.path, name.is_sqlite)) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    map->base.ask = ask;
    return fill(map, &name, env, problem) ? &map->base : NULL;
}
