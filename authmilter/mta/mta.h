#ifndef AUTHMILTER_MTA_MTA_H
#define AUTHMILTER_MTA_MTA_H

/*
 * A milter's counterpart: speaks the protocol as an MTA does, honours what was
 * negotiated, and keeps the message as the milter left it.
 *
 *     struct mta_session *session = mta_open(&options, &problem);
 *     mta_connect(session, &peer);
 *     mta_helo(session, "mail.example.com");
 *     mta_mail(session, "<a@example.com>", NULL, 0);
 *     ...
 *     struct mta_reply reply = mta_eom(session);
 *     check(mta_message(session)->headers);
 *     mta_close(session);
 *
 * The milter may be anybody's, and is trusted with nothing: every packet is waited for at most the
 * session's time-out, every step at most its limit; packets, edits and what they hold are counted
 * (protocol.h) and checked. A step that the milter does not want, or that it does not answer,
 * yields MTA_CONTINUE at once. After an error every later step yields MTA_ERROR with the first
 * error's sentence. What an MTA does not send after a verdict is not sent: that verdict comes
 * again.
 *
 * Threads: one at a time per session.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"
#include "common/base/span.h"
#include "authmilter/mta/header_model.h"
#include "authmilter/mta/protocol.h"

struct mta_session;

struct mta_options {
    const char *socket; /* as mta_wire_open() takes it */
    int timeout_ms;     /* of each packet that is waited for; 0 = 30 s */
    int limit_ms;       /* of a whole step, whatever the milter says meanwhile; 0 = 10 time-outs */
    uint32_t version;   /* offered, 2..6; 0 = 6 */
    uint32_t actions;   /* offered; 0 = all of the version; MTA_OFFER_NOTHING = none */
    uint32_t steps;     /* offered; 0 = all of the version; MTA_OFFER_NOTHING = none */
};

/* Offers no optional step at all (every event is sent and answered), or no action. */
#define MTA_OFFER_NOTHING 0x80000000u

enum mta_outcome {
    MTA_CONTINUE,
    MTA_ACCEPT,
    MTA_REJECT,
    MTA_TEMPFAIL,
    MTA_DISCARD,
    MTA_SKIP,
    MTA_CONN_FAIL,
    MTA_SHUTDOWN,
    MTA_ERROR, /* the milter broke the protocol, went silent or is gone */
};

/* How a reply came about. */
enum mta_path {
    MTA_ANSWERED,
    MTA_NOT_ANSWERED, /* the milter has said that it answers no such step */
    MTA_NOT_SENT,     /* the milter has said that it wants no such step */
    MTA_DECIDED,      /* not sent, because of a verdict that was given before */
};

struct mta_reply {
    enum mta_outcome outcome;
    enum mta_path path;
    /* REJECT, TEMPFAIL: what the client is told, "550 5.7.1 Command rejected" unless the milter set
     * a text, `%%` undone, lines joined by CR LF; ERROR: the sentence; else "". Lives until the
     * next step. */
    const char *text;
};

/* The client of an SMTP connection, as the MTA describes it. */
struct mta_peer {
    const char *name; /* "mail.example.com", "[192.0.2.1]", "localhost" */
    char family;      /* '4', '6', 'L' (local), 'U' (unknown) */
    uint16_t port;
    const char *address; /* "192.0.2.1", "IPv6:2001:db8::1"; not sent with 'U' */
};

/* A list of texts in the order they came. */
struct mta_texts {
    char **items;
    size_t count;
};

/* What the message is after the milter's edits. */
struct mta_message {
    struct mta_header_model headers;
    struct mta_texts recipients; /* accepted ones, then added and removed ones applied */
    char *sender;
    char *sender_params;
    char *quarantine; /* NULL: not quarantined */
    struct am_buf body;
    bool body_replaced;
    size_t progress;      /* times the milter said that it works on */
    struct mta_texts log; /* every edit as text, in order: "insert 0 Name: value" */
};

