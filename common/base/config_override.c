#include "common/base/config_internal.h"

static bool unknown(const char *text, const char *kind, const char *name, const char *nearest,
                    struct am_problem *problem)
{
    return am_problem_set(problem, "-o %.80s: unknown %s \"%.60s\"%s%s%s", text, kind, name,
                          nearest != NULL ? "; did you mean \"" : "",
                          nearest != NULL ? nearest : "; --list-options shows what there is",
                          nearest != NULL ? "\"?" : "");
}

/* Sets `section_name`.`option_name`, both split off `text` before. */
static bool apply(struct am_config *config, const char *text, const char *section_name,
                  const char *option_name, const char *value, struct am_problem *problem)
{
    struct am_config_slot *slot = am_config_slot(config, section_name);
    const struct am_option *row;
    struct am_problem own;

    if (slot == NULL)
        return unknown(text, "section", section_name,
                       am_schema_nearest(config->schema, NULL, section_name), problem);
    if (slot->section->repeated)
        return am_problem_set(problem,
                              "-o %.80s: section \"%s\" may come many times and cannot be set "
                              "with -o; write it into the file",
                              text, section_name);
    row = am_section_find(slot->section, option_name);
    if (row == NULL)
        return unknown(text, "option", option_name,
                       am_schema_nearest(config->schema, slot->section, option_name), problem);
    if (am_option_parse(row, value, slot->items[0], config->arena, &own))
        return true;
    return am_problem_set(problem, "-o %s.%s", section_name, own.text);
}

bool am_config_override(struct am_config *config, const char *text, struct am_problem *problem)
{
    const char *equals = strchr(text, '=');
    const char *dot = strchr(text, '.');
    char *section_name, *option_name;

    if (equals == NULL || dot == NULL || dot > equals || dot == text || dot + 1 == equals)
        return am_problem_set(problem,
                              "-o %.80s: write section.name=value, as in -o dns.timeout=2s", text);
    section_name = am_arena_copy(config->arena, am_span_of(text, (size_t)(dot - text)));
    option_name = am_arena_copy(config->arena, am_span_of(dot + 1, (size_t)(equals - dot - 1)));
    if (section_name == NULL || option_name == NULL)
        return am_problem_set(problem, "-o %.80s: memory is short", text);
    return apply(config, text, section_name, option_name, equals + 1, problem);
}
