#ifndef AM_MILTER_NATIVE_SESSION_H
#define AM_MILTER_NATIVE_SESSION_H

#include <stdatomic.h>

#include "common/milter/listener.h"
#include "common/milter/native_macros.h"
#include "common/milter/native_negotiate.h"
#include "common/milter/native_packet.h"
#include "common/milter/session.h"

/*
 * One connection of an MTA, without its socket: packets become the events of a session, verdicts
 * and edits become packets in a buffer.
 */

/* What all connections share. */
struct am_native_shared {
    struct am_snapshot_holder *runtime; /* of struct am_runtime */
    atomic_bool draining;
    atomic_bool told_missing;  /* the log has said what the MTA does not offer */
    atomic_ullong connections; /* numbers them */
};

/* Where packets go. */
struct am_native_sink {
    /*
     * Sends what stands in `out` and empties it. Returns false when the MTA is gone or does not
     * read. Blocking: for as long as the MTA does not read, within a time-out.
     */
    bool (*flush)(void *user, struct am_buf *out);
    void *user;
};

/* More than this much is not collected before it is sent. */
#define AM_NATIVE_OUT_MAX ((size_t)64 * 1024)

struct am_native_session {
    struct am_native_shared *shared;
    const struct am_listener *listener; /* NULL: none in particular */
    struct am_native_sink sink;
    struct am_buf out;
    struct am_session *session; /* NULL before the negotiation, and after AM_NATIVE_QUIT_NC */
    struct am_runtime *agreed;  /* that the negotiation was made with; NULL before it */
    struct am_agreement agreement;
    struct am_terms offered, terms; /* the MTA's and our answer */
    struct am_native_macros macros;
    char *reply;                  /* of the verdict under way; NULL = none */
    enum am_verdict body_verdict; /* of the pieces of a chunk that came so far */
    const char *why; /* it is to be closed: a word for the log; NULL = nothing is wrong */
};

/* Sets up a connection that has not negotiated. listener: outlives it; may be NULL. */
void am_native_session_init(struct am_native_session *self, struct am_native_shared *shared,
                            const struct am_listener *listener, const struct am_native_sink *sink);

/* Ends the session and frees what is held. */
void am_native_session_fini(struct am_native_session *self);

/*
 * Takes one packet. Its answers stand in `out` afterwards.
 *
 * Returns: false when the connection is over; `why` says so when it is not by the MTA's wish.
 * Blocking: as long as the modules do. Threads: one at a time.
 */
bool am_native_session_packet(struct am_native_session *self,
                              const struct am_native_packet *packet) AM_MUST_USE;

/*
 * Takes a piece of an AM_NATIVE_BODY packet, so that nobody has to keep such a packet until it is
 * complete. The answer is given to the whole: after the last piece, the first of the packet's
 * verdicts that is more than AM_CONTINUE.
 *
 * Returns, blocking, threads: as am_native_session_packet().
 */
bool am_native_session_body_piece(struct am_native_session *self, struct am_span piece,
                                  bool is_last) AM_MUST_USE;

/* What sessions send to the MTA. The peer is the struct am_native_session. */
extern const struct am_peer_ops am_native_peer;

#endif
