#ifndef SRS_SRS_MODULE_H
#define SRS_SRS_MODULE_H

#include "common/milter/module.h"

/*
 * The Sender Rewriting Scheme as a module: section "srs". It reports no results: what it does is
 * to change the envelope.
 */
extern const struct am_module srs_module;

#endif
