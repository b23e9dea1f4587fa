#ifndef AM_TESTS_SCENARIO_TEXT_H
#define AM_TESTS_SCENARIO_TEXT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/* Tells whether `text` matches a pattern in which `*` stands for any bytes, none included. */
bool text_matches(struct am_span pattern, struct am_span text);

/*
 * Appends `text` with its escapes undone: \r \n \t \s (blank) \\ \xNN, and \{N*TEXT}, which
 * repeats TEXT N times (at most 100,000).
 * Returns: false when an escape is not one of these.
 */
bool text_unescape(struct am_buf *out, const char *text);

/* Appends a field's value on one line: each fold with the blanks around it becomes one blank. */
void text_unfold(struct am_buf *out, const char *value);

/* Appends `text` with @DIR@ replaced. */
void text_substitute(struct am_buf *out, const char *text, const char *dir);

/*
 * Appends a body as it goes over the wire: each line end of the text as CRLF, then escapes undone.
 * Returns false on an escape that is none.
 */
bool text_body(struct am_buf *out, const char *text);

#endif
