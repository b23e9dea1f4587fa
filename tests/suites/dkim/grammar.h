#ifndef TESTS_SUITES_DKIM_GRAMMAR_H
#define TESTS_SUITES_DKIM_GRAMMAR_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * RFC 6376 sections 3.2, 3.5 and 3.6.1 as regular expressions: a second reading of the grammar that
 * knows nothing of the parsers.
 */

/* Tells whether a signature keeps the grammar, each tag that is known for itself included. */
bool grammar_accepts_signature(struct am_span raw);

/* Tells whether a tag is there twice. */
bool grammar_has_double(struct am_span text);

/*
 * Returns the value of the first tag of a name, without white space around it; NULL when it is
 * not there. Ownership: `arena`.
 */
const char *grammar_value(struct am_arena *arena, struct am_span text, const char *name);

/* Tells whether a POSIX extended expression matches in a text, folds as they are. */
bool grammar_matches(struct am_span text, const char *expression);

#endif
