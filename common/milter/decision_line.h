#ifndef AM_MILTER_DECISION_LINE_H
#define AM_MILTER_DECISION_LINE_H

#include "common/milter/session.h"

/*
 * The lines that say what became of mail, an interface described in docs/log-lines.md.
 * Nothing is done when the level is not logged.
 */

/* Writes the decision line of the message that is open. `action` is the word for what became of it.
 */
void am_decision_line_message(const struct am_session *session, const char *action,
                              const struct am_decision *decision);

/* Writes the line of a verdict on a connection or a command outside a message. */
void am_decision_line_connection(const struct am_session *session,
                                 const struct am_decision *decision);

/* Writes the line of a refused recipient. */
void am_decision_line_recipient(const struct am_session *session, const char *recipient,
                                const struct am_decision *decision);

#endif
