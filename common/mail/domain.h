#ifndef AM_MAIL_DOMAIN_H
#define AM_MAIL_DOMAIN_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * Domain names as they stand in mail: A-labels, U-labels (RFC 5890, 8616), an
 * optional final dot. Comparisons are made on lower-case A-labels without it.
 *
 * Threads: any; nothing here keeps state.
 */

/* Longest domain name in text form without the final dot (RFC 1035: 255 octets on the wire). */
#define AM_DOMAIN_MAX 253

/*
 * Tells whether `text` is a syntactically valid domain name of mail: labels of
 * 1..63 letters, digits, hyphens or underscores (ASCII), joined by dots, at
 * most AM_DOMAIN_MAX octets, an optional final dot. Address literals are not.
 */
bool am_domain_is_valid(struct am_span text);

/* Tells whether `text` is a valid domain name with at least two labels (RFC 7208 section 4.3). */
bool am_domain_is_multi_label(struct am_span text);

/*
 * Converts to lower-case A-labels without a final dot, with IDNA 2008 (UTS 46
 * non-transitional) for labels that hold UTF-8. The result may still be an
 * invalid domain name: ask am_domain_is_valid().
 *
 * Labels in ASCII are lower-cased and not judged. There is no second try with
 * transitional rules: they name another host ("strasse" for "straße").
 *
 * Returns: the name, or NULL when a label cannot be converted (not UTF-8, not allowed by IDNA 2008,
 * too long), `text` holds a NUL, or memory is short. Ownership: lives as long as `arena`.
 */
const char *am_domain_to_ascii(struct am_arena *arena, struct am_span text) AM_MUST_USE;

/* Tells whether two ASCII names are equal: letter case and one final dot ignored. */
bool am_domain_equal(struct am_span a, struct am_span b);

/* Tells whether `name` equals `parent` or is below it: letter case and final dots ignored. */
bool am_domain_is_within(struct am_span name, struct am_span parent);

#endif
