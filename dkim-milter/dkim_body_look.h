#ifndef DKIM_DKIM_BODY_LOOK_H
#define DKIM_DKIM_BODY_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

/*
 * What in a body other MTAs change on its way, so that its signature breaks: octets above
 * 127, which are encoded where 8BITMIME is not offered (RFC 6152), and lines above 998 octets
 * (RFC 5321 section 4.5.3.1.6), which Postfix and others divide. Costs next to nothing: lines
 * are skipped over, not counted.
 */
struct dkim_body_look {
    bool want_8bit; /* look for octets above 127 */
    bool has_8bit;
    bool has_long;
    size_t since; /* octets since the last line end, at most DKIM_LINE_MAX + 2 */
};

/* Longest line without its end (RFC 5321 section 4.5.3.1.6). */
#define DKIM_LINE_MAX 998

/* Begins. */
void dkim_body_look_init(struct dkim_body_look *look, bool want_8bit);

/* Takes the next octets of the body, CRLF at line ends. */
void dkim_body_look_update(struct dkim_body_look *look, struct am_span chunk);

/* Ends: judges the last line, which need not have an end. */
void dkim_body_look_finish(struct dkim_body_look *look);

#endif
