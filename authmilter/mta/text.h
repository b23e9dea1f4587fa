#ifndef AUTHMILTER_MTA_TEXT_H
#define AUTHMILTER_MTA_TEXT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/* What an unescaped text may come to hold: a repeated one is soon too long. */
#define MTA_TEXT_MAX ((size_t)16 << 20)

/* Tells whether `text` matches a pattern in which `*` stands for any bytes, none included. */
bool mta_text_matches(struct am_span pattern, struct am_span text);

/*
 * Appends `text` with its escapes undone: \r \n \t \s (blank) \\ \xNN, and \{N*TEXT}, which
 * repeats TEXT N times (at most 100,000).
 * Returns: false when an escape is not one of these. A text that is too long shows in `out`, if
 * that has a limit.
 */
bool mta_text_unescape(struct am_buf *out, const char *text);

/*
 * Appends a body as it goes over the wire: each line end of the text as CRLF, then escapes undone.
 * Returns: false on an escape that is none. A text that is too long shows as above.
 */
bool mta_text_body(struct am_buf *out, const char *text);

/* Appends a field's value on one line: each fold with the blanks around it becomes one blank. */
void mta_text_unfold(struct am_buf *out, const char *value);

#endif
