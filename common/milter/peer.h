#ifndef AM_MILTER_PEER_H
#define AM_MILTER_PEER_H

#include <stdbool.h>

#include "common/base/span.h"
#include "common/milter/reply.h"

/*
 * The MTA at the other end, as sessions see it: what can be asked of it and
 * sent to it. A transport provides one constant table; tests provide theirs.
 *
 * Texts are checked and in the form of the protocol: no CR or NUL, folds are LF + blank. The header
 * value comes without the blank after the colon; only the transport knows who has to write it.
 * Each edit returns false when it could not be sent. Edits are made at end of message only.
 *
 * Blocking: for as long as the MTA does not read. Threads: the one that runs the session's
 * callback.
 */
struct am_peer_ops {
    /* Returns a macro's value or NULL; lives until the callback returns. */
    const char *(*macro)(void *peer, const char *name);
    /* Sets the reply of the verdict that the callback is about to return. */
    bool (*set_reply)(void *peer, const struct am_reply *reply);
    bool (*add_header)(void *peer, const char *name, const char *value);
    bool (*insert_header)(void *peer, unsigned index, const char *name, const char *value);
    /* value: NULL deletes the field. */
    bool (*change_header)(void *peer, unsigned index, const char *name, const char *value);
    /* params: NULL = none. */
    bool (*add_recipient)(void *peer, const char *recipient, const char *params);
    bool (*delete_recipient)(void *peer, const char *recipient);
    bool (*change_sender)(void *peer, const char *sender, const char *params);
    bool (*replace_body)(void *peer, struct am_span chunk);
    bool (*quarantine)(void *peer, const char *reason);
    bool (*progress)(void *peer);
};

#endif
