#ifndef AM_BASE_OPTION_NUMBER_H
#define AM_BASE_OPTION_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/option.h"

/*
 * Reads the number of a row of a numeric kind, with its unit. Private to the options.
 *
 * Returns: false when the text is no such number or too large to be counted.
 */
bool am_option_number_parse(const struct am_option *row, const char *text, int64_t *value);

/* Writes a number as the row's kind is read, with the largest unit that is exact. */
void am_option_number_print(const struct am_option *row, int64_t value, struct am_buf *out);

/* Returns the bounds of a row; both zero stand for 0 to INT64_MAX. */
void am_option_number_bounds(const struct am_option *row, int64_t *min, int64_t *max);

#endif
