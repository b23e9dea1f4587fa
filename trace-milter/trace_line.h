#ifndef TRACE_TRACE_LINE_H
#define TRACE_TRACE_LINE_H

#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * A line of the trace while it is written: of bounded length, and, if it is to hide what people
 * wrote, with sizes and domains in place of texts and addresses. The log escapes what is left.
 */
struct trace_line {
    struct am_buf text;
    size_t max_text; /* octets of one text of strangers */
    bool hide;
};

/* Longest text of strangers in one line, in octets; the log cuts lines at 8 KiB. */
#define TRACE_TEXT_MAX 4000

/* Begins a line. Freed with am_trace_line_fini(). */
void am_trace_line_init(struct trace_line *line, size_t max_text, bool hide);

/* Frees it. */
void am_trace_line_fini(struct trace_line *line);

/* Adds words of ours. */
void am_trace_line_say(struct trace_line *line, const char *format, ...) AM_PRINTF(2, 3);

/* Adds a text of strangers, cut at max_text octets with "[...]"; NUL is '?'. */
void am_trace_line_add(struct trace_line *line, struct am_span text);

/* Adds ": " and a text; hidden, its size: "(12 octets)". Nothing for an empty text. */
void am_trace_line_add_content(struct trace_line *line, struct am_span text);

/* Adds ": " and a reply or a reason; hidden, only the code of a reply. NULL adds nothing. */
void am_trace_line_add_reply(struct trace_line *line, const char *text);

/* Adds an SMTP path; hidden, "x" stands for its local part: "<x@example.com>". */
void am_trace_line_add_path(struct trace_line *line, struct am_span path);

/* Adds a blank and an ESMTP parameter; hidden, its keyword only. */
void am_trace_line_add_param(struct trace_line *line, const char *param);

#endif
