#ifndef DKIM_DKIM_BASE64_H
#define DKIM_DKIM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * Base 64 as in tags (base64string of RFC 6376 section 2.10). White space of any amount may stand
 * between digits. As in that grammar "=" at the end may be missing; a digit after "=", more of
 * them than the last group lacks, and a single left-over digit are errors.
 *
 * Returns: false when `text` is malformed, holds no digit, or memory is short (`*out` has a NULL
 *   pointer and length 1 then, otherwise length 0).
 * Ownership: `*out` lives as long as `arena`. Threads: any.
 */
bool dkim_base64_decode(struct am_arena *arena, struct am_span text,
                        struct am_span *out) AM_MUST_USE;

/* Returns the most octets that `text` can stand for. */
size_t dkim_base64_decoded_max(struct am_span text);

/*
 * The same into memory of the caller.
 *
 * Returns: false when malformed, empty, or longer than `capacity`; `*len` is what was written.
 */
bool dkim_base64_decode_into(struct am_span text, uint8_t *out, size_t capacity,
                             size_t *len) AM_MUST_USE;

/* Appends the base 64 of octets, in one line with its padding. */
void dkim_base64_encode(struct am_buf *out, struct am_span octets);

#endif
