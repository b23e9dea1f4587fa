#include "authmilter/srs_source.h"

#include "authmilter/run_modules.h"
#include "srs-milter/srs_module.h"

/* Of a configuration of "authmilter run" the other checks are left out: their files are of no
 * concern here. */
static const char *const only_srs[] = {"milter.modules=srs"};

struct am_runtime *srs_source_load(const char *path, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    am_schema schema = arena == NULL ? NULL : am_runtime_schema(arena, am_run_modules);
    const struct am_runtime_source source = {
        .modules = am_run_modules,
        .schema = schema,
        .path = path == NULL ? SRS_SOURCE_USUAL : path,
        .overrides = only_srs,
        .override_count = 1,
        .clock = am_clock_system(),
        .check_only = true,
    };
    struct am_runtime *runtime = NULL;

    if (schema == NULL)
        am_problem_set(problem, "out of memory");
    else
        runtime = am_runtime_load(&source, NULL, problem);
    am_arena_free(arena);
    if (runtime != NULL && srs_source_derived(runtime)->scheme.domain == NULL) {
        am_problem_set(problem, "%s: srs.domain is empty: nothing is rewritten", source.path);
        am_snapshot_drop(&runtime->snapshot);
        return NULL;
    }
    return runtime;
}

const struct srs_derived *srs_source_derived(const struct am_runtime *runtime)
{
    return runtime->modules[0].derived;
}
