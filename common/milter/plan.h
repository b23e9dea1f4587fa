#ifndef AM_MILTER_PLAN_H
#define AM_MILTER_PLAN_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/milter/runtime.h"

/*
 * What a program wants from the MTA, derived from its modules' callbacks and
 * configuration and from what the framework itself needs. Pure: no libmilter, no state.
 *
 * The framework's own needs: connect, helo and MAIL for the facts that every module may read (none
 * of them is waited for); header fields only when forged ones are scrubbed; end of message always.
 * In shadow mode: all header fields, no action, and nothing is waited for but the end.
 */
struct am_plan {
    unsigned wants;   /* stages to be sent; enum am_stage */
    unsigned answers; /* stages at which the MTA waits, AM_STAGE_EOM always among them */
    unsigned actions; /* enum am_action */
    unsigned needs;   /* enum am_need */
};

/* What an MTA can do. */
struct am_offer {
    unsigned skippable; /* stages it can leave out */
    unsigned silent;    /* stages after which it can go on without an answer */
    unsigned actions;
    bool raw_headers, rejected_rcpt, skip_body, macro_lists;
};

/* What was agreed on for one connection. */
struct am_agreement {
    unsigned sent;     /* stages that come */
    unsigned answered; /* stages the MTA waits at */
    unsigned actions;  /* that may be taken */
    unsigned missing;  /* actions wanted and not offered */
    bool raw_headers;  /* header values keep their leading blank, and need one when sent */
    bool rejected_rcpt;
    bool skip_body; /* the MTA understands "no further chunk" */
};

/* Derives the plan of a configuration. Threads: any. */
struct am_plan am_plan_make(const struct am_runtime *runtime);

/* Lays a plan against what the MTA offers. */
struct am_agreement am_plan_negotiate(const struct am_plan *plan, const struct am_offer *offer);

/*
 * Writes the names of the macros to be sent at a stage, separated by blanks: the framework's and
 * those of the modules that want any of its stages. May be empty: then none are to be sent.
 */
void am_plan_macros(const struct am_runtime *runtime, const struct am_plan *plan,
                    enum am_stage stage, struct am_buf *out);

#endif
