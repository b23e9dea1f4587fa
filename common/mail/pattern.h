#ifndef AM_MAIL_PATTERN_H
#define AM_MAIL_PATTERN_H

#include "common/base/option.h"
#include "common/base/table.h"
#include "common/mail/address.h"

/*
 * A set of address and domain patterns, each with a number. The most specific
 * pattern wins, in this order:
 *
 *     user@example.org   that address
 *     example.org        any user of that domain (also written @example.org)
 *     .example.org       any user of that domain or of one below it; the longest first
 *     user@  or  user    that local part in any domain ("user": only without a dot)
 *     <>                 the null sender
 *
 * Letter case is ignored throughout, in local parts too, as access tables of
 * MTAs do. Domains may be written with U-labels.
 *
 * Threads: filling one; reading any.
 */
struct am_patterns;

/* Makes a set of at most `capacity` patterns. NULL when memory is short. Ownership: `arena`. */
struct am_patterns *am_patterns_new(struct am_arena *arena, size_t capacity) AM_MUST_USE;

/*
 * Makes a set of a list of patterns; each one's number is its index.
 * Returns NULL with a sentence when one is wrong or memory is short.
 */
struct am_patterns *am_patterns_of(struct am_arena *arena, const struct am_strlist *list,
                                   struct am_problem *problem) AM_MUST_USE;

/* Judges one pattern; the check of option rows. Returns false with a sentence. */
bool am_pattern_check(const char *pattern, struct am_problem *problem);

/*
 * Adds a pattern, unless it is there already.
 *
 * Returns: the number the set holds for it now, or AM_TABLE_NONE with a sentence when it is
 *   no pattern or memory is short.
 */
uint32_t am_patterns_add(struct am_patterns *set, struct am_span pattern, uint32_t value,
                         struct am_problem *problem);

/*
 * Returns the number of the most specific pattern that matches an address, or
 * AM_TABLE_NONE. `arena` is used for domains with U-labels only.
 */
uint32_t am_patterns_find(const struct am_patterns *set, struct am_arena *arena,
                          const struct am_address *address);

/* The same for a bare domain name (HELO, PTR). */
uint32_t am_patterns_find_domain(const struct am_patterns *set, struct am_arena *arena,
                                 struct am_span domain);

/* Tells whether the set holds no pattern. */
bool am_patterns_is_empty(const struct am_patterns *set);

#endif
