#ifndef CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_H
#define CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_H

#include "contrib/mime/archive.h"
#include "contrib/mime/danger.h"
#include "contrib/mime/mime.h"

/*
 * The engine: which parts of a message are dangerous, and the message without them. Pure: memory
 * in, memory out.
 */

/* What becomes of archives that cannot be judged by their names. */
enum attachment_archives {
    ATTACHMENT_KEEP,   /* nobody knows, and they pass */
    ATTACHMENT_REMOVE, /* they count as dangerous */
    ATTACHMENT_LOOK,   /* of archives within archives: one level of them is opened */
};

struct attachment_rules {
    const struct am_danger *danger;
    bool contents; /* known by their first octets, too */
    bool archives; /* are opened */
    enum attachment_archives nested, unreadable, encrypted;
    struct am_mime_limits limits;
    struct am_archive_budget budget; /* of one message */
};

/* One part that is dangerous. */
struct attachment_finding {
    const struct am_mime_part *part;
    const char *name; /* of the file, printable; "" when it has none */
    const char *why;  /* "its kind: exe", "in the archive, \"a.scr\": its kind: scr", ... */
};

/* What was seen of a message. */
struct attachment_report {
    struct attachment_finding *findings; /* in the order of the parts */
    size_t count;
    const char *hidden;    /* a dangerous name outside of all parts, and why; or NULL */
    const char *malformed; /* what is wrong with it, in words; or NULL */
    const char *unseen;    /* why not all of it was looked at; or NULL */
};

/*
 * Looks at a message.
 *
 * fields, body: as am_mime_open() takes them.
 * Returns: false when memory is short.
 * Ownership: `arena`. Blocking: never; archives cost time up to the budget.
 */
bool attachment_look(struct attachment_report *report, struct am_arena *arena,
                     const struct attachment_rules *rules, struct am_span fields,
                     struct am_span body) AM_MUST_USE;

/*
 * Appends the body with a text in place of each finding.
 *
 * notice: a sentence of the site behind what was removed and why, or "".
 * by: who removed it, "mx.example.org".
 * Returns: false when memory is short.
 */
bool attachment_replace(struct am_buf *out, struct am_arena *arena,
                        const struct attachment_report *report, struct am_span body,
                        const char *notice, const char *by) AM_MUST_USE;

/* Tells whether the message itself is one of the findings, so that its header has to change. */
bool attachment_is_whole(const struct attachment_report *report);

#endif
