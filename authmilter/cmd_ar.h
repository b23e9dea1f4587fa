#ifndef AUTHMILTER_CMD_AR_H
#define AUTHMILTER_CMD_AR_H

#include <stdio.h>

#include "common/base/problem.h"

/* The two halves of `authmilter ar`, and what both need. */

/* Exit status when something was read or written, but not all, or nothing was found. */
#define AR_EXIT_REFUSED 1

/* The file that a half reads. */
struct ar_source {
    FILE *file;
    const char *name; /* for messages */
};

/* Runs `authmilter ar parse`; argv[0] is "parse". Returns: the exit status. */
int ar_parse_run(int argc, char **argv);

/* Runs `authmilter ar format`; argv[0] is "format". Returns: the exit status. */
int ar_format_run(int argc, char **argv);

/* Says what is wrong, and where help is. Returns: AM_EXIT_USAGE. */
int ar_wrong_usage(const char *what);

/* Says on standard error what is wrong with the line of a source (0: with all of it). */
void ar_complain(const struct ar_source *source, size_t line, const char *format, ...)
    AM_PRINTF(3, 4);

/*
 * Opens the only argument that is no option: a file, or standard input for "-" or none. Says so
 * when there are more or it cannot be opened.
 *
 * Returns: 0, AM_EXIT_USAGE or AM_EXIT_UNAVAILABLE.
 * Ownership: the caller closes it with ar_source_close.
 */
int ar_source_open(struct ar_source *source, int argc, char **argv);

/*
 * Closes the source and sees to it that all was written to standard output.
 *
 * Returns: `status`, or AM_EXIT_UNAVAILABLE when it was not.
 */
int ar_source_close(struct ar_source *source, int status);

#endif