/* What the two sides agreed on. */
struct mta_terms {
    uint32_t version, actions, steps;
    const char *macros[8]; /* asked for by stage (connect, helo, mail, rcpt, data, eom, eoh); NULL =
                              default */
};

/* Connects and negotiates. Returns NULL with a sentence. Ownership: freed by mta_close() or
 * mta_drop(). */
struct mta_session *mta_open(const struct mta_options *options,
                             struct am_problem *problem) AM_MUST_USE;

/*
 * The same on a socket that is connected already, whoever made it; options->socket is not looked
 * at. Ownership: the socket is the session's, also after failure; it becomes non-blocking.
 */
struct mta_session *mta_adopt(int fd, const struct mta_options *options,
                              struct am_problem *problem) AM_MUST_USE;

/* Says good-bye and frees the session. NULL is allowed. */
void mta_close(struct mta_session *session);

/* Closes the socket without a word, as a crashing MTA would, and frees the session. */
void mta_drop(struct mta_session *session);

/* Returns what was negotiated. */
const struct mta_terms *mta_terms(const struct mta_session *session);

/*
 * Sends what waits and returns the socket, for a caller that goes on by itself; -1 after an error.
 * Ownership: stays with the session.
 */
int mta_socket(struct mta_session *session);

/* Returns the message in hand, or the last one. */
const struct mta_message *mta_message(const struct mta_session *session);

/*
 * Sets a macro to be sent ahead of `stage` (a mta_command) from now on; a null value removes it.
 * Only what the milter asked for is sent, if it asked.
 */
void mta_set_macro(struct mta_session *session, enum mta_command stage, const char *name,
                   const char *value);

/* The steps. Texts are sent as they are, up to their first NUL. */
struct mta_reply mta_connect(struct mta_session *session, const struct mta_peer *peer);
/* Greets; comes again after STARTTLS. */
struct mta_reply mta_helo(struct mta_session *session, const char *name);
/* Opens a message; `sender` with its angle brackets. */
struct mta_reply mta_mail(struct mta_session *session, const char *sender,
                          const char *const *params, size_t param_count);
/* Adds a recipient, unless it is refused. */
struct mta_reply mta_rcpt(struct mta_session *session, const char *recipient,
                          const char *const *params, size_t param_count);
/*
 * Shows a recipient that the MTA has refused, if the milter asked for such ones; it is none of the
 * message's. The macros of MTAs say so: {rcpt_mailer} is "error", {rcpt_host} `status` ("5.1.1")
 * and {rcpt_addr} `text`; they are removed afterwards.
 */
struct mta_reply mta_rcpt_rejected(struct mta_session *session, const char *recipient,
                                   const char *const *params, size_t param_count,
                                   const char *status, const char *text);
/* The DATA command. */
struct mta_reply mta_data(struct mta_session *session);
/* Shows a field; `value` starts right behind the colon. It is kept in the model as it is. */
struct mta_reply mta_header(struct mta_session *session, const char *name, const char *value);
/* Ends the headers. */
struct mta_reply mta_eoh(struct mta_session *session);
/* Sends body text in chunks of at most 65,535 bytes, or what was agreed; an early answer or SKIP
 * ends it. */
struct mta_reply mta_body(struct mta_session *session, struct am_span text);
/* Tells whether the milter has said that it needs no more of the body in hand. */
bool mta_skips_body(const struct mta_session *session);
/* Ends the message: collects the edits and the verdict. */
struct mta_reply mta_eom(struct mta_session *session);
/* Gives the message up. No reply. */
struct mta_reply mta_abort(struct mta_session *session);
/* Ends the SMTP connection; another one follows on the same socket. */
struct mta_reply mta_quit_nc(struct mta_session *session);
/* Passes on a command the MTA does not know. */
struct mta_reply mta_unknown(struct mta_session *session, const char *command);

/* Returns the name of a way: "answered", "not answered", "not sent", "decided". */
const char *mta_path_word(enum mta_path path);

/* Returns the name of an outcome: "continue", "accept", "reject", ... */
const char *mta_outcome_word(enum mta_outcome outcome);

#endif
