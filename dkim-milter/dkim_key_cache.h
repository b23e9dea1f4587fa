#ifndef DKIM_DKIM_KEY_CACHE_H
#define DKIM_DKIM_KEY_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_reason.h"

/*
 * Public keys that were made lately. A key is found by its type and the very octets of p=, so one
 * that was changed in the DNS is simply another key: how long a record is believed is the
 * resolver's matter alone. The number of keys is bounded; a new one takes the place of the one not
 * used for the longest time among a few, so junk from strangers costs no more than making its keys.
 *
 * Threads: any.
 */
struct dkim_key_cache;

struct dkim_key_cache_figures {
    size_t entries;
    uint64_t hits, misses, evicted; /* since the start */
};

/*
 * Makes a cache. capacity: rounded up to a power of two, 64 to 1,048,576; a key takes 2 to 6 KB.
 *
 * Returns: the cache, or NULL when memory is short or there are no random octets.
 * Ownership: freed with dkim_key_cache_free().
 */
struct dkim_key_cache *dkim_key_cache_new(size_t capacity) AM_MUST_USE;

/* Frees the cache; keys that were taken stay good until they are dropped. NULL is allowed. */
void dkim_key_cache_free(struct dkim_key_cache *cache);

/*
 * Finds the key of these octets or makes it. Octets that are no key are not remembered.
 *
 * cache: NULL makes the key anew each time.
 * Returns: what dkim_public_key_new() does.
 * Ownership: the caller drops `*key` with dkim_public_key_drop().
 * Blocking: only on a short lock.
 */
enum dkim_reason dkim_key_cache_take(struct dkim_key_cache *cache, enum dkim_key_type type,
                                     struct am_span octets, struct dkim_public_key **key);

/* Reads the figures. */
void dkim_key_cache_read_figures(struct dkim_key_cache *cache,
                                 struct dkim_key_cache_figures *figures);

#endif
