#ifndef AM_MILTER_EDITS_H
#define AM_MILTER_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/milter/peer.h"

/*
 * The edits of one message: checked and queued while modules run, sent once
 * after the last of them, when the message is not refused.
 *
 * Order of sending: changed and deleted fields from the highest number to the
 * lowest, so that every number means the field as it came in; then all other edits
 * in the order they were queued. Of two edits of one field the later one counts.
 */
enum am_edit_kind {
    AM_EDIT_CHANGE_HEADER, /* a null value deletes */
    AM_EDIT_ADD_HEADER,
    AM_EDIT_INSERT_HEADER,
    AM_EDIT_ADD_RECIPIENT,
    AM_EDIT_DELETE_RECIPIENT,
    AM_EDIT_CHANGE_SENDER,
    AM_EDIT_REPLACE_BODY,
};

struct am_edit {
    struct am_edit *next;
    enum am_edit_kind kind;
    unsigned index;    /* of a field */
    const char *name;  /* of a field; recipient or sender */
    const char *value; /* of a field; ESMTP parameters; NULL = none */
    struct am_span chunk;
};

/* A queue. All zero is empty. */
struct am_edits {
    struct am_edit *first, *last;
    size_t count;
};

/* Largest field value that may be queued, in octets. */
#define AM_EDIT_VALUE_MAX (512 * 1024)

/* Tells whether `name` may be a field's name: printable ASCII without colon (RFC 5322 section 2.2).
 */
bool am_edit_name_ok(const char *name);

/*
 * Tells whether `value` may be a field's value: no CR, no control character but tab, each LF
 * followed by a blank and a line that is not blank only, at most AM_EDIT_VALUE_MAX octets.
 */
bool am_edit_value_ok(const char *value);

/* Tells whether a text may be sent as an address or its parameters: no control character, not
 * empty. */
bool am_edit_address_ok(const char *text);

/*
 * Queues a deep copy of `edit`, made in `arena`; its texts must have been judged.
 * Returns: false when memory is short.
 */
bool am_edits_add(struct am_edits *edits, struct am_arena *arena,
                  const struct am_edit *edit) AM_MUST_USE;

/*
 * Sends the queue.
 *
 * Returns: false as soon as one could not be sent, or when memory is short.
 * Blocking: while the MTA does not read.
 */
bool am_edits_send(const struct am_edits *edits, struct am_arena *arena,
                   const struct am_peer_ops *ops, void *peer) AM_MUST_USE;

#endif
