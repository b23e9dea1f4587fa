#ifndef AM_BASE_UTF8_H
#define AM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/span.h"

/*
 * Measures the character a text begins with (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF).
 *
 * Returns: its length in bytes, 1 to 4, or 0 when the text is empty or does not begin with a
 *   well-formed character.
 * Threads: any.
 */
size_t am_utf8_first(struct am_span text);

/* Tells whether a whole text is well-formed UTF-8. Threads: any. */
bool am_utf8_is_valid(struct am_span text);

/*
 * Tells whether the `len` bytes at `text`, one well-formed character, are a
 * control character: C0, DEL or C1 (U+0080 to U+009F, which terminals obey too), or one that ends
 * a line or turns the direction of writing, so that a log shows what is not there.
 * Threads: any.
 */
bool am_utf8_is_control(const char *text, size_t len);

#endif
