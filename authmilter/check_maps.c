#include "authmilter/check_maps.h"

#include <string.h>

#include "author-milter/author_module.h"
#include "author-milter/author_options.h"

/* A map that is named for two uses is tried once. */
static bool is_known(const struct am_strlist *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static void try_one(const struct check_program *program, const char *name, struct am_map *map,
                    struct check_findings *findings)
{
    struct am_problem problem;

    if (am_map_try(map, &problem)) {
        check_found(findings, CHECK_MAP_OK, program->path, "%s can be asked", name);
        return;
    }
    check_found(findings, CHECK_MAP_UNREACHABLE, program->path, "%s: %s", name, problem.text);
    check_mend(findings,
               "start the server, or mend section %s; until then author.unchecked decides", name);
}

static void try_list(const struct check_program *program, const struct am_strlist *names,
                     const struct am_maps *maps, const struct am_strlist *done,
                     struct check_findings *findings)
{
    for (size_t i = 0; i < maps->count; i++)
        if (strncmp(names->items[i], "map:", 4) == 0 &&
            (done == NULL || !is_known(done, names->items[i])))
            try_one(program, names->items[i], maps->items[i], findings);
}

void check_maps(const struct check_programs *programs, struct check_findings *findings)
{
    for (size_t i = 0; i < programs->count; i++) {
        const struct check_program *program = &programs->items[i];
        const struct am_runtime *runtime = program->runtime;

        for (size_t j = 0; runtime != NULL && j < runtime->module_count; j++) {
            if (runtime->modules[j].module != &author_module)
                continue;
            const struct author_conf *conf = runtime->modules[j].conf;
            const struct author_derived *derived = runtime->modules[j].derived;
            try_list(program, &conf->tables, &derived->tables, NULL, findings);
            try_list(program, &conf->domain_tables, &derived->domain_tables, &conf->tables,
                     findings);
        }
    }
}
