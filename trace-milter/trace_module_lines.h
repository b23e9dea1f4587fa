#ifndef TRACE_TRACE_MODULE_LINES_H
#define TRACE_TRACE_MODULE_LINES_H

#include "trace-milter/trace_line.h"
#include "trace-milter/trace_module.h"

/* What the files of the module share. */

/*
 * Begins a line of this connection or message. Returns false when there is to be none: its client
 * is not traced, or there were enough; `last` lines are written in any case. Ended with
 * am_trace_line_end().
 */
bool am_trace_line_begin(struct am_ctx *ctx, struct trace_line *line, bool last);

/* Writes the line to the log and frees it. */
void am_trace_line_end(struct trace_line *line);

/* The callback `witness`: what the modules and the framework do. */
void am_trace_deed(struct am_ctx *ctx, const struct am_deed *deed);

#endif
