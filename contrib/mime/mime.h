#ifndef CONTRIB_MIME_MIME_H
#define CONTRIB_MIME_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/option.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The parts of a message, as a milter has it: fields that begin with "Content-" or "MIME-Version",
 * and the body. GMime parses, this bounds its work, makes a flat list of what it found, and knows
 * where each part stands in the body, so that whoever changes one part leaves every other octet
 * of the message as it is (mime_edit.h).
 *
 *     struct am_mime *mime = am_mime_open(arena, fields, body, &limits, &why);
 *     for (size_t i = 0; i < am_mime_count(mime); i++)
 *         look(am_mime_at(mime, i));
 *
 * Malformed messages have parts, too: what could be made of them, and am_mime_defects() says what
 * is wrong. Memory: at most three times the body, sixty times max_header and half a kilobyte for
 * each field. GLib ends the process when there is no memory at all. Threads: any; one at a time for
 * one message.
 */
struct am_mime;

/* What a message may cost. Beyond it nothing is parsed, or no more of it. */
struct am_mime_limits {
    size_t max_bytes;  /* of the body */
    size_t max_header; /* of the headers of all parts; and 100 fields for each of max_parts */
    size_t max_parts;  /* containers included */
    unsigned max_depth;
};

/* What is wrong with a message, as bits of a set. */
enum am_mime_defect {
    AM_MIME_FIELD = 1 << 0,       /* a line of a part's header is none */
    AM_MIME_CONFLICT = 1 << 1,    /* two fields or parameters that contradict each other */
    AM_MIME_NO_BOUNDARY = 1 << 2, /* a multipart without one */
    AM_MIME_STRUCTURE = 1 << 3,   /* a multipart that does not end, or has no parts */
    AM_MIME_EMPTY_PART = 1 << 4,  /* without header and content */
};

/* One part. All lives in the arena. */
struct am_mime_part {
    const char *path;        /* "1", "1.2", "1.2.1": its place; "1" is the message */
    const char *type;        /* "application/zip", in lower case */
    struct am_strlist names; /* each name that a mail client may take for its file's; may hold any
                                octet but NUL */
    unsigned depth;          /* 1: the message */
    bool is_container;       /* multipart, or a message within */
    bool is_piece;           /* message/partial, message/external-body: the content is elsewhere */
    bool is_message;         /* all of a message within: other fields of it are among its own */
    size_t start, content, end; /* in the body: its header, what is behind it, and its end. Without
                                   a header of its own `start` is `content` */
};

/*
 * Parses.
 *
 * fields: "Name: value" lines, each ended by LF, folds as LF + blank; only those that matter here.
 * body: must live as long as the message.
 * Returns: NULL with a sentence when it is beyond the limits, or memory is short.
 * Ownership: freed with the arena.
 */
struct am_mime *am_mime_open(struct am_arena *arena, struct am_span fields, struct am_span body,
                             const struct am_mime_limits *limits,
                             struct am_problem *why) AM_MUST_USE;

/* Returns a set of enum am_mime_defect. */
unsigned am_mime_defects(const struct am_mime *mime);

/* Returns the first defect of a set in words, or NULL for the empty set. */
const char *am_mime_defect_text(unsigned defects);

/* Tells whether parts beyond the limits were left out, or memory was short for some. */
bool am_mime_is_cut(const struct am_mime *mime);

/* Returns the number of parts. */
size_t am_mime_count(const struct am_mime *mime);

/* Returns a part: 0 is the message itself, each container comes ahead of what is in it. */
const struct am_mime_part *am_mime_at(const struct am_mime *mime, size_t index);

/*
 * Collects what a laxer reader of a malformed message may take for the name of a file: those of
 * all lines that look like a Content-Type or Content-Disposition, wherever they stand. In a sound
 * message such lines are text, and it collects nothing.
 *
 * Returns: false when there are too many, or memory is short. Ownership: the message's arena.
 */
bool am_mime_stray_names(const struct am_mime *mime, struct am_strlist *names);

/*
 * Appends a part's content with its transfer encoding undone; of a container, what stands there.
 *
 * Returns: false when it did not fit `out`'s limit; the beginning is there then.
 */
bool am_mime_decode(const struct am_mime *mime, size_t index, struct am_buf *out);

#endif
