#ifndef AM_DNS_OCTETS_JSON_H
#define AM_DNS_OCTETS_JSON_H

#include <jansson.h>

#include "common/base/arena.h"

/*
 * Octets in JSON, which holds UTF-8 only: what is not printable UTF-8 stands as \xNN, a backslash
 * as \\, within the string.
 */

/* Makes the string. Returns NULL when memory is short. Ownership: the caller's reference. */
json_t *am_octets_to_json(struct am_span octets) AM_MUST_USE;

/*
 * Reads one. Returns false when it is no such string or memory is short. Ownership: `arena`; the
 * octets are followed by a NUL.
 */
bool am_octets_from_json(struct am_arena *arena, const json_t *value,
                         struct am_span *out) AM_MUST_USE;

#endif
