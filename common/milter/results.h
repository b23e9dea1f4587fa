#ifndef AM_MILTER_RESULTS_H
#define AM_MILTER_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * What a check found, as data: the only thing modules know of each other, and
 * what the one Authentication-Results field of a message is made from.
 */

/* A property of a result: "smtp.mailfrom=user@example.com" (RFC 8601 section 2.7). */
struct am_property {
    const char *ptype;    /* "smtp", "header", "policy", "body" */
    const char *property; /* "mailfrom", "helo", "d", ... */
    struct am_span
        value; /* any bytes; what RFC 8601 cannot carry is left out of the header and logged */
};

/* Most properties of one result. */
#define AM_RESULT_PROPERTIES_MAX 8

struct am_result {
    const char *method; /* "spf", "dkim", ... */
    const char *result; /* "pass", "fail", "temperror", ... */
    const char *reason; /* NULL or a short text */
    struct am_property properties[AM_RESULT_PROPERTIES_MAX];
    size_t property_count;
};

/* Most results kept for one message; later ones are dropped and counted. */
#define AM_RESULTS_MAX 64

/* Results in the order they were published. All zero is an empty table; it grows in an arena. */
struct am_results {
    struct am_result *items;
    const char **modules; /* who published */
    size_t count;
    size_t capacity;
    size_t dropped; /* results that found no room */
};

/* Adds a property to a result. Returns false when there is no room. */
bool am_result_add_property(struct am_result *result, const char *ptype, const char *property,
                            struct am_span value);

/*
 * Appends a deep copy of `result`, made in `arena`.
 * Returns: false when the table or memory is full; nothing is added then.
 */
bool am_results_add(struct am_results *results, struct am_arena *arena, const char *module,
                    const struct am_result *result) AM_MUST_USE;

/* Returns the first result of a method at or after `*index` and moves `*index` past it; NULL at the
 * end. */
const struct am_result *am_results_next(const struct am_results *results, const char *method,
                                        size_t *index);

#endif
