#ifndef AUTHMILTER_AR_PLACED_H
#define AUTHMILTER_AR_PLACED_H

#include <jansson.h>

#include "authres/authres.h"

/* Comments on their way from a header to JSON or back: text and place, in the order written. */

struct ar_placed {
    struct ar_text text; /* not owned */
    enum ar_place place;
    size_t property; /* with AR_AFTER_PROPERTY its number, else 0 */
    size_t index;    /* before they were sorted */
};

/* Sorts comments of one header or one result by place; equal ones keep the order of `index`. */
void ar_placed_sort(struct ar_placed *placed, size_t count);

/* Returns the place as "comments_at" names it; NULL when memory is short. */
json_t *ar_placed_json(const struct ar_placed *placed);

/*
 * Fills place and property from an element of "comments_at", of a result's or of the header's.
 *
 * Returns: false when it names no place.
 */
bool ar_placed_read(struct ar_placed *placed, const json_t *json, bool of_result);

#endif
