#ifndef TESTS_SUITES_DKIM_KINDS_H
#define TESTS_SUITES_DKIM_KINDS_H

#include "dkim-milter/dkim_verify.h"
#include "tests/suites/dkim/scenario.h"

/* A signature on which the engines disagree. */
struct difference {
    const struct scenario *scenario;
    const struct signature *signature;
    struct am_span text; /* of the signature as the engines got it */
    const struct dkim_outcome *ours, *theirs;
};

/* A kind of difference, and why our result is the right one. */
struct difference_kind {
    const char *name;
    const char *why;
    bool (*applies)(const struct difference *difference);
};

#define DIFFERENCE_KINDS_MAX 64

/* In the order in which they are tried; ends with a null name. */
extern const struct difference_kind difference_kinds[];

/* Returns the index of the first kind that applies, or -1. */
int difference_kind(const struct difference *difference);

#endif
