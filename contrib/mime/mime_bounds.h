#ifndef CONTRIB_MIME_MIME_BOUNDS_H
#define CONTRIB_MIME_MIME_BOUNDS_H

#include "contrib/mime/mime.h"

/* Of one field. */
#define AM_MIME_PARAMS_MAX 500 /* equals signs, of a field that speaks of the content */
#define AM_MIME_GROUPS_MAX 100 /* colons, of a field with addresses */

/* Fields of all headers, for each part that a message may have. */
#define AM_MIME_FIELDS_PER_PART 100

/*
 * Tells whether a message may be shown to GMime, which makes an object of each part, field,
 * parameter and address, looks for a parameter among all of its field, compares each line with the
 * boundaries of all open multiparts, and calls itself for a part within a part and for a group
 * within a group of addresses. Whatever may be a header for it is counted as one: what stands
 * behind a line that begins as delimiters do, or behind the header of a message within, up to an
 * empty line.
 *
 * text: fields, an empty line, and the body.
 * Returns: false with a sentence when it costs more than the limits. Time is linear.
 */
bool am_mime_bounds_hold(struct am_span text, const struct am_mime_limits *limits,
                         struct am_problem *why);

#endif
