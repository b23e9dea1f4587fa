#ifndef AUTHMILTER_CHECK_POSTCONF_H
#define AUTHMILTER_CHECK_POSTCONF_H

#include "common/base/arena.h"
#include "common/base/problem.h"

/* Most octets of either output that are taken, and how long the program may run. */
#define CHECK_OUTPUT_MAX ((size_t)1 << 20)
#define CHECK_RUN_MS 20000

/* What a program printed; NUL-terminated. */
struct check_output {
    const char *out, *err;
};

/*
 * Runs a program without a shell and takes what it prints.
 *
 * argv: argv[0] is looked up in PATH; ends with NULL.
 * Returns: false with a sentence: it cannot be started, prints too much, takes too long, ends with
 *   another status than 0.
 * Ownership: `arena`. Blocking: up to CHECK_RUN_MS.
 */
bool check_postconf_run(struct am_arena *arena, const char *const *argv,
                        struct check_output *output, struct am_problem *problem) AM_MUST_USE;

#endif
