#ifndef AM_MILTER_RECIPIENTS_H
#define AM_MILTER_RECIPIENTS_H

#include "common/base/arena.h"
#include "common/mail/address.h"

/* Most recipients of one message that are kept. */
#define AM_RECIPIENTS_MAX 1000

struct am_recipient {
    struct am_recipient *next;
    struct am_address address;
};

/* The recipients of a message that is decided at its end for all of them together; part of the
 * module's message state, zeroed at first. */
struct am_recipients {
    struct am_recipient *first; /* the last one that came; exempt ones are left out */
    size_t kept;
    bool any_exempt;
    bool any_unknown; /* there are more than AM_RECIPIENTS_MAX: they count as ordinary ones */
};

/*
 * Adds a recipient.
 *
 * exempt: no policy applies to it.
 * Returns: false when memory is short. Ownership: copies the address into `arena`.
 */
bool am_recipients_add(struct am_recipients *recipients, struct am_arena *arena,
                       const struct am_address *address, bool exempt) AM_MUST_USE;

#endif
