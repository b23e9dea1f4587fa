#include "common/milter/override.h"

#include "common/milter/override_map.h"

_Static_assert(AM_POLICY_MAX <= 32, "sets of options are 32 bits");

/* A compiled section; empty conditions match everything. */
struct section {
    struct am_netset *client;
    struct am_patterns *sender, *recipient;
    struct am_override_rule rule;
};

struct am_overrides {
    const struct am_policy *base;
    const char *names[AM_POLICY_MAX]; /* of the options; NULL: the place is not used */
    struct section *sections;
    size_t section_count;
    struct am_override_map map;       /* no rows when there is none */
    unsigned possible[AM_POLICY_MAX]; /* sets of actions, of the base policy and all rules */
};

size_t am_override_index(const struct am_option *row)
{
    if (row->choices != am_policy_override_choices)
        return AM_POLICY_MAX;
    return (row->offset - offsetof(struct am_override_conf, policy.action)) / sizeof(int);
}

const struct am_option *am_override_first_row(const struct am_section *section)
{
    const struct am_option *row = section->options;

    while (row->name != NULL && am_override_index(row) == AM_POLICY_MAX)
        row++;
    return row;
}

/* --- opening --- */

static bool changes_something(const struct am_override_conf *conf, const struct am_section *section)
{
    for (const struct am_option *row = section->options; row->name != NULL; row++) {
        size_t index = am_override_index(row);

        if (index < AM_POLICY_MAX && conf->policy.action[index] != AM_POLICY_INHERIT)
            return true;
    }
    return false;
}

/* An override must name whom it is for and change something: anything else is a slip of the pen. */
static bool check(const struct am_override_source *source, const struct am_override_conf *conf,
                  struct am_problem *problem)
{
    const char *section = source->section->name;

    if (conf->client.count == 0 && conf->sender.count == 0 && conf->recipient.count == 0)
        return am_problem_set(problem,
                              "%s \"%s\" names nobody: give it client, sender or recipient",
                              section, conf->title);
    if (!changes_something(conf, source->section))
        return am_problem_set(problem,
                              "%s \"%s\" changes nothing: give it an option such as %s = accept",
                              section, conf->title, am_override_first_row(source->section)->name);
    if (conf->recipient.count > 0 && source->no_recipients != NULL)
        return am_problem_set(problem, "%s \"%s\" has a recipient, but %s", section, conf->title,
                              source->no_recipients);
    return true;
}

bool am_overrides_check(const struct am_override_source *source, const struct am_config *config,
                        struct am_problem *problem)
{
    const char *name = source->section->name;

    for (size_t i = 0; i < am_config_count(config, name); i++)
        if (!check(source, am_config_item(config, name, i), problem))
            return false;
    return true;
}

static void note_actions(struct am_overrides *overrides, const struct am_override_rule *rule)
{
    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        if (rule->action[i] != AM_POLICY_INHERIT)
            overrides->possible[i] |= AM_POLICY_BIT(rule->action[i]);
}

/* Learns from the rows which places of a policy are used. */
static void read_rows(struct am_overrides *overrides, const struct am_section *section)
{
    for (const struct am_option *row = section->options; row->name != NULL; row++) {
        size_t index = am_override_index(row);

        if (index == AM_POLICY_MAX)
            continue;
        overrides->names[index] = row->name;
        overrides->possible[index] = AM_POLICY_BIT(overrides->base->action[index]);
    }
}

static bool compile(struct am_overrides *overrides, struct section *section, struct am_arena *arena,
                    const struct am_override_conf *conf, struct am_problem *problem)
{
    section->client = am_netset_of(arena, &conf->client);
    if (section->client == NULL)
        return am_problem_set(problem, "out of memory");
    section->sender = am_patterns_of(arena, &conf->sender, problem);
    section->recipient = am_patterns_of(arena, &conf->recipient, problem);
    section->rule.source = conf->title;
    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        section->rule.action[i] =
            overrides->names[i] == NULL ? AM_POLICY_INHERIT : (unsigned char)conf->policy.action[i];
    note_actions(overrides, &section->rule);
    return section->sender != NULL && section->recipient != NULL;
}

