#ifndef AM_BASE_LOG_ESCAPE_H
#define AM_BASE_LOG_ESCAPE_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/* How a value is written into a log line. Private to the log. */
enum am_log_style {
    AM_LOG_PLAIN,       /* \xNN, backslash doubled */
    AM_LOG_QUOTED,      /* the same and \" */
    AM_LOG_JSON_STRING, /* \u00NN, \", \\; a byte that is not UTF-8 becomes the text \xNN */
};

/*
 * Appends `text` in a style, but no more than `room` bytes; a text that does not fit is cut
 * between characters and ends in "[...]".
 */
void am_log_escape_within(struct am_buf *out, struct am_span text, enum am_log_style style,
                          size_t room);

#endif
