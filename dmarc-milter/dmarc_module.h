#ifndef DMARC_DMARC_MODULE_H
#define DMARC_DMARC_MODULE_H

#include "common/milter/module.h"

/* The DMARC check as a module: section "dmarc", results of method "dmarc". */
extern const struct am_module dmarc_module;

#endif
