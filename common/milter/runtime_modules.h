#ifndef AM_MILTER_RUNTIME_MODULES_H
#define AM_MILTER_RUNTIME_MODULES_H

#include "common/milter/runtime.h"

/*
 * Lists in `runtime` the modules of a program that run with its configuration, each with its
 * section, none of them opened yet. Their order is that of the program, but for what `after` asks.
 *
 * modules: all of the program's; ends with NULL. Returns: false with a sentence when an option
 * names a module that is none of them.
 */
bool am_runtime_list_modules(struct am_runtime *runtime, const struct am_module *const *modules,
                             struct am_problem *problem) AM_MUST_USE;

/*
 * Tells whether results are written and forged ones removed: not where every module is one without
 * a method (am_module.method), which has nothing to say about a message.
 */
bool am_runtime_reports(const struct am_runtime *runtime);

/* Logs which modules run, when the program has a choice of them. */
void am_runtime_log_modules(const struct am_runtime *runtime);

#endif
