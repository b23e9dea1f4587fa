#ifndef AM_MILTER_DISPATCH_H
#define AM_MILTER_DISPATCH_H

#include "common/milter/session.h"

/* One event for the modules. Members beyond `stage` are set where they apply. */
struct am_event {
    enum am_stage stage;
    const struct am_address *recipient;
    const char *recipient_text; /* as it came */
    const struct am_esmtp_params *params;
    bool rejected;
    const struct am_header *field;
    struct am_span chunk;
    const char *command;
};

/* What the modules made of an event. */
struct am_outcome {
    struct am_decision decision;
    bool skip_body; /* no module needs a further chunk */
};

/*
 * Calls every module that wants the stage, in dependency order, each with the stage's deadline;
 * turns failures into results and the configured action; holds back what is only observed.
 *
 * Returns: the most severe of the decisions. Nothing is answered or kept here.
 * Blocking: as long as the modules do, bounded by the stage's budget.
 */
struct am_outcome am_dispatch(struct am_session *session, const struct am_event *event);

/* Calls msg_end (or conn_end) of every module; `aborted` calls their `abort` before. */
void am_dispatch_end(struct am_session *session, bool of_message, bool aborted);

#endif
