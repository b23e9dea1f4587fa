#ifndef AM_MILTER_MESSAGE_H
#define AM_MILTER_MESSAGE_H

#include "common/milter/edits.h"
#include "common/milter/header_index.h"
#include "common/milter/module.h"
#include "common/milter/scrub.h"
#include "common/milter/shadow.h"
#include "common/milter/verdict.h"

/* What one module has done with the message so far; bits. */
enum am_module_flag {
    AM_MODULE_DONE = 1 << 0,      /* wants no more callbacks */
    AM_MODULE_SKIP_BODY = 1 << 1, /* wants no more chunks */
    AM_MODULE_PUBLISHED = 1 << 2,
};

/* One value of the decision line. */
struct am_note {
    struct am_note *next;
    const char *key; /* "<module>_<key>" */
    const char *value;
};

/*
 * A message from MAIL to its end. It lives in its own arena, which goes with it.
 */
struct am_message {
    struct am_arena *arena;
    struct am_msg_info info;
    struct am_results results; /* those of the connection first */
    struct am_edits edits;
    struct am_scrub_list scrub;
    struct am_shadow shadow; /* what the milter before us says; with milter.shadow */
    struct am_header_index index;
    struct am_decision kept; /* verdicts that wait for the end of message */
    struct am_note *notes, *last_note;
    const char *observed;     /* the first verdict that observe mode held back, in words; or NULL */
    const char *quarantine;   /* set by am_ctx_set_quarantine(); or NULL */
    const char *failures;     /* modules that could not do their work; or NULL */
    int64_t spent_us;         /* in our callbacks */
    int64_t content_spent_us; /* of it since the headers began */
    int64_t header_bytes;
    bool folds_by_lf; /* a field came with a fold that was LF, not CR LF */
    size_t rejected_rcpts;
    bool accepted;  /* no module is asked any more */
    bool outgoing;  /* this site's own: without results it gets no field */
    bool put_off;   /* came while the program was stopping */
    uint8_t *flags; /* of enum am_module_flag, per module */
    void **state;   /* per module */
};

/* Most bytes one message may take; a new body of a module is the largest part of it. */
#define AM_MESSAGE_MEMORY_MAX ((size_t)96 * 1024 * 1024)

struct am_session;

/*
 * Starts a message: sender as it came with its parameters (copied).
 *
 * Returns: false when memory is short; `session->message` is NULL then.
 */
bool am_message_begin(struct am_session *session, const char *sender, const char *const *params,
                      size_t param_count) AM_MUST_USE;

/* How a message ended. */
enum am_message_end {
    AM_MESSAGE_VERDICT, /* with the decision given */
    AM_MESSAGE_ABORTED, /* RSET, lost client, or the next MAIL without an end of this one */
};

/*
 * Ends the message, if there is one: tells the modules, writes the decision line, counts, frees.
 * May be called at any time and any number of times. `decision` may be NULL for "aborted".
 */
void am_message_end(struct am_session *session, enum am_message_end how,
                    const struct am_decision *decision);

/* Learns the queue id from the MTA as soon as it knows one. */
void am_message_learn_queue_id(struct am_session *session);

/* Allocates the per-module state blocks: an array of pointers, NULL for modules without state. */
void **am_module_states(struct am_arena *arena, const struct am_runtime *runtime, bool per_message);

#endif
