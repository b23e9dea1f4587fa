#ifndef AUTHMILTER_TOOL_NAME_H
#define AUTHMILTER_TOOL_NAME_H

#include "common/base/arena.h"
#include "common/base/problem.h"

/* The names of DKIM on a command line. U-labels are taken too (RFC 8616). */

/* Returns a signing domain in A-labels, or NULL with a sentence. Ownership: `arena`. */
const char *tool_name_domain(struct am_arena *arena, const char *text,
                             struct am_problem *problem) AM_MUST_USE;

/* Returns a selector in A-labels, or NULL with a sentence. Ownership: `arena`. */
const char *tool_name_selector(struct am_arena *arena, const char *text,
                               struct am_problem *problem) AM_MUST_USE;

/*
 * Judges an identity as it stands in i=, not encoded: "@example.org", "user@lists.example.org".
 *
 * domain: d=, in A-labels.
 * Returns: false with a sentence: malformed, or neither in nor below the domain.
 */
bool tool_name_check_identity(struct am_arena *arena, const char *text, const char *domain,
                              struct am_problem *problem);

#endif
