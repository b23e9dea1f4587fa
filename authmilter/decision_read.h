#ifndef AUTHMILTER_DECISION_READ_H
#define AUTHMILTER_DECISION_READ_H

#include <stdint.h>

#include "common/base/arena.h"

/* Reading the lines of the log again (docs/log-lines.md): key=value or JSON, behind any prefix. */

/* Most values of a line that are read. */
#define DECISION_VALUES_MAX 256

struct decision_value {
    const char *key, *value;
};

struct decision_line {
    const char *prefix; /* what stood in front: time, host, program; "" = nothing */
    struct decision_value values[DECISION_VALUES_MAX];
    size_t count;
};

/*
 * Reads a line without its end.
 *
 * Returns: false when it is none of ours, or memory is short. Values beyond the bound are left out.
 * Ownership: `arena`. Escapes stay as they are but for quotes and backslashes, so that values are
 * printable.
 */
bool decision_line_read(struct decision_line *line, struct am_arena *arena, struct am_span text);

/* Returns a value, or NULL. */
const char *decision_line_value(const struct decision_line *line, const char *key);

#endif