static bool open_sections(struct am_overrides *overrides, const struct am_conf_env *env,
                          const char *name, struct am_problem *problem)
{
    size_t count = am_config_count(env->config, name);

    overrides->sections = am_arena_alloc(env->arena, (count + 1) * sizeof(*overrides->sections));
    if (overrides->sections == NULL)
        return am_problem_set(problem, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (!compile(overrides, &overrides->sections[i], env->arena,
                     am_config_item(env->config, name, i), problem))
            return false;
    overrides->section_count = count;
    return true;
}

static bool open_map(struct am_overrides *overrides, const struct am_conf_env *env,
                     const struct am_override_source *source, struct am_problem *problem)
{
    struct am_override_map *map = &overrides->map;

    if (source->map_path[0] == '\0')
        return true;
    if (!am_conf_env_watch(env, source->map_path))
        return am_problem_set(problem, "%s: %s cannot be watched for changes", source->map_option,
                              source->map_path);
    if (!am_override_map_load(map, env->arena, source, problem))
        return false;
    for (size_t i = 0; i < map->count; i++)
        note_actions(overrides, &map->rules[i]);
    if (!am_patterns_is_empty(map->recipients) && source->no_recipients != NULL)
        return am_problem_set(problem, "%s: has to: rows, but %s", source->map_path,
                              source->no_recipients);
    return true;
}

struct am_overrides *am_overrides_open(const struct am_conf_env *env,
                                       const struct am_override_source *source,
                                       struct am_problem *problem)
{
    struct am_overrides *overrides = am_arena_alloc(env->arena, sizeof(*overrides));

    if (overrides == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    overrides->base = source->policy;
    read_rows(overrides, source->section);
    if (!open_sections(overrides, env, source->section->name, problem) ||
        !open_map(overrides, env, source, problem))
        return NULL;
    return overrides;
}

unsigned am_overrides_possible(const struct am_overrides *overrides, uint32_t asked)
{
    unsigned set = 0;

    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        if ((asked >> i & 1) != 0)
            set |= overrides->possible[i];
    return set;
}

/* --- deciding --- */

/* The options asked for, filled rule by rule. */
struct choice {
    uint32_t open; /* no rule has decided these yet */
    unsigned char action[AM_POLICY_MAX];
    const struct am_override_rule *rule[AM_POLICY_MAX];
};

static bool matches(const struct section *section, const struct am_override_facts *facts)
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

/* Fills what no earlier rule has decided. */
static void apply_rule(const struct am_override_rule *rule, struct choice *choice)
{
    for (size_t i = 0; i < AM_POLICY_MAX; i++) {
        if ((choice->open >> i & 1) == 0 || rule->action[i] == AM_POLICY_INHERIT)
            continue;
        choice->action[i] = rule->action[i];
        choice->rule[i] = rule;
        choice->open &= ~(UINT32_C(1) << i);
    }
}

static void apply_map(const struct am_override_map *map, const struct am_override_facts *facts,
                      struct choice *choice)
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
        apply_rule(&map->rules[rows[first]], choice);
        rows[first] = AM_TABLE_NONE;
    }
}

struct am_policy_decision am_overrides_decide(const struct am_overrides *overrides,
                                              const struct am_override_facts *facts, uint32_t asked)
{
    struct am_policy_decision decision = {.action = AM_POLICY_ACCEPT};
    struct choice choice = {.open = 0};

    for (size_t i = 0; i < AM_POLICY_MAX; i++)
        if ((asked >> i & 1) != 0 && overrides->names[i] != NULL) {
            choice.open |= UINT32_C(1) << i;
            choice.action[i] = (unsigned char)overrides->base->action[i];
        }
    asked = choice.open;
    for (size_t i = 0; i < overrides->section_count && choice.open != 0; i++)
        if (matches(&overrides->sections[i], facts))
            apply_rule(&overrides->sections[i].rule, &choice);
    if (overrides->map.count > 0 && choice.open != 0)
        apply_map(&overrides->map, facts, &choice);

    for (unsigned i = 0; i < AM_POLICY_MAX; i++) {
        enum am_policy_action action = (enum am_policy_action)choice.action[i];

        if ((asked >> i & 1) != 0 &&
            (decision.option == NULL || am_policy_is_severer(action, decision.action)))
            decision = (struct am_policy_decision){action, i, overrides->names[i], choice.rule[i]};
    }
    return decision;
}

struct am_policy_decision am_overrides_decide_all(const struct am_overrides *overrides,
                                                  const struct am_override_facts *facts,
                                                  const struct am_recipients *recipients,
                                                  uint32_t asked)
{
    struct am_policy_decision severest = {.action = AM_POLICY_ACCEPT};
    struct am_override_facts each = *facts;

    each.recipient = NULL;
    if (recipients->any_unknown || (recipients->first == NULL && !recipients->any_exempt))
        severest = am_overrides_decide(overrides, &each, asked);
    for (const struct am_recipient *one = recipients->first; one != NULL; one = one->next) {
        each.recipient = &one->address;
        struct am_policy_decision decision = am_overrides_decide(overrides, &each, asked);
        if (severest.option == NULL || am_policy_is_severer(decision.action, severest.action))
            severest = decision;
    }
    return severest;
}

const char *am_override_rule_name(struct am_arena *arena, const struct am_override_rule *rule)
{
    if (rule->line == 0)
        return rule->source;
    return am_arena_printf(arena, "%s:%u", rule->source, rule->line);
}
