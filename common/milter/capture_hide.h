#ifndef AM_MILTER_CAPTURE_HIDE_H
#define AM_MILTER_CAPTURE_HIDE_H

#include "common/milter/case.h"

/* What capture.addresses = no takes out of a case. */

/*
 * Returns an envelope address with "x" for its local part: "<x@example.com>", "<>". NULL when
 * memory is short. Ownership: arena.
 */
const char *am_capture_hide_address(struct am_arena *arena, const char *text);

/*
 * Returns any text with "x" for each local part in it: what stands before an "@", back to a
 * character that no local part has without quotes, or "=". NULL when memory is short, or `text` is
 * NULL. Ownership: arena.
 */
const char *am_capture_hide_text(struct am_arena *arena, const char *text);

/*
 * Returns any text with "x" for each of its words that is one of the local part `local`, in any
 * letter case, as it is or as SPF escapes it (RFC 7208 section 7.3). Words are runs of letters,
 * digits and octets above 127. NULL when memory is short, or `text` is NULL. Ownership: arena.
 */
const char *am_capture_hide_words(struct am_arena *arena, const char *text, const char *local);

/* Tells whether a text whose words were hidden may stand for another one: a word "x" for any. */
bool am_capture_hidden_equals(const char *hidden, const char *text);

/*
 * Hides local parts and logins in all of a filled case but header and body; also what SPF macros
 * have made of the sender's local part in names of the DNS and in explanations. Edits and notes,
 * which are of free form, are left out.
 *
 * local: part of the sender. Returns: false when memory is short: the case is not to be written
 * then.
 */
bool am_capture_hide(struct am_arena *arena, struct am_case *kept, const char *local) AM_MUST_USE;

#endif
