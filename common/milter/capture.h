#ifndef AM_MILTER_CAPTURE_H
#define AM_MILTER_CAPTURE_H

#include "common/base/config.h"
#include "common/milter/peer.h"
#include "common/milter/runtime.h"
#include "common/milter/verdict.h"

/*
 * Cases: a message kept with all that decided about it (envelope, macros, header, body, answers of
 * the DNS, configuration, time, outcome) in a file, for `authmilter replay`. Off unless the section
 * `capture` asks for some messages.
 *
 * Nothing of it ever changes what becomes of a message: what cannot be kept is left out and
 * counted.
 */

enum am_capture_body { AM_CAPTURE_BODY_NONE, AM_CAPTURE_BODY_HASH, AM_CAPTURE_BODY_FULL };
enum am_capture_header { AM_CAPTURE_HEADER_NONE, AM_CAPTURE_HEADER_AUTH, AM_CAPTURE_HEADER_FULL };

/* What the names of cases begin with. */
#define AM_CAPTURE_PREFIX "case-"

/* Section "capture". */
struct am_capture_options {
    struct am_strlist when; /* results ("fail"), actions ("reject"), "observed", "failure" */
    int64_t sample;         /* one message of so many, whatever becomes of it; 0 = none */
    const char *directory;
    int64_t max_bytes;      /* of header and body of one message */
    int64_t max_cases;      /* in the directory */
    int64_t max_total_size; /* bytes of all of them */
    int header, body;       /* enums above */
    bool addresses;         /* local parts of envelope addresses are kept */
};

extern const struct am_section am_capture_section;

/* Judges the options together. Returns false with a sentence. */
bool am_capture_check(const struct am_config *config, struct am_problem *problem);

/* Tells whether any message may be kept. */
bool am_capture_is_on(const struct am_capture_options *options);

/* Tells whether cases can be written as the options say. Returns false with a sentence. Blocking.
 */
bool am_capture_try_directory(const struct am_capture_options *options, struct am_problem *problem);

/* What one connection keeps; see struct am_session. */
struct am_capture;

/*
 * Begins with a connection: puts itself between the session and its peer, and before its resolver.
 * Without capture, when memory is short, or when the message is played (am_runtime.reporter): that
 * one is nobody's mail, nothing is done.
 */
void am_capture_begin(struct am_session *session);

/* Ends it; session may be on its way out. */
void am_capture_end(struct am_session *session);

/* Says which stage the session is at: macros are asked for there. */
void am_capture_stage(struct am_session *session, enum am_stage stage);

/* The events of the session, as they come. `session->capture` may be NULL. */
void am_capture_connect(struct am_session *session, const char *name, const char *address);
/* HELO or EHLO. */
void am_capture_helo(struct am_session *session, const char *name);
/* MAIL, once its message is there. */
void am_capture_mail(struct am_session *session, const char *sender, const char *const *params,
                     size_t param_count);
/* RCPT that the MTA itself did not refuse; `verdict` is what the client was told. */
void am_capture_rcpt(struct am_session *session, const char *recipient, enum am_verdict verdict);
/* A header field, before anything is done to it. */
void am_capture_field(struct am_session *session, const char *name, const char *value);
/* A piece of the body. */
void am_capture_body_piece(struct am_session *session, struct am_span chunk);
/* The end of a message: writes the case if it is one to keep. Blocking: writes a file. */
void am_capture_message_end(struct am_session *session, const char *action,
                            const struct am_decision *decision);

#endif
