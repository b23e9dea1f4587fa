#ifndef AM_MILTER_REPLY_H
#define AM_MILTER_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

/* Most lines of a reply, and most octets of a line's text before `%` is doubled (RFC 5321 section
 * 4.5.3.1.5 allows 512 octets with code, enhanced code and CRLF). */
#define AM_REPLY_LINES_MAX 32
#define AM_REPLY_LINE_MAX 480

/* An SMTP reply, ready for the milter protocol: every `%` of its lines is doubled. */
struct am_reply {
    int code;           /* 400..599 */
    char xcode[12];     /* "5.7.23", or "" */
    const char **lines; /* at least one */
    size_t line_count;
    const char *log_text; /* the first line as a person reads it */
};

/*
 * Makes a reply out of a text of one or more lines joined by LF. Control and 8-bit
 * bytes become '?', long lines are split at a blank; lines beyond AM_REPLY_LINES_MAX
 * are cut and the last one ends in "[...]".
 *
 * xcode: enhanced status code of the same class as `code` (RFC 3463), or NULL.
 * Returns: the reply, or NULL when the codes are wrong or do not agree, or memory is short.
 * Ownership: `arena`.
 */
const struct am_reply *am_reply_new(struct am_arena *arena, int code, const char *xcode,
                                    const char *text) AM_MUST_USE;

/*
 * Returns a reply as a client reads it: "550 5.7.23 text", lines joined by LF, each `%` once. NULL
 * when memory is short. Ownership: `arena`.
 */
const char *am_reply_text(struct am_arena *arena, const struct am_reply *reply) AM_MUST_USE;

/*
 * Copies `text` with every control byte as '?', and every 8-bit byte too unless `utf8`.
 * Returns: the copy in `arena`, or NULL when memory is short.
 */
char *am_reply_clean(struct am_arena *arena, const char *text, bool utf8) AM_MUST_USE;

#endif
