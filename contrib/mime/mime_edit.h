#ifndef CONTRIB_MIME_MIME_EDIT_H
#define CONTRIB_MIME_MIME_EDIT_H

#include "contrib/mime/mime.h"

/* What a text in place of a part is, as the fields of its header say. */
#define AM_MIME_NOTICE_TYPE "text/plain; charset=utf-8"
#define AM_MIME_NOTICE_ENCODING "quoted-printable"

/* A part that goes, and the text in its place (UTF-8, lines ended by LF). */
struct am_mime_cut {
    const struct am_mime_part *part;
    const char *text;
};

/*
 * Appends a body in which texts stand in place of parts; every other octet is as it was. For the
 * message itself the text is all of the body, and the caller has to change its header.
 *
 * cuts: in the order of the message's list; what lies within a part that goes already is passed
 *   over.
 * Returns: false when memory or the buffer's limit does not suffice.
 */
bool am_mime_splice(struct am_buf *out, struct am_span body, const struct am_mime_cut *cuts,
                    size_t count);

/* Appends a text as quoted-printable (RFC 2045 section 6.7), each LF as a line end CR LF. */
void am_mime_put_quoted(struct am_buf *out, struct am_span text);

#endif
