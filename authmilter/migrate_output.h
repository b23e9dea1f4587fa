#ifndef AUTHMILTER_MIGRATE_OUTPUT_H
#define AUTHMILTER_MIGRATE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/problem.h"

/* Our files as they come into being: one configuration, and tables beside it. */

#define MIGRATE_FILES_MAX 4

struct migrate_setting {
    struct migrate_setting *next;
    const char *section; /* "dkim", or with a title: "override \"no mail\"" */
    const char *name;
    const char *value; /* as it is written in the file, quotes and all */
};

struct migrate_file {
    const char *name; /* without folder */
    struct am_buf text;
};

/* All zero is empty. */
struct migrate_output {
    struct migrate_setting *first, *last;
    struct migrate_file files[MIGRATE_FILES_MAX]; /* the configuration is the first */
    size_t count;
    bool failed; /* memory was short */
};

/* Sets an option to a word, number or other text that needs no quotes. It replaces an earlier
 * value. */
void migrate_set(struct migrate_output *output, struct am_arena *arena, const char *section,
                 const char *name, const char *value);

/* Sets an option to a text. What the file cannot hold, control characters, is left out. */
void migrate_set_text(struct migrate_output *output, struct am_arena *arena, const char *section,
                      const char *name, const char *text);

/* Adds a text to an option that is a list. */
void migrate_add_item(struct migrate_output *output, struct am_arena *arena, const char *section,
                      const char *name, const char *text);

/* Returns the value of an option as it will be written; NULL when it is not set. */
const char *migrate_setting_find(const struct migrate_output *output, const char *section,
                                 const char *name);

/* Begins a file and returns its text, to be appended to. NULL when there are MIGRATE_FILES_MAX. */
struct am_buf *migrate_file_add(struct migrate_output *output, const char *name);

/* Writes the settings into the first file, section by section. */
void migrate_output_finish(struct migrate_output *output);

/*
 * Writes the files into a folder, which is made when it is not there: all of them, or none when one
 * is there already and `force` is false.
 *
 * Returns: false with a sentence.
 */
bool migrate_output_write(const struct migrate_output *output, struct am_arena *arena,
                          const char *folder, bool force, struct am_problem *problem);

/* Frees the texts. */
void migrate_output_fini(struct migrate_output *output);

#endif
