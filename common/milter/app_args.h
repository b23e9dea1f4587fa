#ifndef AM_MILTER_APP_ARGS_H
#define AM_MILTER_APP_ARGS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/milter/app.h"

/* What the command line asks for. */
enum am_app_task {
    AM_APP_RUN,
    AM_APP_CHECK_CONFIG,
    AM_APP_SHOW_CONFIG,
    AM_APP_LIST_OPTIONS,
    AM_APP_VERSION,
    AM_APP_HELP,
};

struct am_app_args {
    enum am_app_task task;
    const char *config; /* given with -c; NULL = the default path if it exists */
    bool foreground;
    bool non_default;       /* with AM_APP_SHOW_CONFIG */
    const char **overrides; /* "section.name=value" in the order given; -s among them */
    size_t override_count;
    struct am_arena *arena; /* of the strings that were made */
};

/*
 * Reads the command line.
 *
 * Returns: false with a sentence on wrong usage.
 * Ownership: am_app_args_fini() in any case; other strings are argv's.
 */
bool am_app_args_parse(struct am_app_args *args, int argc, char **argv,
                       struct am_problem *problem) AM_MUST_USE;

/* Frees what parsing allocated. */
void am_app_args_fini(struct am_app_args *args);

#endif
