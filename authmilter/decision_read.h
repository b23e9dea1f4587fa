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
 * Reads a line without its end. It begins at once, or behind what logs put in front of lines:
 * "<6>", a time, or anything that ends in "PROGRAM: " or "PROGRAM[PID]: ", the first such. So a
 * line of another program that quotes ours is none.
 *
 * Returns: false when it is none of ours, or memory is short. Values beyond the bound are left out;
 * a line that was cut has the key `cut`. Ownership: `arena`. Prefix, keys and values are printable:
 * control characters and what is no UTF-8 stand as \xNN.
 */
bool decision_line_read(struct decision_line *line, struct am_arena *arena, struct am_span text);

/* Returns a value, or NULL. */
const char *decision_line_value(const struct decision_line *line, const char *key);

#endif
