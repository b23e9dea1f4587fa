#ifndef AM_MILTER_HEADER_OUT_H
#define AM_MILTER_HEADER_OUT_H

#include "common/milter/session.h"

/*
 * Writes the Authentication-Results fields of the open message and sends them to the top of it:
 * one for all results, or one per method with `authres.combine = no`. Without any result the field
 * is "<authserv-id>; none" (RFC 8601 section 2.2), so that a reader sees that the message was
 * looked at. A text that a field cannot carry is left out, its result stays, and the log says so.
 *
 * Returns: false when a field could not be made or sent.
 * Blocking: while the MTA does not read.
 */
bool am_header_out_send(struct am_session *session) AM_MUST_USE;

/* Tells whether a text can serve as authserv-id. */
bool am_header_out_id_ok(const char *id);

#endif
