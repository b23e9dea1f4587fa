#include "common/milter/order.h"

#include <string.h>

/* Returns the position of a module by name, or `count`. */
static size_t find(const struct am_module *const *modules, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(modules[i]->name, name) != 0)
        i++;
    return i;
}

/* Returns the first module that `module` must wait for and that is not placed yet, or `count`. */
static size_t waits_for(const struct am_module *const *modules, size_t count, const bool *placed,
                        const struct am_module *module)
{
    if (module->after == NULL)
        return count;
    for (const char *const *name = module->after; *name != NULL; name++) {
        size_t other = find(modules, count, *name);
        if (other < count && !placed[other])
            return other;
    }
    return count;
}

/* Every module left waits for another one left: following them must come back to one seen before.
 */
static bool name_circle(const struct am_module *const *modules, size_t count, const bool *placed,
                        size_t start, struct am_problem *problem)
{
    size_t seen_at[AM_MODULES_MAX];
    size_t path[AM_MODULES_MAX + 1];
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        seen_at[i] = SIZE_MAX;

    size_t at = start;
    while (seen_at[at] == SIZE_MAX) {
        seen_at[at] = length;
        path[length++] = at;
        at = waits_for(modules, count, placed, modules[at]);
    }
    path[length] = at;

    struct am_buf text;
    am_buf_init(&text, 512);
    for (size_t i = seen_at[at]; i < length; i++)
        am_buf_printf(&text, "%s%s after %s", i == seen_at[at] ? "" : ", ", modules[path[i]]->name,
                      modules[path[i + 1]]->name);
    am_problem_set(problem, "the modules wait for each other in a circle: %s", am_buf_str(&text));
    am_buf_fini(&text);
    return false;
}

static bool check_names(const struct am_module *const *modules, size_t count,
                        struct am_problem *problem)
{
    if (count > AM_MODULES_MAX)
        return am_problem_set(problem, "the program has %zu modules; at most %d are possible",
                              count, AM_MODULES_MAX);
    for (size_t i = 0; i < count; i++)
        if (find(modules, i, modules[i]->name) < i)
            return am_problem_set(problem, "two modules of the program are named \"%s\"",
                                  modules[i]->name);
    return true;
}

bool am_order_sort(const struct am_module *const *modules, size_t count,
                   const struct am_module **sorted, struct am_problem *problem)
{
    bool placed[AM_MODULES_MAX] = {false};
    if (!check_names(modules, count, problem))
        return false;

    for (size_t done = 0; done < count; done++) {
        size_t first_left = count;
        size_t next = count;
        for (size_t i = 0; i < count && next == count; i++) {
            if (placed[i])
                continue;
            if (first_left == count)
                first_left = i;
            if (waits_for(modules, count, placed, modules[i]) == count)
                next = i;
        }
        if (next == count)
            return name_circle(modules, count, placed, first_left, problem);
        placed[next] = true;
        sorted[done] = modules[next];
    }
    return true;
}
