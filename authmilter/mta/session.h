#ifndef AUTHMILTER_MTA_SESSION_H
#define AUTHMILTER_MTA_SESSION_H

#include "common/base/buf.h"
#include "authmilter/mta/fields.h"
#include "authmilter/mta/mta.h"
#include "authmilter/mta/wire.h"

/* Private to authmilter/mta: what session.c, events.c, edits.c and macros.c share. */

struct mta_macro {
    enum mta_command stage;
    char *name;
    char *value;
};

struct mta_session {
    struct mta_wire wire;
    struct mta_terms terms;
    char *macro_lists[8];
    struct mta_macro *macros;
    size_t macro_count;
    struct mta_message message;
    int timeout_ms;
    int64_t limit_ms; /* of a whole step */
    uint32_t offered_steps;
    size_t edits, edit_bytes; /* of the message in hand; chunks of a body count as bytes only */
    bool own_received;        /* the model holds our own Received field already */
    bool skip_body;           /* the milter needs no further chunk */
    bool done_connection;     /* a final verdict at connect or helo */
    bool done_message;        /* a final verdict for the message in hand */
    struct mta_reply verdict; /* of done_connection and done_message */
    struct am_buf out;        /* bytes that wait for the next answer to be due */
    struct am_buf reply_text;
    bool broken;
    struct am_problem problem;
};

/* Makes a reply without text that the milter sent, or that stands for its silence. */
struct mta_reply mta_session_reply(enum mta_outcome outcome, enum mta_path path);

/* Breaks the session with a sentence and returns the reply that says so. */
struct mta_reply mta_session_fail(struct mta_session *session, const char *format, ...)
    AM_PRINTF(2, 3);

/* Appends the macros of a stage to the bytes to send. */
void mta_session_put_macros(struct mta_session *session, enum mta_command stage);

/* Keeps a stage's macro list that the milter asked for. Returns false when there is no such stage.
 */
bool mta_session_keep_macro_list(struct mta_session *session, uint32_t stage, const char *names);

/* Frees the macros and the lists. */
void mta_session_free_macros(struct mta_session *session);

/*
 * Sends a step and takes its answer.
 * no_send, no_reply: the bits that make the step not be sent, or not be answered; 0 = neither.
 */
struct mta_reply mta_session_step(struct mta_session *session, enum mta_command command,
                                  struct am_span content, uint32_t no_send, uint32_t no_reply);

/* Sends what waits in `out`. */
bool mta_session_flush(struct mta_session *session);

/* Forgets the message in hand. */
void mta_message_clear(struct mta_message *message);

/* Adds a copy of a text. */
void mta_texts_add(struct mta_texts *texts, const char *text);

/* Removes the first text that is equal, letter case ignored. */
void mta_texts_remove(struct mta_texts *texts, const char *text);

/* Frees a list. */
void mta_texts_clear(struct mta_texts *texts);

/* Tells whether a packet is an edit or note that does not end a step, and applies it if it is. */
bool mta_edit_apply(struct mta_session *session, char answer, struct am_span content);

#endif
