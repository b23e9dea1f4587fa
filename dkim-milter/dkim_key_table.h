#ifndef DKIM_DKIM_KEY_TABLE_H
#define DKIM_DKIM_KEY_TABLE_H

#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_table.h"

/*
 * One row of the key table: NAME DOMAIN SELECTOR KEYFILE [options]. The options:
 *
 *     algorithm=rsa-sha256     or ed25519-sha256: what the key must be
 *     headers=+X,-Y            changes to the list of signed fields
 *     identity=user@domain     i=; @domain too; the domain is the row's or below it
 *     expire=30d               x= so long after the signature; 0: no x=
 *
 * DOMAIN `%` stands for the domain of whoever is signed for.
 */
struct dkim_key_row {
    struct dkim_signing_key key; /* without `path` and `key` */
    bool names_algorithm;
    enum dkim_key_type algorithm; /* the key must be of this type */
};

/*
 * Reads a row.
 *
 * Returns: false with a sentence, which says nothing of the place.
 * Ownership: copied into `arena`. Threads: any.
 */
bool dkim_key_row_read(struct dkim_key_row *row, struct am_arena *arena,
                       const struct am_span columns[AM_ROWS_COLUMNS_MAX],
                       struct am_problem *problem) AM_MUST_USE;

/* Tells whether a key may stand under a row. Returns false with a sentence. */
bool dkim_key_row_fits(const struct dkim_key_row *row, const struct dkim_private_key *key,
                       struct am_problem *problem);

#endif
