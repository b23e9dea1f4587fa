#ifndef AM_MILTER_HEADER_INDEX_H
#define AM_MILTER_HEADER_INDEX_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * Counts header fields by name, so that a field knows which instance it is.
 * All zero is empty; everything lives in an arena.
 */
#define AM_HEADER_INDEX_BUCKETS 64

struct am_header_index {
    struct am_header_count **buckets;
};

/*
 * Counts one more field of a name, letter case ignored.
 *
 * Returns: its number, 1 for the first; 0 when memory is short.
 */
size_t am_header_index_next(struct am_header_index *index, struct am_arena *arena,
                            struct am_span name);

#endif
