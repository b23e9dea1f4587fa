#ifndef DKIM_DKIM_SIGNING_TABLE_H
#define DKIM_DKIM_SIGNING_TABLE_H

#include "common/mail/address.h"
#include "dkim-milter/dkim_keys.h"

/*
 * Who signs with which keys. The most specific pattern wins, in this order:
 *
 *     user@example.org     that address
 *     example.org          any user of that domain; also written *@example.org or @example.org
 *     .example.org         any user of that domain or of one below it; the longest first
 *     news-*@*.example.org a glob, in the order of the file: "*" stands for any characters,
 *                          none too, but never for the "@"; one without "@" is held against
 *                          the domain; "*" alone fits everybody
 *
 * Letter case is ignored; domains may be written with U-labels. A pattern that comes again adds its
 * keys to those of the first.
 *
 * Threads: filling one; finding any.
 */
struct dkim_signing_table;

/* Globs are tried one by one for addresses that nothing else fits, so there is an end to them. */
#define DKIM_GLOBS_MAX 1000

struct dkim_signing_row {
    const char *pattern;
    size_t line; /* its number in the table, of the first one when it came again */
    unsigned count;
    uint32_t keys[DKIM_KEYS_PER_MESSAGE_MAX]; /* numbers of whoever fills it */
};

/* Makes a table for at most `capacity` rows. NULL when memory is short. Ownership: `arena`. */
struct dkim_signing_table *dkim_signing_table_new(struct am_arena *arena,
                                                  size_t capacity) AM_MUST_USE;

/*
 * Adds a row, or its keys to the row that has the pattern. Keys that are there already are passed
 * over.
 *
 * Returns: false with a sentence: no pattern, too many keys (those that have room are kept), memory
 *   short. Ownership: copies the pattern.
 */
bool dkim_signing_table_add(struct dkim_signing_table *table, struct am_span pattern,
                            const struct dkim_signing_row *row,
                            struct am_problem *problem) AM_MUST_USE;

/*
 * Returns the row of the most specific pattern, or NULL.
 *
 * address: its domain in lower-case A-labels. Nothing is allocated.
 */
const struct dkim_signing_row *dkim_signing_table_find(const struct dkim_signing_table *table,
                                                       struct am_arena *arena,
                                                       const struct am_address *address);

/* Returns the number of rows: patterns that differ. */
size_t dkim_signing_table_count(const struct dkim_signing_table *table);

/*
 * Tells whether a glob fits a text; letter case as it is. Time grows with the product of the
 * lengths at most; no recursion.
 */
bool dkim_glob_fits(struct am_span glob, struct am_span text);

#endif
