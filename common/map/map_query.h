#ifndef AM_MAP_MAP_QUERY_H
#define AM_MAP_MAP_QUERY_H

#include "common/map/map.h"

/*
 * What stands for an address in the text of an administrator: parameters of SQL, which the server
 * gets apart from the query, and escaped values in a filter of LDAP.
 */

enum am_map_part { AM_MAP_ADDRESS, AM_MAP_LOCAL, AM_MAP_DOMAIN, AM_MAP_LOGIN };
#define AM_MAP_PART_COUNT 4

/* Returns the value of a part, in `arena`; the address is local@domain. NULL when memory is short.
 */
const char *am_map_part_value(const struct am_map_question *question, enum am_map_part part,
                              struct am_arena *arena);

/* Tells whether the texts of a question can be asked for at all: no NUL within, UTF-8, bounded. */
bool am_map_question_is_askable(const struct am_map_question *question);

/* How a server marks parameters. */
enum am_map_marks {
    AM_MAP_MARKS_QUESTION, /* ? for each, in their order */
    AM_MAP_MARKS_DOLLAR,   /* $1, $2: a part that is used twice keeps its number */
};

/* Most places of parameters in one query. */
#define AM_MAP_PLACES_MAX 16

struct am_map_query {
    const char *text;                          /* as the server wants it */
    enum am_map_part parts[AM_MAP_PLACES_MAX]; /* of each parameter that is handed over */
    size_t count;
};

/*
 * Reads a query with `:address`, `:local`, `:domain`, `:login`. What stands in quotes, and `::`, is
 * left as it is.
 *
 * Returns: false with a sentence: an unknown name, none at all, too many, a quote without an end.
 * Ownership: `arena`. Threads: any.
 */
bool am_map_query_read(struct am_map_query *query, struct am_arena *arena, const char *text,
                       enum am_map_marks marks, struct am_problem *problem) AM_MUST_USE;

/*
 * Judges a filter with `%s` (address), `%u` (local part), `%d` (domain), `%l` (login), `%%`; the
 * check of the option. Returns false with a sentence.
 */
bool am_map_filter_check(const char *filter, struct am_problem *problem);

/*
 * Puts the values of a question into a filter. Every octet but letters, digits and a few harmless
 * marks is written as RFC 4515 section 3 escapes it, so no value can end its place.
 *
 * Returns: the filter, or NULL when memory is short. Ownership: `arena`.
 */
const char *am_map_filter_fill(const char *filter, const struct am_map_question *question,
                               struct am_arena *arena) AM_MUST_USE;

#endif
