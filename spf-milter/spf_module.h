#ifndef SPF_SPF_MODULE_H
#define SPF_SPF_MODULE_H

#include "common/milter/module.h"

/*
 * The SPF check as a module: section "spf", repeated section "override",
 * results of method "spf". docs/spf-milter.md tells how it decides.
 */
extern const struct am_module spf_module;

#endif
