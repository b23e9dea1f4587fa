#ifndef DKIM_DKIM_CANON_BODY_H
#define DKIM_DKIM_CANON_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"
#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_sink.h"

/*
 * Canonicalises a body that comes in chunks cut anywhere, also between CR and LF
 * and within a run of blanks. What may have to be dropped is held back as counts, so the
 * state never grows. Only CRLF ends a line and only SP and TAB are blanks; a bare CR
 * or LF, NUL, VT and FF are ordinary octets.
 *
 * simple (RFC 6376 3.4.3): empty lines at the end dropped, CRLF supplied when the body
 *   does not end with one; a body of nothing, or of empty lines, is one CRLF.
 * relaxed (RFC 6376 3.4.4): blanks at line ends dropped, other runs of them one SP, then
 *   empty lines at the end dropped, CRLF supplied unless nothing is left.
 *
 * A CR that is the very last octet is an ordinary one, and the supplied CRLF follows it.
 * Threads: one at a time per state.
 */
struct dkim_canon_body {
    enum dkim_canon canon;
    uint64_t held_lines; /* line ends not handed on yet */
    bool held_blank;     /* a run of blanks not handed on yet (relaxed) */
    bool held_cr;        /* the last octet was a CR */
    bool has_content;    /* something was handed on */
};

/* Begins a body. */
void dkim_canon_body_init(struct dkim_canon_body *body, enum dkim_canon canon);

/*
 * Takes the next chunk; an empty one changes nothing. The sink gets spans of the chunk
 * itself where it is canonical already, else of a buffer on the stack.
 */
void dkim_canon_body_update(struct dkim_canon_body *body, struct am_span chunk,
                            const struct dkim_sink *sink);

/* Ends the body: the sink gets what is missing. Only init may follow. */
void dkim_canon_body_finish(struct dkim_canon_body *body, const struct dkim_sink *sink);

#endif
