#ifndef AM_MILTER_OUTCOME_H
#define AM_MILTER_OUTCOME_H

#include "common/milter/reply.h"
#include "common/milter/runtime.h"

/* What became of a message, as data: for tools that play one, and for cases that keep one. */

/* A value of the message's line in the log. */
struct am_outcome_note {
    const char *key, *value;
};

struct am_outcome {
    const char *action;               /* "accept", "reject", "tempfail", "quarantine", "discard" */
    const char *stage, *module, *why; /* of a verdict; NULL = none */
    const char *reply;                /* "550 5.7.23 text", lines joined by LF; NULL = none */
    const char *observed;             /* the first verdict that was only observed; NULL = none */
    const char *quarantine;
    struct am_strlist refused; /* "<recipient> 550 5.7.7 text": refused recipients */
    struct am_strlist edits; /* "insert 0 Name: value", "delete 2 Name", "from <a>", "rcpt+ <a>" */
    struct am_results results;
    struct am_outcome_note *notes;
    size_t note_count;
};

/* Who takes it down while it happens. */
struct am_outcome_taker {
    struct am_arena *arena; /* of all that is taken */
    struct am_outcome *outcome;
    const char *reply; /* of the last verdict; NULL = none */
    bool failed;       /* memory was short */
    bool ended;        /* the outcome is known */
};

/*
 * Adds a text to a list of the outcome, which nothing else adds to. Returns false when memory is
 * short, or was for the text (NULL). Ownership: the text is kept as it is.
 */
bool am_outcome_add(struct am_outcome_taker *taker, struct am_strlist *list, const char *text);

/* Takes a reply of the modules as a client reads it. Returns false when memory is short. */
bool am_outcome_take_reply(struct am_outcome_taker *taker, const struct am_reply *reply);

/* Takes an edit, formatted as am_outcome.edits has it. Returns false when memory is short. */
bool am_outcome_take_edit(struct am_outcome_taker *taker, const char *format, ...) AM_PRINTF(2, 3);

/*
 * Takes results, notes and decision of the message that ends; what a reporter is told. An aborted
 * one (decision NULL) has no action, and does not end the taking. `failed` tells of short memory.
 */
void am_outcome_take_end(struct am_outcome_taker *taker, const struct am_session *session,
                         const char *action, const struct am_decision *decision);

#endif
