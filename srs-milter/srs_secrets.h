#ifndef SRS_SRS_SECRETS_H
#define SRS_SRS_SECRETS_H

#include <stddef.h>

#include "common/base/arena.h"

/* The keys of the hashes: a file with one secret a line, the newest first. */

/* Most secrets of a file, and the shortest and longest one in octets. */
#define SRS_SECRETS_MAX 16
#define SRS_SECRET_MIN 12
#define SRS_SECRET_MAX 512

/* Immutable; the octets are wiped when the arena goes. */
struct srs_secrets {
    struct am_span items[SRS_SECRETS_MAX];
    size_t count;
};

/*
 * Takes secrets from a text: one a line, blanks at its ends dropped, empty lines and such that
 * begin with '#' passed over.
 *
 * Returns: NULL with a sentence that names the line, never the secret. Ownership: `arena`.
 */
const struct srs_secrets *srs_secrets_parse(struct am_arena *arena, struct am_span text,
                                            struct am_problem *problem) AM_MUST_USE;

/*
 * Reads them from a file, which nobody may read but its owner and group, and nobody write but its
 * owner.
 *
 * Returns: NULL with a sentence that names the file and the command that mends it.
 * Blocking: reads the file. Ownership: `arena`.
 */
const struct srs_secrets *srs_secrets_read(struct am_arena *arena, const char *path,
                                           struct am_problem *problem) AM_MUST_USE;

#endif
