#ifndef AM_MILTER_SCRUB_H
#define AM_MILTER_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/milter/runtime.h"

/*
 * Removal of Authentication-Results fields that a stranger wrote in our name
 * (RFC 8601 section 5). A field is "ours" when its authserv-id is the one in use or one of
 * `authres.also_ours`, compared by ar_claims_id(), which is hard to dodge.
 *
 *     all   every field that is ours goes. Right for the first milter of a chain, and for the
 *           combined program.
 *     own   of the fields that are ours those go that hold a result of a method this program
 *           writes itself, and those that do not parse, or not to everybody alike (a method of
 *           ours is named in them, and a comment or string holds quotes, escapes or
 *           parentheses). "<id>; none" and results of other methods
 *           stay: they are a sibling program's, under the same id. It alone does NOT keep forged
 *           results of other methods out: a milter before this one must scrub all.
 *     none  nothing goes. Right for every milter behind one that scrubs all.
 *
 * Fields are judged as they arrive and only their numbers are kept; at end of message they are
 * deleted from the last to the first, so that a deletion never shifts a number still needed.
 * A message with more than a thousand of them is refused instead (session_eom.c).
 */
#define AM_SCRUB_FIELD "Authentication-Results"

/* Whom a message's fields are judged for; lives as long as the connection. */
struct am_scrub_policy {
    enum am_scrub mode;
    const char *const *ids; /* the id in use first */
    size_t id_count;
    const char *const *methods; /* what this program writes; for AM_SCRUB_OWN */
    size_t method_count;
};

/* The forged fields of one message. All zero is none. */
struct am_scrub_list {
    uint32_t *indexes; /* ascending; 1 for the first field of the name */
    size_t count, capacity;
    uint32_t seen; /* fields of that name so far */
    bool all;      /* memory was short: every field of that name goes */
};

/* Tells whether one field value has to go. Threads: any. */
bool am_scrub_is_forged(const struct am_scrub_policy *policy, struct am_span value);

/*
 * Takes note of a header field; anything but Authentication-Results is ignored. When memory is
 * short, every field of that name is going to be removed: none may slip through.
 */
void am_scrub_take(struct am_scrub_list *list, struct am_arena *arena,
                   const struct am_scrub_policy *policy, struct am_span name, struct am_span value);

/* Returns how many fields go. */
size_t am_scrub_count(const struct am_scrub_list *list);

/* Returns the field number that is number `nth` (from 0) to be deleted: the last one first. */
uint32_t am_scrub_nth(const struct am_scrub_list *list, size_t nth);

#endif
