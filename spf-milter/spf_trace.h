#ifndef SPF_SPF_TRACE_H
#define SPF_SPF_TRACE_H

#include "spf-milter/spf_check.h"

/* The steps of an evaluation. Beyond SPF_TRACE_MAX of them, or short of memory, steps are left out.
 */

#define SPF_TRACE_MAX 256

struct spf_lookup;

/* Adds a step whose outcome is "no match" until said otherwise. Returns its number for the calls
 * below. */
size_t spf_trace_add(struct spf_check *check, const struct spf_frame *frame, struct am_span term);

/* Notes what was asked and answered in a step. */
void spf_trace_answer(struct spf_check *check, size_t step, const struct spf_lookup *lookup);

/* Notes how a step ended, and the counts; `outcome` must live as long as the check. */
void spf_trace_outcome(struct spf_check *check, size_t step, const char *outcome);

#endif
