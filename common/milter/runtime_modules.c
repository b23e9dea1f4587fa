#include "common/milter/runtime_modules.h"

#include <string.h>

#include "common/milter/order.h"

/* Which of a program's modules run, and in what order. */

static bool is_listed(const struct am_strlist *list, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

static bool is_module(const struct am_module *const *modules, const char *name)
{
    for (; *modules != NULL; modules++)
        if (strcmp((*modules)->name, name) == 0)
            return true;
    return false;
}

/* Each name of a list is that of a module; it need not run. */
static bool check_names(const char *option, const struct am_strlist *names,
                        const struct am_module *const *modules, struct am_problem *problem)
{
    for (size_t i = 0; i < names->count; i++)
        if (!is_module(modules, names->items[i]))
            return am_problem_set(problem, "milter.%s: this program has no module \"%s\"", option,
                                  names->items[i]);
    return true;
}

/* A program with one module has no such option, and the list is empty. */
static bool check_choice(const struct am_strlist *chosen, const struct am_module *const *modules,
                         struct am_problem *problem)
{
    bool has_option = modules[0] != NULL && modules[1] != NULL;

    if (has_option && chosen->count == 0)
        return am_problem_set(problem, "milter.modules: no module is named, so there is nothing to "
                                       "do");
    for (size_t i = 0; i < chosen->count; i++)
        if (is_listed(chosen, i, chosen->items[i]))
            return am_problem_set(problem, "milter.modules: \"%s\" is named twice",
                                  chosen->items[i]);
    return true;
}

static bool check_versions(const struct am_module *const *modules, struct am_problem *problem)
{
    for (; *modules != NULL; modules++)
        if ((*modules)->abi != AM_MODULE_ABI)
            return am_problem_set(problem,
                                  "module \"%s\" was built for version %u of the module contract; "
                                  "this program has version %d",
                                  (*modules)->name, (*modules)->abi, AM_MODULE_ABI);
    return true;
}

static void add_module(struct am_runtime *runtime, const struct am_module *module)
{
    const struct am_milter_options *options = runtime->milter;

    if (options->modules.count > 0 &&
        !is_listed(&options->modules, options->modules.count, module->name))
        return;
    runtime->modules[runtime->module_count++] = (struct am_runtime_module){
        .module = module,
        .conf = module->options == NULL ? NULL : am_config_section(runtime->config, module->name),
        .observe = options->observe || is_listed(&options->observe_modules,
                                                 options->observe_modules.count, module->name),
    };
}

bool am_runtime_list_modules(struct am_runtime *runtime, const struct am_module *const *modules,
                             struct am_problem *problem)
{
    const struct am_milter_options *options = runtime->milter;
    const struct am_module *sorted[AM_MODULES_MAX];
    size_t count = 0;

    while (modules[count] != NULL)
        count++;
    if (!check_versions(modules, problem) || !am_order_sort(modules, count, sorted, problem) ||
        !check_choice(&options->modules, modules, problem) ||
        !check_names("modules", &options->modules, modules, problem) ||
        !check_names("observe_modules", &options->observe_modules, modules, problem))
        return false;
    runtime->modules = am_arena_alloc(runtime->arena, (count + 1) * sizeof(*runtime->modules));
    if (runtime->modules == NULL)
        return am_problem_set(problem, "memory is short");
    for (size_t i = 0; i < count; i++)
        add_module(runtime, sorted[i]);
    return true;
}

void am_runtime_log_modules(const struct am_runtime *runtime)
{
    struct am_buf names;

    if (runtime->milter->modules.count == 0)
        return;
    am_buf_init(&names, 0);
    for (size_t i = 0; i < runtime->module_count; i++)
        am_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", runtime->modules[i].module->name);
    am_log(AM_LOG_NOTICE, "modules that run: %s", am_buf_str(&names));
    am_buf_fini(&names);
}

bool am_runtime_reports(const struct am_runtime *runtime)
{
    for (size_t i = 0; i < runtime->module_count; i++) {
        const char *method = runtime->modules[i].module->method;
        if (method == NULL || method[0] != '\0')
            return true;
    }
    return runtime->module_count == 0;
}
