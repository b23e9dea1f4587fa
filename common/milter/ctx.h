#ifndef AM_MILTER_CTX_H
#define AM_MILTER_CTX_H

#include "common/milter/session.h"

/* What a callback is given: whose it is, of which session, until when. Lives on the stack. */
struct am_ctx {
    struct am_session *session;
    const struct am_runtime_module *entry;
    size_t number; /* of the module in dependency order */
    enum am_stage stage;
    int64_t deadline_us;
    const struct am_reply *reply; /* set by the callback */
};

/* The first member makes am_eom_ctx_base() a cast the right way round. */
struct am_eom_ctx {
    struct am_ctx base;
};

/* Notes and counts a verdict that is not carried out. */
void am_ctx_hold_back(struct am_ctx *ctx, enum am_verdict verdict, const char *why);

#endif
