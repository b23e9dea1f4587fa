#ifndef AM_MILTER_SHADOW_H
#define AM_MILTER_SHADOW_H

#include "common/milter/shadow_claims.h"

/*
 * Shadow mode (milter.shadow): the program stands behind another milter, does all its work,
 * compares what comes of it with what the other has written, logs and counts each difference, and
 * changes nothing: it asks the MTA for no action, gives no verdict and sends no edit.
 *
 * The others' word is what stands in Authentication-Results fields of
 * milter.shadow_authserv_ids, and, for mail that is ours to sign, the DKIM-Signature fields.
 */

struct am_session;

/* Most fields of one message that are looked at. */
#define AM_SHADOW_FIELDS_MAX 200

/* What the others say about one message. All zero is nothing. */
struct am_shadow {
    struct am_shadow_claims results, signatures;
    size_t fields;
    bool compared;
    size_t same, differs;
};

/* Tells whether the program runs in shadow mode: nothing may be changed then. */
bool am_shadow_is_on(const struct am_session *session);

/* Takes note of a field of the open message; called for each, top first. */
void am_shadow_take(struct am_session *session, struct am_span name, struct am_span value);

/* Compares at the end of the message: logs and counts, and keeps the sums for the decision line. */
void am_shadow_finish(struct am_session *session);

#endif
