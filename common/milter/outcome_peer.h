#ifndef AM_MILTER_OUTCOME_PEER_H
#define AM_MILTER_OUTCOME_PEER_H

#include "common/milter/outcome.h"
#include "common/milter/peer.h"

/*
 * A peer that takes down what it is sent: edits, replies, a quarantine. It stands in for an MTA
 * (play.h), or is told beside one (struct am_peer_tap).
 */

/* The peer is a struct am_outcome_taker, or begins with one. It knows no macros. */
extern const struct am_peer_ops am_outcome_peer_ops;

/* A peer between a session and its MTA: who listens is told first, the MTA next. */
struct am_peer_tap {
    const struct am_peer_ops *ops; /* of the MTA */
    void *peer;
    struct am_outcome_taker *taker; /* who is told of edits and replies; NULL = nobody */
    /* Who is told of each macro that has a value. */
    void (*macro)(void *user, const char *name, const char *value);
    void *user;
};

/* The peer is a struct am_peer_tap. */
extern const struct am_peer_ops am_peer_tap_ops;

#endif
