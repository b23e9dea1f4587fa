#ifndef TRACE_TRACE_MODULE_H
#define TRACE_TRACE_MODULE_H

#include "common/milter/module.h"

/*
 * Logs every event, and what the modules beside it and the framework do. It decides and changes
 * nothing. In a program with several modules it runs only when milter.modules names it: section
 * "trace".
 */
extern const struct am_module am_trace_module;

#endif
