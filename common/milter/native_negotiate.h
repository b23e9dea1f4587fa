#ifndef AM_MILTER_NATIVE_NEGOTIATE_H
#define AM_MILTER_NATIVE_NEGOTIATE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/milter/plan.h"

/* Negotiation: what plan.h calls offer and agreement, as bits on the wire. Pure. */

/* The fields of a negotiation packet. */
struct am_native_terms {
    uint32_t version, actions, steps;
};

/* Reads the MTA's packet. Returns false when it is too short or its version is not spoken. */
bool am_native_terms_read(struct am_native_terms *terms, struct am_span content) AM_MUST_USE;

/* Returns what the MTA can do. */
struct am_offer am_native_offer(const struct am_native_terms *terms);

/* Returns our answer's numbers. */
struct am_native_terms am_native_answer_terms(const struct am_native_terms *offered,
                                              const struct am_agreement *agreement);

/* Tells whether an MTA that was answered with `steps` waits at `stage`. */
bool am_native_waits(uint32_t steps, enum am_stage stage);

/*
 * Appends the answer, with the lists of macros where the MTA takes them. A list replaces the
 * MTA's own; an empty one spares it the work.
 */
void am_native_put_negotiation(struct am_buf *out, const struct am_native_terms *answer,
                               const struct am_runtime *runtime, const struct am_plan *plan);

/* Logs a line for each of the actions. `missing`: a set of enum am_action. */
void am_native_tell_missing(unsigned missing);

#endif
