#include "common/dns/dns_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define TTL_MAX_S 86400
#define FIRST_BUCKETS 64

/* What the allocator takes for itself, for an entry and its set. */
#define ALLOCATOR_BYTES 32

struct entry {
    struct entry *chain;
    TAILQ_ENTRY(entry) age;
    struct am_dns_set *set;
    uint64_t hash;
    int64_t expires_us;
    uint16_t type;
    uint8_t name_len;
    uint8_t name[];
};

TAILQ_HEAD(age_list, entry);

struct am_dns_cache {
    struct entry **buckets;
    size_t bucket_count;  /* a power of two; grows with the entries, so that an idle program stays
                             small */
    struct age_list ages; /* used last comes first */
    size_t max_entries, max_bytes;
    struct am_dns_cache_figures figures;
};

struct am_dns_cache *am_dns_cache_new(size_t max_entries, size_t max_bytes)
{
    struct am_dns_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL)
        return NULL;
    TAILQ_INIT(&cache->ages);
    cache->max_entries = max_entries;
    cache->max_bytes = max_bytes;
    cache->bucket_count = FIRST_BUCKETS;
    cache->buckets = calloc(cache->bucket_count, sizeof(*cache->buckets));
    if (cache->buckets == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

static size_t cost(size_t name_len, const struct am_dns_set *set)
{
    return sizeof(struct entry) + name_len + set->bytes + ALLOCATOR_BYTES;
}

static struct entry **bucket_of(const struct am_dns_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void remove_entry(struct am_dns_cache *cache, struct entry *entry)
{
    struct entry **link = bucket_of(cache, entry->hash);

    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
    TAILQ_REMOVE(&cache->ages, entry, age);
    cache->figures.entries--;
    cache->figures.bytes -= cost(entry->name_len, entry->set);
    am_dns_set_drop(entry->set);
    free(entry);
}

void am_dns_cache_free(struct am_dns_cache *cache)
{
    struct entry *entry;

    if (cache == NULL)
        return;
    while ((entry = TAILQ_FIRST(&cache->ages)) != NULL)
        remove_entry(cache, entry);
    free(cache->buckets);
    free(cache);
}

static struct entry *find_entry(const struct am_dns_cache *cache, uint64_t hash,
                                const struct am_dns_name *name, enum am_dns_type type)
{
    for (struct entry *entry = *bucket_of(cache, hash); entry != NULL; entry = entry->chain) {
        if (entry->hash == hash && entry->type == (uint16_t)type && entry->name_len == name->len &&
            memcmp(entry->name, name->wire, name->len) == 0)
            return entry;
    }
    return NULL;
}

struct am_dns_set *am_dns_cache_find(struct am_dns_cache *cache, uint64_t hash,
                                     const struct am_dns_name *name, enum am_dns_type type,
                                     int64_t now_us, uint32_t *ttl_s)
{
    struct entry *entry = find_entry(cache, hash, name, type);

    if (entry == NULL)
        return NULL;
    if (entry->expires_us <= now_us) {
        remove_entry(cache, entry);
        return NULL;
    }
    if (entry != TAILQ_FIRST(&cache->ages)) {
        TAILQ_REMOVE(&cache->ages, entry, age);
        TAILQ_INSERT_HEAD(&cache->ages, entry, age);
    }
    *ttl_s = (uint32_t)((entry->expires_us - now_us) / 1000000);
    return am_dns_set_take(entry->set);
}

/* Doubles the table. Without memory for it the chains just grow longer. */
static void grow(struct am_dns_cache *cache)
{
    size_t count = 2 * cache->bucket_count;
    struct entry **buckets = calloc(count, sizeof(*buckets));
    struct entry *entry;

    if (buckets == NULL)
        return;
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
    TAILQ_FOREACH(entry, &cache->ages, age)
    {
        struct entry **bucket = bucket_of(cache, entry->hash);
        entry->chain = *bucket;
        *bucket = entry;
    }
}

static struct entry *make_entry(uint64_t hash, const struct am_dns_name *name,
                                enum am_dns_type type, struct am_dns_set *set, int64_t now_us)
{
    struct entry *entry = malloc(sizeof(*entry) + name->len);
    int64_t ttl_s = set->ttl_s < TTL_MAX_S ? set->ttl_s : TTL_MAX_S;

    if (entry == NULL)
        return NULL;
    entry->hash = hash;
    entry->type = (uint16_t)type;
    entry->name_len = name->len;
    memcpy(entry->name, name->wire, name->len);
    entry->expires_us = now_us + ttl_s * 1000000;
    entry->set = am_dns_set_take(set);
    return entry;
}

void am_dns_cache_store(struct am_dns_cache *cache, uint64_t hash, const struct am_dns_name *name,
                        enum am_dns_type type, struct am_dns_set *set, int64_t now_us)
{
    struct entry *old = find_entry(cache, hash, name, type);

    if (old != NULL)
        remove_entry(cache, old);
    if (set->ttl_s == 0 || cost(name->len, set) > cache->max_bytes)
        return;
    struct entry *entry = make_entry(hash, name, type, set, now_us);
    if (entry == NULL)
        return;
    if (cache->figures.entries >= cache->bucket_count)
        grow(cache);
    struct entry **bucket = bucket_of(cache, hash);
    entry->chain = *bucket;
    *bucket = entry;
    TAILQ_INSERT_HEAD(&cache->ages, entry, age);
    cache->figures.entries++;
    cache->figures.bytes += cost(entry->name_len, entry->set);
    while (cache->figures.entries > cache->max_entries || cache->figures.bytes > cache->max_bytes) {
        remove_entry(cache, TAILQ_LAST(&cache->ages, age_list));
        cache->figures.evicted++;
    }
}

void am_dns_cache_read_figures(const struct am_dns_cache *cache,
                               struct am_dns_cache_figures *figures)
{
    *figures = cache->figures;
}
