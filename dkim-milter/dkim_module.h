#ifndef DKIM_DKIM_MODULE_H
#define DKIM_DKIM_MODULE_H

#include "common/milter/module.h"

/*
 * DKIM as a module: section "dkim", repeated section "dkim_override",
 * results of method "dkim". docs/dkim-verifying.md and docs/dkim-signing.md tell how it decides.
 */
extern const struct am_module dkim_module;

#endif
