#ifndef TESTS_SUITES_DIFFERENTIAL_KINDS_H
#define TESTS_SUITES_DIFFERENTIAL_KINDS_H

#include "spf-milter/spf.h"

/* A check on which the engines disagree. */
struct difference {
    const struct spf_request *request;
    const struct spf_outcome *ours, *theirs;
    struct am_arena *arena;
};

/* A kind of difference, and why our result is the right one. */
struct difference_kind {
    const char *name;
    const char *why;
    bool (*applies)(const struct difference *difference);
};

#define DIFFERENCE_KINDS_MAX 32

/* In the order in which they are tried; ends with a null name. */
extern const struct difference_kind difference_kinds[];

/* Returns the index of the first kind that applies, or -1. */
int difference_kind(const struct difference *difference);

#endif
