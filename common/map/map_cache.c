#include "common/map/map_cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/table.h"

/* Answers that are larger are asked for anew each time. */
#define KEPT_MAX 4096

struct am_map_kept {
    int64_t until_us;
    enum am_map_answer answer;
    size_t key_len, value_count, len;
    char text[]; /* the key, then each value with its NUL */
};

bool am_map_cache_init(struct am_map_cache *cache, const struct am_map_conf *conf)
{
    *cache = (struct am_map_cache){.conf = conf};
    if (conf->cache_entries == 0)
        return true;
    cache->places = calloc((size_t)conf->cache_entries, sizeof(struct am_map_kept *));
    return cache->places != NULL;
}

/* The key: local part, domain and login, with NULs between, which none of them holds. */
static void write_key(struct am_buf *key, const struct am_map_question *question)
{
    am_buf_init(key, KEPT_MAX);
    am_buf_add(key, question->local);
    am_buf_add_char(key, '\0');
    am_buf_add_str(key, question->domain);
    am_buf_add_char(key, '\0');
    am_buf_add_str(key, question->login);
}

static struct am_map_kept **place_of(const struct am_map_cache *cache, struct am_span key)
{
    uint64_t hash = am_table_seed(0);

    for (size_t i = key.len; i-- > 0;)
        hash = am_table_step(hash, key.ptr[i]);
    return &cache->places[hash % (uint64_t)cache->conf->cache_entries];
}

static bool copy_values(const struct am_map_kept *kept, struct am_arena *arena,
                        struct am_map_values *values)
{
    const char *text = kept->text + kept->key_len;

    values->count = 0;
    if (kept->value_count == 0)
        return true;
    values->items = am_arena_alloc(arena, kept->value_count * sizeof(*values->items));
    for (; values->items != NULL && values->count < kept->value_count; values->count++) {
        values->items[values->count] = am_arena_copy(arena, am_span_str(text));
        if (values->items[values->count] == NULL)
            return false;
        text += strlen(text) + 1;
    }
    return values->items != NULL;
}

bool am_map_cache_find(const struct am_map_cache *cache, const struct am_map_question *question,
                       struct am_arena *arena, struct am_map_values *values,
                       enum am_map_answer *answer)
{
    struct am_buf key;
    bool found = false;

    if (cache->places == NULL)
        return false;
    write_key(&key, question);
    if (!key.failed) {
        const struct am_map_kept *kept = *place_of(cache, am_buf_span(&key));
        found = kept != NULL && am_clock_now_us(question->clock) < kept->until_us &&
                am_span_equal(am_span_of(kept->text, kept->key_len), am_buf_span(&key)) &&
                copy_values(kept, arena, values);
        if (found)
            *answer = kept->answer;
    }
    am_buf_fini(&key);
    return found;
}

static struct am_map_kept *make(const struct am_map_cache *cache,
                                const struct am_map_question *question,
                                const struct am_map_values *values, enum am_map_answer answer,
                                struct am_buf *text)
{
    size_t key_len = text->len;

    for (size_t i = 0; i < values->count; i++) {
        am_buf_add_str(text, values->items[i]);
        am_buf_add_char(text, '\0');
    }
    struct am_map_kept *kept = text->failed ? NULL : malloc(sizeof(*kept) + text->len);
    if (kept == NULL)
        return NULL;
    int64_t ttl_ms =
        answer == AM_MAP_FOUND ? cache->conf->cache_ttl_ms : cache->conf->cache_negative_ttl_ms;
    *kept = (struct am_map_kept){.until_us = am_clock_now_us(question->clock) + ttl_ms * 1000,
                                 .answer = answer,
                                 .key_len = key_len,
                                 .value_count = values->count,
                                 .len = text->len};
    memcpy(kept->text, text->data, text->len);
    return kept;
}

void am_map_cache_put(struct am_map_cache *cache, const struct am_map_question *question,
                      const struct am_map_values *values, enum am_map_answer answer)
{
    struct am_buf text;

    if (cache->places == NULL)
        return;
    write_key(&text, question);
    struct am_map_kept **place = text.failed ? NULL : place_of(cache, am_buf_span(&text));
    struct am_map_kept *kept = place == NULL ? NULL : make(cache, question, values, answer, &text);
    if (kept != NULL) {
        free(*place);
        *place = kept;
    }
    am_buf_fini(&text);
}

void am_map_cache_fini(struct am_map_cache *cache)
{
    for (int64_t i = 0; cache->places != NULL && i < cache->conf->cache_entries; i++)
        free(cache->places[i]);
    free(cache->places);
    cache->places = NULL;
}
