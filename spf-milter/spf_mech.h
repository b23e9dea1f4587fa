#ifndef SPF_SPF_MECH_H
#define SPF_SPF_MECH_H

#include "spf-milter/spf_check.h"

/* The mechanisms of RFC 7208 section 5, except include, which is an evaluation of its own. */

enum spf_match {
    SPF_NO_MATCH,
    SPF_MATCH,
    SPF_MATCH_ERROR, /* the evaluation ended: temperror or permerror */
};

/* Returns the type of address record that the client's address calls for. */
enum am_dns_type spf_address_type(const struct spf_check *check);

/* Tells whether an answer of that type contains the client's very address. */
bool spf_answer_has_client(const struct spf_check *check, const struct am_dns_answer *answer);

/* Tells whether an ip4 or ip6 term contains the client; false for any other term. */
bool spf_term_matches_address(const struct spf_check *check, const struct spf_term *term);

/*
 * Expands the name a term is about: its domain-spec, or the current domain.
 *
 * Returns: false when there is none to ask: the term needs a local part that
 * is not ASCII (RFC 8616 section 4: it never matches), or memory is short.
 * Blocking: for %{p}, until the deadline of the check at most.
 */
bool spf_term_target(struct spf_check *check, const struct spf_term *term,
                     const struct spf_name *domain, struct spf_name *target);

/*
 * Counts a term that causes look-ups, before it is evaluated.
 *
 * Returns: false when there were too many; the evaluation has then ended.
 */
bool spf_term_count(struct spf_check *check, const struct spf_term *term);

/*
 * Evaluates a mechanism that is not an include. On SPF_MATCH_ERROR `*result` holds
 * the result of the evaluation.
 *
 * Blocking: until the deadline of the check at most.
 */
enum spf_match spf_term_match(struct spf_check *check, const struct spf_frame *frame,
                              const struct spf_term *term, enum spf_result *result);

#endif
