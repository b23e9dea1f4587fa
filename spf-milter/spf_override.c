#include "spf-milter/spf_override.h"

#include "spf-milter/spf_override_map.h"

/* A compiled `override` section; empty conditions match everything. */
struct section {
    struct am_netset *client;
    struct am_patterns *sender, *recipient;
    struct spf_override_rule rule;
};

struct spf_overrides {
    struct section *sections;
    size_t section_count;
    struct spf_override_map map;                            /* no rows when there is none */
    unsigned actions[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT]; /* sets of 1 << enum spf_action */
};

static void note_actions(struct spf_overrides *overrides, const struct spf_override_rule *rule)
{
    for (int i = 0; i < SPF_IDENTITY_COUNT; i++)
        for (int j = 0; j < SPF_RESULT_COUNT; j++)
            if (rule->action[i][j] != SPF_ACTION_INHERIT)
                overrides->actions[i][j] |= 1U << rule->action[i][j];
}

static bool compile(struct section *section, struct am_arena *arena,
                    const struct spf_override_conf *conf, struct am_problem *problem)
{
    section->client = am_netset_of(arena, &conf->client);
    if (section->client == NULL)
        return am_problem_set(problem, "out of memory");
    section->sender = am_patterns_of(arena, &conf->sender, problem);
    section->recipient = am_patterns_of(arena, &conf->recipient, problem);
    section->rule.source = conf->title;
    for (int i = 0; i < SPF_IDENTITY_COUNT; i++)
        for (int j = 0; j < SPF_RESULT_COUNT; j++)
            section->rule.action[i][j] = (unsigned char)conf->policy.action[i][j];
    return section->sender != NULL && section->recipient != NULL;
}

static bool open_sections(struct spf_overrides *overrides, struct am_arena *arena,
                          const struct am_config *config, struct am_problem *problem)
{
    size_t count = am_config_count(config, "override");

    overrides->sections = am_arena_alloc(arena, (count + 1) * sizeof(*overrides->sections));
    if (overrides->sections == NULL)
        return am_problem_set(problem, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct section *section = &overrides->sections[i];

        if (!compile(section, arena, am_config_item(config, "override", i), problem))
            return false;
        note_actions(overrides, &section->rule);
    }
    overrides->section_count = count;
    return true;
}

static bool open_map(struct spf_overrides *overrides, struct am_arena *arena,
                     const struct spf_conf *conf, struct am_problem *problem)
{
    struct spf_override_map *map = &overrides->map;

    if (conf->override_map[0] == '\0')
        return true;
    if (!spf_override_map_load(map, arena, conf->override_map, problem))
        return false;
    for (size_t i = 0; i < map->count; i++)
        note_actions(overrides, &map->rules[i]);
    if (!am_patterns_is_empty(map->recipients) && conf->reject_at == SPF_REJECT_AT_MAIL)
        return am_problem_set(problem,
                              "%s: has to: rows, but with spf.reject_at = mail no recipient is "
                              "known: set spf.reject_at = rcpt",
                              conf->override_map);
    return true;
}

struct spf_overrides *spf_overrides_open(struct am_arena *arena, const struct am_config *config,
                                         const struct spf_conf *conf, struct am_problem *problem)
{
    struct spf_overrides *overrides = am_arena_alloc(arena, sizeof(*overrides));

    if (overrides == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    if (!open_sections(overrides, arena, config, problem) ||
        !open_map(overrides, arena, conf, problem))
        return NULL;
    return overrides;
}

bool spf_overrides_is_empty(const struct spf_overrides *overrides)
{
    return overrides->section_count == 0 && overrides->map.count == 0;
}

unsigned spf_overrides_actions(const struct spf_overrides *overrides, enum spf_identity identity,
                               enum spf_result result)
{
    return overrides->actions[identity][result];
}

static bool matches(const struct section *section, const struct spf_facts *facts)
{
    if (!am_netset_is_empty(section->client) &&
        am_netset_find(section->client, &facts->client) == AM_TABLE_NONE)
        return false;
    if (!am_patterns_is_empty(section->sender) &&
        am_patterns_find(section->sender, facts->arena, facts->sender) == AM_TABLE_NONE)
        return false;
    if (!am_patterns_is_empty(section->recipient) &&
        (facts->recipient == NULL ||
         am_patterns_find(section->recipient, facts->arena, facts->recipient) == AM_TABLE_NONE))
        return false;
    return true;
}

/* Fills what no earlier rule has decided; `open` marks those options. */
static void apply_rule(const struct spf_override_rule *rule, struct spf_effective *effective,
                       bool open[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT])
{
    for (int i = 0; i < SPF_IDENTITY_COUNT; i++)
        for (int j = 0; j < SPF_RESULT_COUNT; j++) {
            if (!open[i][j] || rule->action[i][j] == SPF_ACTION_INHERIT)
                continue;
            effective->policy.action[i][j] = rule->action[i][j];
            effective->rule[i][j] = rule;
            open[i][j] = false;
        }
}

static void apply_map(const struct spf_override_map *map, const struct spf_facts *facts,
                      struct spf_effective *effective,
                      bool open[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT])
{
    uint32_t rows[3] = {
        am_netset_find(map->clients, &facts->client),
        am_patterns_find(map->senders, facts->arena, facts->sender),
        facts->recipient == NULL
            ? AM_TABLE_NONE
            : am_patterns_find(map->recipients, facts->arena, facts->recipient),
    };

    /* In file order: AM_TABLE_NONE is the largest number and ends the walk. */
    for (;;) {
        int first = 0;

        for (int i = 1; i < 3; i++)
            if (rows[i] < rows[first])
                first = i;
        if (rows[first] == AM_TABLE_NONE)
            return;
        apply_rule(&map->rules[rows[first]], effective, open);
        rows[first] = AM_TABLE_NONE;
    }
}

void spf_overrides_apply(const struct spf_overrides *overrides, const struct spf_policy *base,
                         const struct spf_facts *facts, struct spf_effective *effective)
{
    bool open[SPF_IDENTITY_COUNT][SPF_RESULT_COUNT];

    memset(open, true, sizeof(open));
    memset(effective->rule, 0, sizeof(effective->rule));
    effective->policy = *base;
    for (size_t i = 0; i < overrides->section_count; i++)
        if (matches(&overrides->sections[i], facts))
            apply_rule(&overrides->sections[i].rule, effective, open);
    if (overrides->map.count > 0)
        apply_map(&overrides->map, facts, effective, open);
}

const char *spf_override_rule_name(struct am_arena *arena, const struct spf_override_rule *rule)
{
    if (rule->line == 0)
        return rule->source;
    return am_arena_printf(arena, "%s:%u", rule->source, rule->line);
}
