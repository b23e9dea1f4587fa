#ifndef AUTHMILTER_TOOL_OPTIONS_H
#define AUTHMILTER_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem.h"

/* The command line of a command: a table of its options, and how a command complains. */

enum tool_option_kind {
    TOOL_OPTION_TEXT, /* the argument goes to a const char * */
    TOOL_OPTION_FLAG, /* no argument: a bool becomes true */
    TOOL_OPTION_CALL, /* the argument goes to a function */
};

/* One option; a table ends with a row of zeros. Text and flag are found at `offset`. */
struct tool_option {
    const char *name; /* without the two hyphens */
    enum tool_option_kind kind;
    size_t offset;
    /* Takes the argument. Returns false with a sentence. */
    bool (*take)(void *arguments, const char *text, struct am_problem *problem);
};

/* Rows of a table; MEMBER is one of the command's own `struct arguments`. */
#define TOOL_TEXT(NAME, MEMBER)                                                                    \
    {                                                                                              \
        .name = (NAME), .kind = TOOL_OPTION_TEXT, .offset = offsetof(struct arguments, MEMBER)     \
    }
#define TOOL_FLAG(NAME, MEMBER)                                                                    \
    {                                                                                              \
        .name = (NAME), .kind = TOOL_OPTION_FLAG, .offset = offsetof(struct arguments, MEMBER)     \
    }
#define TOOL_CALL(NAME, FUNCTION)                                                                  \
    {                                                                                              \
        .name = (NAME), .kind = TOOL_OPTION_CALL, .take = (FUNCTION)                               \
    }

/* Most options of a command. */
#define TOOL_OPTIONS_MAX 30

/* What a command line may hold. */
struct tool_usage {
    const char *command; /* "verify" */
    const char *help;    /* what --help prints */
    const struct tool_option *options;
};

/*
 * Reads the options into the command's structure; --help is answered here.
 *
 * Returns: -1 to go on, with the first other argument at getopt's `optind`; else the exit status.
 */
int tool_options_read(const struct tool_usage *usage, int argc, char **argv, void *arguments);

/* Says what is wrong with the command line, and where help is. Returns: AM_EXIT_USAGE. */
int tool_refuse(const struct tool_usage *usage, const char *message);

/* Says what went wrong. Returns: AM_EXIT_UNAVAILABLE. */
int tool_unavailable(const struct tool_usage *usage, const char *message);

/* Ends a command: returns the status, or AM_EXIT_UNAVAILABLE after a complaint when standard output
 * could not be written. */
int tool_finish(const struct tool_usage *usage, int status);

#endif
