#ifndef AM_MILTER_LIBMILTER_TRANSPORT_H
#define AM_MILTER_LIBMILTER_TRANSPORT_H

#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/milter/session.h"
#include "common/milter/transport.h"

/*
 * What the libmilter files share; nobody else includes this. libmilter itself is one per process
 * and hands its callbacks no pointer of ours, so this is too.
 */
struct am_transport {
    struct am_transport_options options; /* does not change after am_transport_open() */
    struct am_listener listener;         /* nor does this after am_transport_listen() */
    bool listens;
    atomic_bool draining;
    atomic_bool told_missing;  /* the log has said what the MTA does not offer */
    atomic_ullong connections; /* numbers them */
    int wake_fd;               /* see libmilter_wake.h; -1 = none */
};

/* Returns the process' transport. */
struct am_transport *am_libmilter_transport(void);

/* The callbacks, for smfi_register(). Every step is there: negotiation alone decides what comes. */
void am_libmilter_callbacks(struct smfiDesc *description);

/* The negotiation callback: makes the session and asks for what the plan of its runtime needs. */
sfsistat am_libmilter_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                                unsigned long unused2, unsigned long unused3,
                                unsigned long *want_actions, unsigned long *want_steps,
                                unsigned long *want2, unsigned long *want3);

/*
 * Makes a session for `ctx` with the current runtime, as agreed with an MTA that offers `offer`.
 * Returns: NULL when memory is short; the session is the private data of `ctx` otherwise.
 */
struct am_session *am_libmilter_begin(SMFICTX *ctx, const struct am_offer *offer);

/* What sessions send to the MTA. The peer is the SMFICTX. */
extern const struct am_peer_ops am_libmilter_peer;

#endif
