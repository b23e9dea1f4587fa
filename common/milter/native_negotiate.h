#ifndef AM_MILTER_NATIVE_NEGOTIATE_H
#define AM_MILTER_NATIVE_NEGOTIATE_H

#include "common/base/buf.h"
#include "common/milter/terms.h"

/* The packets of a negotiation. Pure. */

/* Reads the MTA's packet. Returns false when it is too short or its version is not spoken. */
bool am_native_terms_read(struct am_terms *terms, struct am_span content) AM_MUST_USE;

/* Appends our answer, with the lists of macros where the MTA takes them. */
void am_native_put_negotiation(struct am_buf *out, const struct am_terms *answer, bool macro_lists,
                               const struct am_runtime *runtime, const struct am_plan *plan);

#endif
