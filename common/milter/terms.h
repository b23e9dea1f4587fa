#ifndef AM_MILTER_TERMS_H
#define AM_MILTER_TERMS_H

#include <stdint.h>

#include "common/milter/plan.h"

/*
 * The terms of a negotiation as the protocol's numbers, which both transports exchange with the
 * MTA, and as what plan.h calls offer and agreement. Pure.
 */
struct am_terms {
    uint32_t version, actions, steps;
};

/* Returns what an MTA that offers `terms` can do. */
struct am_offer am_terms_offer(const struct am_terms *terms);

/* Returns our answer to `offered`; its version is the one offered. */
struct am_terms am_terms_answer(const struct am_terms *offered,
                                const struct am_agreement *agreement);

/* Tells whether an MTA that was answered with `steps` waits at `stage`. */
bool am_terms_waits(uint32_t steps, enum am_stage stage);

/*
 * Hands the list of macros of each stage that has one to `take`, with the stage's number in the
 * protocol. A list replaces the MTA's own; an empty one spares it the work.
 * names: NULL when memory was short.
 */
void am_terms_macro_lists(const struct am_runtime *runtime, const struct am_plan *plan,
                          void (*take)(void *user, int stage, const char *names), void *user);

/* Logs a line for each of the actions. `missing`: a set of enum am_action. */
void am_terms_tell_missing(unsigned missing);

#endif
