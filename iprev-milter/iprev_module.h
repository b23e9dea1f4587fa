#ifndef IPREV_IPREV_MODULE_H
#define IPREV_IPREV_MODULE_H

#include "common/milter/module.h"

/* The iprev check as a module: section "iprev", results of method "iprev". */
extern const struct am_module iprev_module;

#endif
