#ifndef AM_DNS_DNS_CACHE_H
#define AM_DNS_DNS_CACHE_H

#include "common/dns/dns_set.h"

/*
 * Answers kept until they expire, at most so many and so many bytes; the one
 * not used for the longest time goes first.
 *
 * Threads: one at a time: the owner's lock is held around every call.
 */
struct am_dns_cache;

struct am_dns_cache_figures {
    size_t entries, bytes;
    uint64_t evicted; /* to make room, since the start */
};

/*
 * Makes a cache.
 *
 * max_entries: at least 1. max_bytes: all memory of the entries.
 * Returns: the cache, or NULL when memory is short.
 * Ownership: freed with am_dns_cache_free().
 */
struct am_dns_cache *am_dns_cache_new(size_t max_entries, size_t max_bytes) AM_MUST_USE;

/* Frees the cache and drops its sets. NULL is allowed. */
void am_dns_cache_free(struct am_dns_cache *cache);

/*
 * Finds what is known and not expired.
 *
 * hash: am_dns_key_hash() of the question.
 * Returns: a new reference for the caller and the seconds left in `ttl_s`, or NULL.
 */
struct am_dns_set *am_dns_cache_find(struct am_dns_cache *cache, uint64_t hash,
                                     const struct am_dns_name *name, enum am_dns_type type,
                                     int64_t now_us, uint32_t *ttl_s) AM_MUST_USE;

/*
 * Keeps a set for its ttl, a day at most, in place of what was known. A set with
 * ttl 0 or larger than the whole cache is not kept; so is any when memory is short.
 */
void am_dns_cache_store(struct am_dns_cache *cache, uint64_t hash, const struct am_dns_name *name,
                        enum am_dns_type type, struct am_dns_set *set, int64_t now_us);

/* Reads the figures. */
void am_dns_cache_read_figures(const struct am_dns_cache *cache,
                               struct am_dns_cache_figures *figures);

#endif
