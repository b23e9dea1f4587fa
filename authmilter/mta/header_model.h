#ifndef AUTHMILTER_MTA_HEADER_MODEL_H
#define AUTHMILTER_MTA_HEADER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * The header block of a message and what becomes of it when a milter edits it,
 * the way Postfix does:
 *
 * - the MTA's own Received field stands first and is not shown to the milter;
 * - insert positions count it: 0 is above it, 1 below it, past the end appends;
 * - change and delete positions do not: Received 1 is the first one that came in;
 * - position 0 of a change means 1; a change of a field that is not there appends;
 *   a deletion of a field that is not there does nothing;
 * - edits apply one after the other, so positions move with every deletion.
 */
struct mta_header {
    char *name;
    char *value; /* starts right behind the colon; folds are LF + blank */
    bool own;    /* the MTA's own Received field */
};

struct mta_header_model {
    struct mta_header *items;
    size_t count;
    size_t capacity;
    bool failed; /* memory was short: the model is not to be trusted any more */
};

/* Frees all fields and leaves an empty model. */
void mta_headers_clear(struct mta_header_model *model);

/* Adds a field at the end. `own` marks the MTA's own Received field. */
void mta_headers_append(struct mta_header_model *model, const char *name, const char *value,
                        bool own);

/* Inserts a field, `position` counted from 0 at the top. */
void mta_headers_insert(struct mta_header_model *model, uint32_t position, const char *name,
                        const char *value);

/* Changes instance `index` of a name; an empty value deletes it. */
void mta_headers_change(struct mta_header_model *model, uint32_t index, const char *name,
                        const char *value);

/* Returns instance `index` (1 = first, the MTA's own field included) of a name, or NULL. */
const struct mta_header *mta_headers_find(const struct mta_header_model *model, const char *name,
                                          size_t index);

/* Appends the block as text, "Name:value" and LF for each field. */
void mta_headers_print(const struct mta_header_model *model, struct am_buf *out);

#endif
