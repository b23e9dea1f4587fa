#ifndef TESTS_AUTHMILTER_PROGRAM_H
#define TESTS_AUTHMILTER_PROGRAM_H

#include <stddef.h>

/* Runs the program itself: what a person or a script sees of it. */

/* What the latest run printed on both outputs; NUL-terminated. */
extern char program_output[65536];
extern size_t program_output_len;

/* Runs "authmilter ARGUMENTS" in a shell, after `before` (may be ""). Returns the exit status. */
int program_run(const char *before, const char *arguments);

#endif
