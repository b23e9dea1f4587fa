#ifndef AUTHMILTER_MIGRATE_FINDING_H
#define AUTHMILTER_MIGRATE_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/arena.h"

/* What became of the options of a foreign configuration, for people and as JSON. */

enum migrate_kind {
    MIGRATE_TRANSLATED, /* an option of ours says the same */
    MIGRATE_SAME,       /* we do so without being told */
    MIGRATE_CHANGED,    /* it will be otherwise; mostly safer */
    MIGRATE_NONE,       /* nothing here does that */
    MIGRATE_MEND,    /* something has to be done before it works: a key that cannot be read, say */
    MIGRATE_UNKNOWN, /* no such option is known */
    MIGRATE_KINDS
};

struct migrate_finding {
    struct migrate_finding *next;
    enum migrate_kind kind;
    const char *file;
    size_t line;
    const char *option, *value; /* as they stand there */
    const char *text;           /* a sentence without a full stop */
};

/* All zero is none. `lost`: memory was short for one. */
struct migrate_findings {
    struct migrate_finding *first, *last;
    size_t counts[MIGRATE_KINDS];
    bool lost;
};

/* Adds one; copies nothing. */
void migrate_finding_add(struct migrate_findings *findings, struct am_arena *arena,
                         const struct migrate_finding *finding);

/* Returns the word of a kind: "translated", "same", "changed", "none", "mend", "unknown". */
const char *migrate_kind_word(enum migrate_kind kind);

/* Prints the findings as lines "FILE:LINE: WORD: Option: sentence". */
void migrate_findings_print(const struct migrate_findings *findings, bool all, FILE *out);

/* Returns them as a JSON array; NULL when memory is short. */
json_t *migrate_findings_json(const struct migrate_findings *findings);

#endif
