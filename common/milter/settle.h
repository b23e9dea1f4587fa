#ifndef AM_MILTER_SETTLE_H
#define AM_MILTER_SETTLE_H

#include "common/milter/dispatch.h"

/*
 * Dispatches an event and settles what comes of it: what is answered now, what is
 * kept for the end of message, what ends the message. For every stage but the end of message.
 *
 * Returns: what to answer; anything but CONTINUE only where the MTA waits for it.
 */
enum am_verdict am_settle_event(struct am_session *session, const struct am_event *event);

/* Hands the reply of a REJECT or TEMPFAIL to the peer; without one the MTA takes its own text. */
void am_settle_reply(struct am_session *session, const struct am_decision *decision);

#endif
