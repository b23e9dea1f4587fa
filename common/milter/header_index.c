#include "common/milter/header_index.h"

#include <stdint.h>

struct am_header_count {
    struct am_header_count *next;
    struct am_span name;
    size_t count;
};

/* FNV-1a. The number of fields handed to modules is limited, so a chosen collision costs little. */
static size_t bucket_of(struct am_span name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)am_lower(name.ptr[i])) * 16777619u;
    return hash % AM_HEADER_INDEX_BUCKETS;
}

size_t am_header_index_next(struct am_header_index *index, struct am_arena *arena,
                            struct am_span name)
{
    if (index->buckets == NULL) {
        index->buckets = am_arena_alloc(arena, AM_HEADER_INDEX_BUCKETS * sizeof(*index->buckets));
        if (index->buckets == NULL)
            return 0;
    }
    struct am_header_count **bucket = &index->buckets[bucket_of(name)];
    for (struct am_header_count *entry = *bucket; entry != NULL; entry = entry->next) {
        if (am_span_equal_nocase(entry->name, name))
            return ++entry->count;
    }

    struct am_header_count *entry = am_arena_alloc(arena, sizeof(*entry));
    if (entry == NULL)
        return 0;
    entry->name = am_span_of(am_arena_copy(arena, name), name.len);
    if (entry->name.ptr == NULL)
        return 0;
    entry->count = 1;
    entry->next = *bucket;
    *bucket = entry;
    return 1;
}
