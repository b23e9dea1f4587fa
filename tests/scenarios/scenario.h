#ifndef AM_TESTS_SCENARIO_H
#define AM_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "authmilter/mta/script.h"
#include "common/base/buf.h"
#include "common/base/problem.h"

/*
 * A scenario file: what a person would tell another one about a mail and what
 * becomes of it. README.md of this folder is its manual.
 */

/* A file that the configuration refers to as @DIR@/NAME. */
struct scenario_file {
    char *name;
    struct am_buf text;
};

struct scenario {
    const char *path;
    char *program;        /* "spf-milter" unless the file says otherwise */
    char *title;          /* the first comment line */
    struct am_buf config; /* with @DIR@ for the directory of the run */
    struct am_buf zone;
    struct scenario_file *files;
    size_t file_count;
    struct mta_script mail;
};

/* Reads a file. Returns false with a sentence. Ownership: freed by scenario_fini(), also after
 * failure. */
bool scenario_read(struct scenario *scenario, const char *path,
                   struct am_problem *problem) AM_MUST_USE;

/* Frees what scenario_read() made. */
void scenario_fini(struct scenario *scenario);

#endif
