#ifndef AM_BASE_PRINTABLE_H
#define AM_BASE_PRINTABLE_H

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * Copies text of strangers for a place where only harmless text may stand, such as a reply:
 * everything but printable ASCII becomes '?', and what is longer than `max` bytes is cut there and
 * ends in "[...]".
 *
 * Returns: NULL when memory is short. Ownership: `arena`.
 */
const char *am_printable_copy(struct am_arena *arena, struct am_span text, size_t max);

#endif
