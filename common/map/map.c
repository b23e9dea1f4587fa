#include "common/map/map.h"

#include <string.h>

#include "common/base/config.h"
#include "common/map/map_internal.h"
#include "common/map/rows.h"

/* --- asking --- */

enum am_map_answer am_map_ask(struct am_map *map, const struct am_map_question *question,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    *values = (struct am_map_values){.count = 0};
    return map->ask(map, question, arena, values, problem);
}

bool am_map_try(struct am_map *map, struct am_problem *problem)
{
    return map->try == NULL || map->try(map, problem);
}

enum am_map_answer am_maps_ask(const struct am_maps *maps, const struct am_map_question *question,
                               struct am_arena *arena, struct am_map_values *values,
                               struct am_problem *problem)
{
    enum am_map_answer answer = AM_MAP_NONE;
    struct am_problem later;

    *values = (struct am_map_values){.count = 0};
    for (size_t i = 0; i < maps->count; i++) {
        enum am_map_answer this = am_map_ask(maps->items[i], question, arena, values,
                                             answer == AM_MAP_FAILED ? &later : problem);
        if (this == AM_MAP_FOUND)
            return this;
        if (this == AM_MAP_FAILED)
            answer = this;
    }
    return answer;
}

/* Makes room by doubling: the arena keeps the former one until the message ends. */
static bool grow(struct am_map_values *values, struct am_arena *arena)
{
    if ((values->count & (values->count - 1)) != 0 || values->count == 1)
        return true;
    const char **items =
        am_arena_alloc(arena, (values->count == 0 ? 2 : 2 * values->count) * sizeof(*items));
    if (items == NULL)
        return false;
    if (values->count > 0)
        memcpy(items, values->items, values->count * sizeof(*items));
    values->items = items;
    return true;
}

bool am_map_values_add(struct am_map_values *values, struct am_arena *arena, struct am_span text,
                       struct am_problem *problem)
{
    struct am_span word;

    if (text.len > AM_MAP_VALUE_BYTES_MAX)
        return am_problem_set(problem, "a value of the answer has %zu octets, more than %d",
                              text.len, AM_MAP_VALUE_BYTES_MAX);
    while ((word = am_rows_word(&text, ",")).len > 0) {
        if (values->count == AM_MAP_VALUES_MAX)
            return am_problem_set(problem, "the answer has more than %d values", AM_MAP_VALUES_MAX);
        if (!grow(values, arena))
            return am_problem_set(problem, "out of memory");
        values->items[values->count] = am_arena_copy(arena, word);
        if (values->items[values->count] == NULL)
            return am_problem_set(problem, "out of memory");
        values->count++;
    }
    return true;
}

/* --- opening --- */

static const char *section_name(const char *text)
{
    return strncmp(text, "map:", 4) == 0 ? text + 4 : NULL;
}

bool am_map_check(const char *text, struct am_problem *problem)
{
    struct am_rows_name name;
    const char *section = section_name(text);

    if (section != NULL)
        return *section != '\0' ||
               am_problem_set(problem,
                              "\"%s\" names no section: write map:NAME for one that "
                              "begins with map \"NAME\"",
                              text);
    return am_rows_name_split(&name, text, problem);
}

static const struct am_map_conf *find_section(const struct am_config *config, const char *name)
{
    size_t count = am_config_count(config, am_map_section.name);

    for (size_t i = 0; i < count; i++) {
        const struct am_map_conf *conf = am_config_item(config, am_map_section.name, i);
        if (strcmp(conf->title, name) == 0)
            return conf;
    }
    return NULL;
}

static struct am_map *open_one(const char *text, const struct am_map_env *env,
                               struct am_problem *problem)
{
    const char *section = section_name(text);
    const struct am_map_conf *conf;

    if (section == NULL)
        return am_map_rows_open(text, env, problem);
    conf = find_section(env->config, section);
    if (conf != NULL)
        return am_map_live_open(conf, env, problem);
    am_problem_set(problem, "\"%s\": there is no section map \"%s\"", text, section);
    return NULL;
}

bool am_maps_open(struct am_maps *maps, const struct am_strlist *texts,
                  const struct am_map_env *env, struct am_problem *problem)
{
    *maps = (struct am_maps){.count = 0};
    if (texts->count == 0)
        return true;
    maps->items = am_arena_alloc(env->arena, texts->count * sizeof(struct am_map *));
    if (maps->items == NULL)
        return am_problem_set(problem, "out of memory");
    for (size_t i = 0; i < texts->count; i++) {
        struct am_map *map = open_one(texts->items[i], env, problem);
        if (map == NULL)
            return false;
        map->name = texts->items[i];
        maps->items[maps->count++] = map;
    }
    return true;
}

void am_maps_close(struct am_maps *maps)
{
    for (size_t i = maps->count; i-- > 0;)
        if (maps->items[i]->close != NULL)
            maps->items[i]->close(maps->items[i]);
    maps->count = 0;
}
