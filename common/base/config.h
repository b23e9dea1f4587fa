#ifndef AM_BASE_CONFIG_H
#define AM_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/option.h"
#include "common/base/problem.h"

/*
 * A configuration file, read and checked against sections of option rows.
 * The syntax is libConfuse's:
 *
 *     dns { nameservers = { "127.0.0.1:5353" } timeout = 2s }
 *     override "partners" { client = { "192.0.2.0/24" } mailfrom_fail = accept }
 *
 * Comments are "#" and "//" at the start of a word to the end of the line, and
 * between slash-star and star-slash. A bare word goes up to a blank or one of # " ' { } = , and
 * every other character of it counts. In double quotes \\ \" \$ \n \t are escapes; in single quotes
 * \\ and \'. A string ends on its line. Environment variables, "~" and includes are not expanded:
 * "${" outside single quotes is refused. A list option may be given one value without braces. An
 * option or a plain section that comes twice is refused, never silently the last one.
 *
 * An am_config never changes after it was loaded, but for am_config_keep_start_only().
 * Threads: loading one at a time in a process; reading from any thread.
 */
struct am_config;

/* The sections a program knows; the array ends with NULL. */
typedef const struct am_section *const *am_schema;

/*
 * Reads a file, then applies overrides ("section.name=value", as given with -o).
 *
 * path: NULL reads no file: defaults and overrides only.
 * overrides: a list is given comma-separated; a repeated section cannot be set this way.
 * Returns: the configuration, or NULL with a sentence that holds file, line and mend.
 * Ownership: the caller frees it with am_config_free().
 */
struct am_config *am_config_load(am_schema schema, const char *path, const char *const *overrides,
                                 size_t override_count, struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory; `name` stands for the file in messages. */
struct am_config *am_config_parse(am_schema schema, const char *text, const char *name,
                                  const char *const *overrides, size_t override_count,
                                  struct am_problem *problem) AM_MUST_USE;

/* Frees the configuration and all its values. NULL is allowed. */
void am_config_free(struct am_config *config);

/* Returns the values of a plain section; never NULL for a section of the schema. */
const void *am_config_section(const struct am_config *config, const char *name);

/* Returns the number of instances of a repeated section. */
size_t am_config_count(const struct am_config *config, const char *name);

/* Returns the values of instance `index` of a repeated section, in file order. */
const void *am_config_item(const struct am_config *config, const char *name, size_t index);

/*
 * Copies into `target` what options marked AM_OPTION_START_ONLY hold in `running`.
 *
 * Plain sections only. A value that cannot be copied because memory is short keeps the new value,
 * and `changed` says so.
 *
 * Returns: the number of options whose value differed; their names, comma-separated, in `changed`.
 */
size_t am_config_keep_start_only(struct am_config *target, const struct am_config *running,
                                 struct am_buf *changed);

/* Prints the effective configuration in the file's own syntax; secrets are masked. */
void am_config_print(const struct am_config *config, bool non_default_only, FILE *out);

/* Prints every option: name, kind and range, default, help. One line each. */
void am_config_list_options(am_schema schema, FILE *out);

/*
 * Returns a digest of the effective values of a section, of all sections with NULL (FNV-1a, 64
 * bits): equal values, equal digest.
 */
uint64_t am_config_digest(const struct am_config *config, const char *section);

#endif
