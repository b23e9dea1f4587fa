#ifndef TESTS_UNIT_DKIM_RANDOM_TEXT_H
#define TESTS_UNIT_DKIM_RANDOM_TEXT_H

#include <stdint.h>

#include "common/base/buf.h"

/* Text made of what canonicalisation may stumble over; the same for the same start. */

/* A sequence of numbers (splitmix64). */
struct random_source {
    uint64_t state;
};

/* Returns a number below `limit`, which is above 0. */
size_t random_below(struct random_source *source, size_t limit);

/*
 * Appends `pieces` pieces of a body: line ends and halves of them, runs of blanks, control
 * characters, words, whole lines longer than any wide compare.
 */
void random_body(struct random_source *source, size_t pieces, struct am_buf *out);

/* The same for the value of a header field: folds instead of empty lines. */
void random_value(struct random_source *source, size_t pieces, struct am_buf *out);

#endif
