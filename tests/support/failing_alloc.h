#ifndef TESTS_SUPPORT_FAILING_ALLOC_H
#define TESTS_SUPPORT_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes allocations fail on purpose. A program that uses it compiles failing_alloc.c and links with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc (FAILING_ALLOC_LINK in CMake); allocations inside
 * shared libraries are not touched.
 * Threads: one.
 */

/* Lets `successes` allocations pass from now on; the one after them fails, later ones pass again.
 */
void failing_alloc_start(size_t successes);

/* Ends it. Returns whether an allocation was made to fail. */
bool failing_alloc_stop(void);

#endif
