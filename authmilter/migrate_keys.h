#ifndef AUTHMILTER_MIGRATE_KEYS_H
#define AUTHMILTER_MIGRATE_KEYS_H

#include "authmilter/migrate_set.h"

/* The keys of a foreign configuration, as rows of our key table. */

struct migrate_key {
    const char *origin; /* the name in the foreign table */
    const char *name;   /* in ours */
    const char *domain, *selector, *path;
    bool path_varies; /* a % in the path stands for the domain that is signed for */
    const struct migrate_line *line;
    bool told; /* it was judged, or could not be used and that was said */
};

struct migrate_keys {
    struct migrate_key *items;
    size_t count, capacity;
};

/* Adds a key. Returns false when memory is short. */
bool migrate_key_add(struct migrate *migrate, struct migrate_keys *keys,
                     const struct migrate_key *key);

/* Reads a KeyTable; the names of its keys get `suffix` behind them. */
void migrate_keys_read(struct migrate *migrate, struct migrate_keys *keys,
                       const struct migrate_line *line, const char *suffix);

/*
 * Finds what to write into the signing table for the key `origin` under a pattern: the names of our
 * keys with commas between them. Keys whose path depends on the domain, or with a signer (i=),
 * become rows of their own.
 *
 * domain: that all addresses of the pattern have; NULL when there are several. signer: or NULL.
 * Returns: "" when there is none.
 */
const char *migrate_keys_resolve(struct migrate *migrate, struct migrate_keys *keys,
                                 const char *origin, const char *domain, const char *signer);

/* Writes our key table and judges the files of the keys. */
void migrate_keys_write(struct migrate *migrate, struct migrate_keys *keys, struct am_buf *out);

#endif
