#ifndef DMARC_DMARC_FROM_H
#define DMARC_DMARC_FROM_H

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * The author domains of a message (RFC 9989 sections 5.3.1 and 11.5). A message has one as a rule.
 *
 *     one From field, one domain in any number of mailboxes   that domain
 *     one From field, several domains                         each of them, at most
 * DMARC_AUTHORS_MAX several From fields                                     each domain in them,
 * and the message is malformed a field or a mailbox that cannot be read, more domains  the others,
 * and the message is malformed no From field, an empty group, nothing usable           none, and
 * the message is malformed
 */

/* Most author domains of one message. */
#define DMARC_AUTHORS_MAX 4

/* All zero is a message of which no From field was seen. */
struct dmarc_from {
    const char *domains[DMARC_AUTHORS_MAX]; /* different ones, lower-case A-labels */
    size_t count;
    size_t fields;
    bool unreadable, too_many;
};

/*
 * Adds the value of a From field.
 *
 * Returns: false when memory is short. Ownership: `arena`. Threads: any.
 */
bool dmarc_from_add(struct dmarc_from *from, struct am_arena *arena, struct am_span value);

/*
 * Returns what is wrong with the From fields of a message, the words of a reason: "no From field";
 * NULL: they name authors as RFC 5322 has it.
 */
const char *dmarc_from_fault(const struct dmarc_from *from);

#endif
