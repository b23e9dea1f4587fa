#ifndef SPF_SPF_MACRO_H
#define SPF_SPF_MACRO_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/span.h"

/*
 * Macro strings (RFC 7208 section 7). Checking is apart from expanding: a
 * record is checked as a whole before anything of it is used (section 4.6).
 */

struct spf_check;
struct spf_name;

/* What a macro string refers to. */
enum spf_macro_flag {
    SPF_MACRO_ANY = 1 << 0,   /* it holds a '%' */
    SPF_MACRO_LOCAL = 1 << 1, /* %{s} or %{l}: the local part (RFC 8616 section 4) */
    SPF_MACRO_PTR = 1 << 2,   /* %{p}: expanding it asks the DNS */
};

/* Where a macro string stands. */
enum spf_macro_place {
    SPF_MACRO_IN_RECORD,  /* macro-string */
    SPF_MACRO_IN_DOMAIN,  /* domain-spec: must end in a top label or a macro */
    SPF_MACRO_IN_EXPLAIN, /* explain-string: blanks and the letters c, r, t too */
};

/*
 * Checks the grammar.
 *
 * flags: receives a set of enum spf_macro_flag; may be NULL.
 * Returns: whether the text is valid at that place.
 */
bool spf_macro_check(struct am_span text, enum spf_macro_place place, unsigned *flags);

/*
 * Expands a checked domain-spec to the name to ask: at most 253 octets, whole
 * labels cut from the left (section 7.3), the final dot removed.
 *
 * domain: the current <domain>.
 * Returns: false when memory is short.
 * Blocking: for %{p}, until the deadline of the check at most.
 */
bool spf_macro_expand_domain(struct spf_check *check, struct am_span spec, unsigned flags,
                             const struct spf_name *domain, struct spf_name *out);

/*
 * Expands an explanation into printable ASCII, at most `limit` octets.
 *
 * Returns: the text, or NULL when it breaks the grammar or memory is short.
 * Blocking: for %{p}, until the deadline of the check at most.
 */
const char *spf_macro_expand_explanation(struct spf_check *check, struct am_span text, size_t limit,
                                         const struct spf_name *domain);

#endif
