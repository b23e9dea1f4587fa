#ifndef AM_MILTER_SESSION_H
#define AM_MILTER_SESSION_H

#include <sys/socket.h>

#include "common/milter/message.h"
#include "common/milter/peer.h"
#include "common/milter/plan.h"
#include "common/milter/runtime.h"

/*
 * A connection of the MTA: what a transport drives, event by event.
 *
 * Each event returns what to answer: CONTINUE, SKIP_BODY, ACCEPT, TEMPFAIL, DISCARD or
 * REJECT. A verdict comes only at stages that were agreed to be answered; its reply
 * has been given to the peer by then.
 *
 * Threads: one at a time per session; they may change from event to event.
 */
struct am_session {
    struct am_runtime *runtime; /* one reference */
    const struct am_peer_ops *ops;
    void *peer;
    struct am_arena *arena;     /* of the connection */
    struct am_message *message; /* NULL between messages */
    struct am_agreement agreement;
    struct am_conn_info info;
    const char *authserv_id;
    struct am_scrub_policy scrub;
    struct am_results results;       /* of the connection */
    struct am_decision kept;         /* of connect and helo, for each message */
    size_t connect_results;          /* of `results`, those that are older than the latest HELO */
    struct am_decision connect_kept; /* `kept` and `accepted` before it */
    bool connect_accepted;
    void **state; /* per module */
    char *helo;   /* room for the name in `info` */
    size_t helo_room;
    unsigned modules_want;             /* stages some module wants */
    bool connected;                    /* conn_end is owed */
    bool accepted;                     /* no module is asked any more */
    struct am_capture *capture;        /* NULL: nothing is kept */
    struct am_witness *witness;        /* NULL: no module watches the others */
    struct am_resolver *resolver;      /* in place of the runtime's; NULL = that */
    struct am_resolver *conn_resolver; /* the same for what is asked about the connection */
    bool memory_short;                 /* MAIL came, and there was no memory for a message */
};

struct am_session_start {
    struct am_runtime *runtime; /* its reference passes to the session, also on failure */
    const struct am_peer_ops *ops;
    void *peer; /* handed to `ops`; not owned */
    struct am_agreement agreement;
    uint64_t id;          /* unique in the process */
    const char *listener; /* of the socket; lives as long as the process; NULL = "" */
    enum am_role role;
};

/* Makes a session. Returns NULL when memory is short. Freed with am_session_free(). */
struct am_session *am_session_new(const struct am_session_start *start) AM_MUST_USE;

/* Ends the message and the connection, and frees the session. NULL is allowed. */
void am_session_free(struct am_session *session);

/* Begins the connection with what is known; for MTAs that never send the connect event. */
void am_session_begin(struct am_session *session, const char *name, const struct sockaddr *address);

/*
 * The connection's facts. Comes again on the same session after XCLIENT: then a new connection
 * begins.
 *
 * name: the MTA's name for the client; address: NULL when it is not an Internet address.
 */
enum am_verdict am_session_connect(struct am_session *session, const char *name,
                                   const struct sockaddr *address);

/* HELO or EHLO; may come again. */
enum am_verdict am_session_helo(struct am_session *session, const char *name);

/*
 * MAIL: ends a message that is still open and begins one. `params` are ESMTP parameters.
 * draining: the program is about to stop and takes no new message.
 */
enum am_verdict am_session_mail(struct am_session *session, const char *sender,
                                const char *const *params, size_t param_count, bool draining);

/* RCPT. A verdict other than ACCEPT or DISCARD is for this recipient only. */
enum am_verdict am_session_rcpt(struct am_session *session, const char *recipient,
                                const char *const *params, size_t param_count);

/* DATA. */
enum am_verdict am_session_data(struct am_session *session);

/* A header field; `value` as it came after the colon, line ends LF or CR LF. */
enum am_verdict am_session_header(struct am_session *session, const char *name, const char *value);

/* The end of the header fields. */
enum am_verdict am_session_eoh(struct am_session *session);

/* A piece of the body. */
enum am_verdict am_session_body(struct am_session *session, struct am_span chunk);

/* The end of the message: edits are sent, and the message is over. */
enum am_verdict am_session_eom(struct am_session *session);

/* The message is given up, if there is one. */
void am_session_abort(struct am_session *session);

/* Logs one sentence with the queue id, or the connection's number, in front. */
void am_session_log(const struct am_session *session, enum am_log_level level, const char *format,
                    ...) AM_PRINTF(3, 4);

/* A command the MTA does not know. */
enum am_verdict am_session_unknown(struct am_session *session, const char *command);

#endif
