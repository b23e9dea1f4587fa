#ifndef SPF_SPF_EVAL_H
#define SPF_SPF_EVAL_H

#include "spf-milter/spf_check.h"

/* Evaluates the first domain of a check, and what it includes and redirects to. */
enum spf_result spf_eval(struct spf_check *check);

/*
 * Fetches and expands the explanation of the record that said fail
 * (RFC 7208 section 6.2). Any error means that there is none.
 *
 * Returns: printable ASCII, at most 512 octets, or NULL.
 * Blocking: until the deadline of the check at most.
 */
const char *spf_explain(struct spf_check *check, const struct spf_frame *frame);

#endif
