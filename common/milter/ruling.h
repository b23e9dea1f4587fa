#ifndef AM_MILTER_RULING_H
#define AM_MILTER_RULING_H

#include "common/milter/override.h"

/* What a module decided, with what is said about it. */
struct am_ruling {
    struct am_policy_decision decision;
    bool transient; /* it follows from a result that may pass by itself (temperror): if this is only
                       observed, it would have been a tempfail */
    /* Of a refusal: what stands after the class of its enhanced status code (RFC 3463), "7.23" for
     * 5.7.23 or 4.7.23, and its text, lines joined by LF; NULL: the framework's reply serves. */
    const char *status;
    const char *text;
};

/* What was told about rulings on a message already: a part of the module's msg_size state. */
struct am_ruling_state {
    bool rule_noted;
    bool quarantine_set;
};

/*
 * Carries a ruling on the message or on one recipient out: notes once which option decided ("rule",
 * with the override if one did), and sets the reply or the reason of the quarantine; an observed
 * one is only noted and counted.
 *
 * Returns: the verdict for the callback to return: CONTINUE, QUARANTINE, TEMPFAIL or REJECT.
 */
enum am_verdict am_ruling_carry_out(struct am_ctx *ctx, struct am_ruling_state *state,
                                    const struct am_ruling *ruling);

#endif
