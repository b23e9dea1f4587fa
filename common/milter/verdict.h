#ifndef AM_MILTER_VERDICT_H
#define AM_MILTER_VERDICT_H

#include "common/milter/module.h"
#include "common/milter/reply.h"

/*
 * What is to happen to a message or connection, and who wants it so.
 * All zero is "go on". Texts belong to an arena that lives as long.
 */
struct am_decision {
    enum am_verdict verdict;      /* CONTINUE, ACCEPT, QUARANTINE, TEMPFAIL, DISCARD or REJECT */
    const char *module;           /* who decided; NULL = the framework */
    const char *why;              /* for the log, and the reason of a quarantine; may be NULL */
    const struct am_reply *reply; /* NULL = the MTA's own text */
    const char *stage;            /* where: "mail", "rcpt", "eom", ...; NULL = nowhere yet */
};

/* Returns how severe a verdict is; AM_DONE, AM_SKIP_BODY and AM_FAIL count as AM_CONTINUE. */
int am_verdict_severity(enum am_verdict verdict);

/* Returns the word of a verdict in logs: "continue", "accept", "quarantine", ... */
const char *am_verdict_word(enum am_verdict verdict);

/* Returns the word of a stage in logs: "connect", "mail", "rcpt", "eom", ... */
const char *am_stage_word(enum am_stage stage);

/* Lets the more severe decision win; among equals the one that is there already. */
void am_decision_merge(struct am_decision *into, const struct am_decision *other);

/* Tells whether a reply may go with a verdict: 5xx with REJECT, 4xx with TEMPFAIL. */
bool am_verdict_takes_reply(enum am_verdict verdict, const struct am_reply *reply);

#endif
