#ifndef TESTS_SUITES_DIFFERENTIAL_ABNF_H
#define TESTS_SUITES_DIFFERENTIAL_ABNF_H

#include <stdbool.h>

#include "common/base/span.h"

/*
 * A judge that shares no code with either engine: the grammar of RFC 7208
 * section 12 as one regular expression for a term.
 */

/* Tells whether the record, version included, follows the grammar. */
bool abnf_accepts(struct am_span record);

/* Tells whether a modifier that must come once (redirect, exp) comes twice. */
bool abnf_has_second_modifier(struct am_span record);

/*
 * Tells whether a valid record holds something that libspf2 refuses: a length of /0, a
 * delimiter "/" or ",", an upper-case R, a modifier with a dot in its name.
 */
bool abnf_has_refused_feature(struct am_span record);

#endif
