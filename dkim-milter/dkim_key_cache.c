#include "dkim-milter/dkim_key_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * Sets of few places each, so that finding, adding and making room all look at one set and at
 * nothing else, whoever chose the keys. What identifies a key is the SHA-256 of a secret, its type
 * and its octets: nobody can aim at a set, and the octets need not be kept.
 */
#define WAYS 8
#define SHARDS 16
#define CAPACITY_MIN ((size_t)64)
#define CAPACITY_MAX ((size_t)1 << 20)

struct place {
    uint8_t digest[DKIM_HASH_LEN];
    struct dkim_public_key *key; /* NULL: free */
    uint64_t used;               /* the shard's clock when it was used last */
};

/* A part of the sets under one lock; each on cache lines of its own. */
struct shard {
    _Alignas(64) pthread_mutex_t lock;
    uint64_t clock; /* counts uses */
    size_t entries;
    uint64_t hits, misses, evicted;
};

struct dkim_key_cache {
    struct shard shards[SHARDS];
    uint8_t secret[16];
    struct place *places;
    size_t set_count; /* a power of two */
};

static size_t round_capacity(size_t wanted)
{
    size_t capacity = CAPACITY_MIN;
    while (capacity < wanted && capacity < CAPACITY_MAX)
        capacity *= 2;
    return capacity;
}

struct dkim_key_cache *dkim_key_cache_new(size_t capacity)
{
    struct dkim_key_cache *cache = aligned_alloc(_Alignof(struct dkim_key_cache), sizeof(*cache));
    if (cache == NULL)
        return NULL;
    memset(cache, 0, sizeof(*cache));
    capacity = round_capacity(capacity);
    cache->set_count = capacity / WAYS;
    cache->places = calloc(capacity, sizeof(*cache->places));
    if (cache->places == NULL ||
        getrandom(cache->secret, sizeof(cache->secret), 0) != (ssize_t)sizeof(cache->secret)) {
        free(cache->places);
        free(cache);
        return NULL;
    }
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

void dkim_key_cache_free(struct dkim_key_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->set_count * WAYS; i++)
        dkim_public_key_drop(cache->places[i].key);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].lock);
    free(cache->places);
    free(cache);
}

static bool identify(const struct dkim_key_cache *cache, enum dkim_key_type type,
                     struct am_span octets, uint8_t digest[DKIM_HASH_LEN])
{
    struct dkim_hash hash = {0};
    uint8_t kind = (uint8_t)type;
    dkim_hash_init(&hash);
    dkim_hash_update(&hash, cache->secret, sizeof(cache->secret));
    dkim_hash_update(&hash, &kind, 1);
    dkim_hash_update(&hash, octets.ptr, octets.len);
    bool done = dkim_hash_final(&hash, digest);
    dkim_hash_fini(&hash);
    return done;
}

/* Where a key has its places. */
struct slot {
    struct shard *shard;
    struct place *set;
};

static struct slot slot_of(struct dkim_key_cache *cache, const uint8_t digest[DKIM_HASH_LEN])
{
    uint64_t number;
    memcpy(&number, digest, sizeof(number));
    size_t index = (size_t)(number & (cache->set_count - 1));
    return (struct slot){&cache->shards[index % SHARDS], cache->places + index * WAYS};
}

/* Finds the key in its set. The lock is held. */
static struct dkim_public_key *find(const struct slot *slot, const uint8_t digest[DKIM_HASH_LEN])
{
    for (size_t i = 0; i < WAYS; i++) {
        struct place *place = &slot->set[i];
        if (place->key == NULL || memcmp(place->digest, digest, DKIM_HASH_LEN) != 0)
            continue;
        place->used = ++slot->shard->clock;
        return dkim_public_key_ref(place->key);
    }
    return NULL;
}

/*
 * Puts a key into a free place of its set, or into that not used for the longest time. The lock is
 * held. Returns: the key that had to go, for the caller to drop without the lock; or NULL.
 */
static struct dkim_public_key *put(const struct slot *slot, const uint8_t digest[DKIM_HASH_LEN],
                                   struct dkim_public_key *key)
{
    struct place *oldest = &slot->set[0];
    for (size_t i = 1; i < WAYS && oldest->key != NULL; i++)
        if (slot->set[i].key == NULL || slot->set[i].used < oldest->used)
            oldest = &slot->set[i];
    struct dkim_public_key *gone = oldest->key;
    if (gone != NULL)
        slot->shard->evicted++;
    else
        slot->shard->entries++;
    memcpy(oldest->digest, digest, DKIM_HASH_LEN);
    oldest->key = dkim_public_key_ref(key);
    oldest->used = ++slot->shard->clock;
    return gone;
}

enum dkim_reason dkim_key_cache_take(struct dkim_key_cache *cache, enum dkim_key_type type,
                                     struct am_span octets, struct dkim_public_key **key)
{
    uint8_t digest[DKIM_HASH_LEN];
    if (cache == NULL || !identify(cache, type, octets, digest))
        return dkim_public_key_new(key, type, octets);
    struct slot slot = slot_of(cache, digest);

    pthread_mutex_lock(&slot.shard->lock);
    *key = find(&slot, digest);
    if (*key != NULL)
        slot.shard->hits++;
    else
        slot.shard->misses++;
    pthread_mutex_unlock(&slot.shard->lock);
    if (*key != NULL)
        return DKIM_REASON_NONE;

    /* Made without the lock: two threads may make the same key, and the second uses the first's. */
    enum dkim_reason reason = dkim_public_key_new(key, type, octets);
    if (reason != DKIM_REASON_NONE)
        return reason;
    struct dkim_public_key *made = *key, *gone = made;
    pthread_mutex_lock(&slot.shard->lock);
    struct dkim_public_key *other = find(&slot, digest);
    if (other != NULL)
        *key = other;
    else
        gone = put(&slot, digest, made);
    pthread_mutex_unlock(&slot.shard->lock);
    dkim_public_key_drop(gone);
    return DKIM_REASON_NONE;
}

void dkim_key_cache_read_figures(struct dkim_key_cache *cache,
                                 struct dkim_key_cache_figures *figures)
{
    *figures = (struct dkim_key_cache_figures){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        figures->entries += shard->entries;
        figures->hits += shard->hits;
        figures->misses += shard->misses;
        figures->evicted += shard->evicted;
        pthread_mutex_unlock(&shard->lock);
    }
}
