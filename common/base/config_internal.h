#ifndef AM_BASE_CONFIG_INTERNAL_H
#define AM_BASE_CONFIG_INTERNAL_H

#include "common/base/config.h"

/* Shared by the config_*.c files only. */

/* The values of one section of the schema: one struct, or for a repeated one any number. */
struct am_config_slot {
    const struct am_section *section;
    void **items;
    size_t count;
};

struct am_config {
    struct am_arena *arena; /* of all values */
    am_schema schema;
    struct am_config_slot *slots; /* one per section, in schema order */
    size_t slot_count;
};

/* Finds a section of the schema by name; NULL when there is none. */
const struct am_section *am_schema_find(am_schema schema, const char *name);

/* Finds a row of a section by name; NULL when there is none. */
const struct am_option *am_section_find(const struct am_section *section, const char *name);

/* Returns the known name most like `name`, or NULL when none is near. `section` NULL: sections. */
const char *am_schema_nearest(am_schema schema, const struct am_section *section, const char *name);

/* Returns the slot of a section of the schema; NULL when there is none. */
struct am_config_slot *am_config_slot(const struct am_config *config, const char *name);

/* Makes a section struct filled with defaults; NULL with a sentence. Ownership: `arena`. */
void *am_section_new(const struct am_section *section, struct am_arena *arena,
                     struct am_problem *problem);

/*
 * Checks the outer form of a file and rewrites it for libConfuse: comments
 * gone, bare words quoted, line numbers kept.
 *
 * Returns: false with a sentence that begins with `name` and the line.
 */
bool am_config_scan(struct am_span text, const char *name, struct am_buf *out,
                    struct am_problem *problem);

/* Reads scanned text into `config`. Returns false with a sentence. */
bool am_config_read(struct am_config *config, const char *text, const char *name,
                    struct am_problem *problem);

/* Applies one "section.name=value". Returns false with a sentence. */
bool am_config_override(struct am_config *config, const char *text, struct am_problem *problem);

#endif
