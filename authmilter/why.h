#ifndef AUTHMILTER_WHY_H
#define AUTHMILTER_WHY_H

#include <stdio.h>

#include "authmilter/decision_read.h"

/* What the log says of one message, gathered and told. */

/* Most lines of one queue id that are kept: the latest ones. */
#define WHY_LINES_MAX 64

struct why {
    const char *id;
    struct why_line {
        struct am_arena *arena; /* what the line is in */
        struct decision_line *line;
        int64_t time_s; /* where a program said it in front; -1: a log, in its own order */
        size_t number;  /* of those that were taken */
    } lines[WHY_LINES_MAX];
    size_t count, taken;
};

/* Frees the lines. */
void why_fini(struct why *why);

/* Takes a line of a log if it is about the message. Returns false when memory is short. */
bool why_take(struct why *why, struct am_span line) AM_MUST_USE;

/* The same for a text of lines. */
bool why_take_all(struct why *why, struct am_span text) AM_MUST_USE;

/* Puts the lines in the order of their times; those of one second, and those of a log, as they
 * came. To be called before they are written. */
void why_sort(struct why *why);

/* Writes sentences. */
void why_text(const struct why *why, FILE *out);

/* Writes an object for each line. Returns false when memory is short. */
bool why_json(const struct why *why, FILE *out);

#endif
