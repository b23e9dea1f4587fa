#include "common/base/table.h"

struct entry {
    uint64_t hash;
    const char *key; /* NULL: free */
    uint32_t value;
    uint16_t len;
    uint8_t kind;
};

struct am_table {
    struct am_arena *arena;
    struct entry *entries;
    size_t mask;
    size_t free;
};

struct am_table *am_table_new(struct am_arena *arena, size_t capacity)
{
    struct am_table *table = am_arena_alloc(arena, sizeof(*table));
    /* At most half full: probes stay short. */
    size_t slots = 8;

    while (slots < capacity * 2)
        slots *= 2;
    if (table == NULL)
        return NULL;
    *table = (struct am_table){.arena = arena, .mask = slots - 1, .free = capacity};
    table->entries = am_arena_alloc(arena, slots * sizeof(*table->entries));
    return table->entries == NULL ? NULL : table;
}

uint64_t am_table_seed(uint8_t kind)
{
    return am_table_step(UINT64_C(0xcbf29ce484222325), (char)kind);
}

static uint64_t hash_key(uint8_t kind, struct am_span key)
{
    uint64_t hash = am_table_seed(kind);

    for (size_t i = key.len; i > 0; i--)
        hash = am_table_step(hash, key.ptr[i - 1]);
    return hash;
}

/* Returns the entry of the key, or the free one where it belongs. */
static struct entry *probe(const struct am_table *table, uint8_t kind, uint64_t hash,
                           struct am_span key)
{
    size_t at = (size_t)(hash ^ (hash >> 32)) & table->mask;

    for (;; at = (at + 1) & table->mask) {
        struct entry *entry = &table->entries[at];

        if (entry->key == NULL)
            return entry;
        if (entry->hash == hash && entry->kind == kind &&
            am_span_equal(am_span_of(entry->key, entry->len), key))
            return entry;
    }
}

uint32_t am_table_put(struct am_table *table, uint8_t kind, struct am_span key, uint32_t value)
{
    uint64_t hash = hash_key(kind, key);
    struct entry *entry = probe(table, kind, hash, key);

    if (entry->key != NULL)
        return entry->value;
    if (table->free == 0 || key.len > UINT16_MAX)
        return AM_TABLE_NONE;
    const char *copy = am_arena_copy(table->arena, key);
    if (copy == NULL)
        return AM_TABLE_NONE;
    *entry = (struct entry){hash, copy, value, (uint16_t)key.len, kind};
    table->free--;
    return value;
}

uint32_t am_table_find(const struct am_table *table, uint8_t kind, uint64_t hash,
                       struct am_span key)
{
    const struct entry *entry = probe(table, kind, hash, key);

    return entry->key == NULL ? AM_TABLE_NONE : entry->value;
}

uint32_t am_table_get(const struct am_table *table, uint8_t kind, struct am_span key)
{
    return am_table_find(table, kind, hash_key(kind, key), key);
}
