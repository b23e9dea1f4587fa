#ifndef AUTHMILTER_MIGRATE_SET_H
#define AUTHMILTER_MIGRATE_SET_H

#include "authmilter/migrate.h"

/* A data set of OpenDKIM: a list of values, or a file with a key and its values in each row. */

struct migrate_row {
    const char *key, *value; /* value: "" without one */
    size_t line;             /* of the file; 0 in a list */
};

struct migrate_set_rows {
    struct migrate_row *rows;
    size_t count;
    bool patterns; /* refile: keys are globs, and the first that fits counts */
};

/*
 * Reads "file:PATH", "refile:PATH", "csl:LIST", a path or a list. What cannot be read, or is of a
 * kind that has no counterpart (a database), is reported.
 *
 * Returns: false when there is nothing to go on with.
 */
bool migrate_set_read(struct migrate *migrate, const struct migrate_line *line,
                      struct migrate_set_rows *out);

/* Makes a path absolute; NULL when nobody knows where it begins, or memory is short. */
const char *migrate_path(const struct migrate *migrate, const char *path);

#endif
