#ifndef SPF_SPF_PTR_H
#define SPF_SPF_PTR_H

#include "spf-milter/spf_check.h"
#include "spf-milter/spf_mech.h"

/*
 * The client's validated names (RFC 7208 section 5.5): the PTR records of its
 * address, those whose own addresses contain it. Asked once in an evaluation.
 */

/*
 * Tells whether a validated name of the client is `target` or below it.
 *
 * lookup: receives the PTR look-up, for the trace.
 * Blocking: until the deadline of the check at most.
 */
enum spf_match spf_ptr_matches(struct spf_check *check, const struct spf_name *target,
                               struct spf_lookup **lookup);

/*
 * Returns what %{p} stands for (section 7.3): the domain itself if the client
 * has that name, else a name below it, else any validated name, else
 * "unknown".
 * Blocking: until the deadline of the check at most.
 */
const char *spf_ptr_best_name(struct spf_check *check, const struct spf_name *domain);

#endif
