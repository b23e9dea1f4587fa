#ifndef AUTHMILTER_RUN_MODULES_H
#define AUTHMILTER_RUN_MODULES_H

#include "common/milter/module.h"

/*
 * The modules of the combined program, in the order of their results; ends with NULL. A new one is
 * a row here.
 */
extern const struct am_module *const am_run_modules[];

#endif
