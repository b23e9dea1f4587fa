#ifndef AM_BASE_TABLE_H
#define AM_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A hash table from short keys to numbers, filled once (such as when a configuration
 * is opened) and only read afterwards. Lists of any length cost one look-up.
 *
 * Keys are hashed from their last byte to the first, so that a caller who walks
 * up a domain name ("a.b.example.org", "b.example.org", ...) hashes each byte once.
 *
 * Threads: filling one; reading any.
 */
struct am_table;

/* What a look-up returns when there is no such key. */
#define AM_TABLE_NONE UINT32_MAX

/*
 * Makes a table for at most `capacity` keys.
 * Returns NULL when memory is short. Ownership: lives as long as `arena`.
 */
struct am_table *am_table_new(struct am_arena *arena, size_t capacity) AM_MUST_USE;

/* Returns the hash of the empty key of a kind; kinds keep equal keys apart. */
uint64_t am_table_seed(uint8_t kind);

/* Returns the hash of a key with one more byte in front. */
static inline uint64_t am_table_step(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

/*
 * Adds a key, unless it is there already.
 *
 * Returns: the value the table now holds for the key: `value`, or that of the first who added
 *   it; AM_TABLE_NONE when the table or memory is full.
 * Ownership: copies the key.
 */
uint32_t am_table_put(struct am_table *table, uint8_t kind, struct am_span key, uint32_t value);

/* Returns the value of a key, or AM_TABLE_NONE. */
uint32_t am_table_get(const struct am_table *table, uint8_t kind, struct am_span key);

/* The same with the hash known: seed of the kind, stepped over the key's bytes from the last to the
 * first. */
uint32_t am_table_find(const struct am_table *table, uint8_t kind, uint64_t hash,
                       struct am_span key);

#endif
