#ifndef AM_MILTER_NATIVE_MACROS_H
#define AM_MILTER_NATIVE_MACROS_H

#include <stdbool.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The macros an MTA has sent, kept as they came, by the stage they were sent for. A value holds
 * until the same stage, or one before it, comes again.
 */

/* Most bytes of one stage's macros. */
#define AM_NATIVE_MACROS_MAX ((size_t)64 * 1024)

/* Stages that have macros of their own, with their numbers in the protocol. */
enum am_native_macro_stage {
    AM_NATIVE_MACROS_CONNECT,
    AM_NATIVE_MACROS_HELO,
    AM_NATIVE_MACROS_MAIL,
    AM_NATIVE_MACROS_RCPT,
    AM_NATIVE_MACROS_DATA,
    AM_NATIVE_MACROS_EOM,
    AM_NATIVE_MACROS_EOH,
    AM_NATIVE_MACRO_STAGES
};

struct am_native_macros {
    char *texts[AM_NATIVE_MACRO_STAGES]; /* name NUL value NUL ... */
    unsigned lengths[AM_NATIVE_MACRO_STAGES];
};

/*
 * Keeps the content of a macro packet: the command it belongs to, then names and values. Those of
 * commands that have no stage above are dropped.
 * Returns: false when it is malformed, too long, or memory is short.
 */
bool am_native_macros_set(struct am_native_macros *self, struct am_span content) AM_MUST_USE;

/*
 * Returns a macro's value, of the latest stage that has it, or NULL. A one-letter name is the same
 * with and without braces.
 */
const char *am_native_macros_find(const struct am_native_macros *self, const char *name);

/* Forgets the macros of a stage and of those after it. */
void am_native_macros_clear(struct am_native_macros *self, enum am_native_macro_stage from);

#endif
