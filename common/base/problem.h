#ifndef AM_BASE_PROBLEM_H
#define AM_BASE_PROBLEM_H

#include <stdbool.h>

#define AM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define AM_MUST_USE __attribute__((warn_unused_result))

/*
 * A sentence for a person: what is wrong, where, and how to mend it.
 *
 * Functions that can fail for a reason an administrator has to act on take a
 * `struct am_problem *` and fill it before they return false.
 */
struct am_problem {
    char text[1024];
};

/*
 * Formats the sentence. A text that does not fit ends in "[...]" so that the
 * cut is seen. Control characters are replaced by '?'.
 *
 * Returns: always false, so that callers can write
 * `return am_problem_set(problem, ...)`. `problem` may be NULL.
 */
bool am_problem_set(struct am_problem *problem, const char *format, ...) AM_PRINTF(2, 3);

#endif
