#ifndef CONTRIB_MIME_DANGER_H
#define CONTRIB_MIME_DANGER_H

#include "common/base/arena.h"
#include "common/base/option.h"
#include "common/base/span.h"

/* Names and contents of files that are dangerous to open. Pure: no I/O, no clock. */

/* Kinds of files, told by the extensions of their names. */
struct am_danger;

/* Extensions that do something when they are opened, by default: programs, scripts, links,
 * installers, images of disks. Comma-separated. */
extern const char am_danger_defaults[];

/*
 * Makes a list of extensions ("exe", ".exe"; letter case does not matter).
 *
 * Returns: NULL when memory is short. Ownership: `arena`.
 */
const struct am_danger *am_danger_new(struct am_arena *arena,
                                      const struct am_strlist *extensions) AM_MUST_USE;

/*
 * Judges a name as the systems of its readers would take it: what stands behind the last slash or
 * backslash, without what is invisible or dropped at its end (blanks, dots, control characters,
 * directional marks), and in front of a colon or NUL too. Look-alike letters are other letters.
 *
 * name: UTF-8 or not; a NUL, or U+FFFD for it, is a character.
 * Returns: why it is dangerous, in words ("its kind: exe"), or NULL for a harmless one. Also when
 *   memory is short: "memory is short".
 * Ownership: `arena`.
 */
const char *am_danger_of_name(const struct am_danger *danger, struct am_arena *arena,
                              struct am_span name);

/* Judges the first octets of a file: "a Windows program", ... or NULL. */
const char *am_danger_of_content(struct am_span head);

/* Octets of a file that am_danger_of_content() wants to see. */
#define AM_DANGER_HEAD 64

#endif
