#ifndef AR_LENIENT_H
#define AR_LENIENT_H

#include "authres/ar_lex.h"

/*
 * There is one grammar. Where it would fail, a lenient reader asks for a pardon, or
 * takes the failure back and goes on behind what it cannot read. To a strict reader
 * all functions here say false.
 */

/* What has been forgiven up to some point. */
struct ar_mark {
    size_t count, run_end;
};

/* Returns what has been forgiven so far. */
struct ar_mark ar_mark(const struct ar_lex *lex);

/* Takes back what was forgiven since. */
void ar_forget(struct ar_lex *lex, struct ar_mark mark);

/* Notes a pardon. Returns: false when strict or without memory. */
bool ar_forgive(struct ar_lex *lex, enum ar_pardon pardon, size_t offset);

/* The same for all from `start` to `end`; a run that goes on where the last one ended is one. */
bool ar_forgive_run(struct ar_lex *lex, enum ar_pardon pardon, size_t start, size_t end);

/*
 * Takes a syntax error back, and what was forgiven since `mark` save for what is wrong with
 * characters: they have been passed for good. Returns: false when strict.
 */
bool ar_recover(struct ar_lex *lex, struct ar_mark mark);

/* Tells whether the octet at the position continues a word, so that this did not end. */
bool ar_goes_on(const struct ar_lex *lex);

/* Returns the length of the control character at the position, 0 when there is none. */
size_t ar_control_at(const struct ar_lex *lex);

/* Copies as ar_lex_keep does, with blanks for control characters and U+FFFD for malformed UTF-8. */
bool ar_keep_clean(struct ar_lex *lex, size_t start, size_t end, bool resolve, struct ar_text *out);

/* Passes everything up to a semicolon outside quotes and comments, or to the end. */
bool ar_skip(struct ar_lex *lex);

/* Passes one character or quoted string that means nothing where it stands. */
bool ar_skip_one(struct ar_lex *lex);

/* Passes what stands in an authserv-id's place up to a blank, comment, semicolon or equals sign. */
bool ar_skip_id(struct ar_lex *lex);

/* Tells whether "name=" or "ptype.name=" stands at `start`, before the position. */
bool ar_begins_property(const struct ar_lex *lex, size_t start);

#endif
