#ifndef AM_MAP_MAP_CACHE_H
#define AM_MAP_MAP_CACHE_H

#include "common/map/map.h"
#include "common/map/map_conf.h"

/*
 * Answers of a server, kept for a while: a fixed number of places, each question has one, and the
 * later of two that meet there stays. Keys are kept whole, so that none is taken for another.
 *
 * Threads: one at a time.
 */

struct am_map_kept;

struct am_map_cache {
    const struct am_map_conf *conf;
    struct am_map_kept **places; /* cache_entries of them; NULL: nothing is kept */
};

/* Begins an empty one. Returns false when memory is short. */
bool am_map_cache_init(struct am_map_cache *cache, const struct am_map_conf *conf) AM_MUST_USE;

/* Looks a question up. Returns false when there is no answer that still holds. */
bool am_map_cache_find(const struct am_map_cache *cache, const struct am_map_question *question,
                       struct am_arena *arena, struct am_map_values *values,
                       enum am_map_answer *answer);

/* Keeps an answer; silently not, when memory is short. */
void am_map_cache_put(struct am_map_cache *cache, const struct am_map_question *question,
                      const struct am_map_values *values, enum am_map_answer answer);

/* Forgets all. */
void am_map_cache_fini(struct am_map_cache *cache);

#endif
