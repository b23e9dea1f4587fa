#include "common/milter/top.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/log.h"
#include "common/mail/address.h"

static const char *const words[] = {"pass", "fail",      "softfail",  "neutral",
                                    "none", "temperror", "permerror", "policy"};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

#define NOWHERE UINT32_MAX

/*
 * Entries of one count hang on one bucket, the buckets on a list in the order of their counts, and
 * the names on a table of hashes: so a result costs the same however long the list is, also where a
 * name takes the place of another (the "stream summary" of the paper).
 */
struct entry {
    char method[16];
    char name[AM_TOP_NAME_MAX + 1];
    uint64_t hash, count, error;
    uint32_t results[WORD_COUNT];
    uint32_t bucket, before, behind; /* beside it in the bucket */
    uint32_t same_slot;              /* the next one in its slot of the table */
};

struct bucket {
    uint64_t count;
    uint32_t entries;       /* the first of them */
    uint32_t lower, higher; /* the next free one of those not in use is `higher` */
};

struct am_top {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t size, used;
    size_t mask;     /* of the table */
    uint32_t *table; /* first entries */
    uint32_t lowest, free_buckets;
    struct bucket *buckets; /* one more than entries: a new one is taken before an old one goes */
    struct entry *entries;
};

struct am_top *am_top_new(size_t entries)
{
    struct am_top *top = calloc(1, sizeof(*top));
    size_t slots = 16;

    if (top == NULL)
        return NULL;
    while (slots < 2 * entries)
        slots *= 2;
    pthread_mutex_init(&top->lock, NULL);
    top->size = entries;
    top->mask = slots - 1;
    top->lowest = NOWHERE;
    top->table = malloc(slots * sizeof(*top->table));
    top->buckets = calloc(entries + 1, sizeof(*top->buckets));
    top->entries = calloc(entries, sizeof(*top->entries));
    (void)!getrandom(&top->seed, sizeof(top->seed), 0);
    if (top->table == NULL || top->buckets == NULL || top->entries == NULL) {
        am_top_free(top);
        return NULL;
    }
    memset(top->table, 0xff, slots * sizeof(*top->table)); /* NOWHERE */
    for (size_t i = 0; i <= entries; i++)
        top->buckets[i].higher = i < entries ? (uint32_t)i + 1 : NOWHERE;
    return top;
}

void am_top_free(struct am_top *top)
{
    if (top == NULL)
        return;
    pthread_mutex_destroy(&top->lock);
    free(top->table);
    free(top->buckets);
    free(top->entries);
    free(top);
}

/* --- buckets --- */

/* Puts a bucket of this count behind `lower`, or first of all (NOWHERE). */
static uint32_t add_bucket(struct am_top *top, uint32_t lower, uint64_t count)
{
    uint32_t place = top->free_buckets;
    struct bucket *bucket = &top->buckets[place];
    uint32_t higher = lower == NOWHERE ? top->lowest : top->buckets[lower].higher;

    top->free_buckets = bucket->higher;
    *bucket = (struct bucket){count, NOWHERE, lower, higher};
    if (lower == NOWHERE)
        top->lowest = place;
    else
        top->buckets[lower].higher = place;
    if (higher != NOWHERE)
        top->buckets[higher].lower = place;
    return place;
}

static void remove_bucket(struct am_top *top, uint32_t place)
{
    struct bucket *bucket = &top->buckets[place];

    if (bucket->lower == NOWHERE)
        top->lowest = bucket->higher;
    else
        top->buckets[bucket->lower].higher = bucket->higher;
    if (bucket->higher != NOWHERE)
        top->buckets[bucket->higher].lower = bucket->lower;
    bucket->higher = top->free_buckets;
    top->free_buckets = place;
}

static void hang_on(struct am_top *top, uint32_t index, uint32_t place)
{
    struct entry *entry = &top->entries[index];
    struct bucket *bucket = &top->buckets[place];

    entry->bucket = place;
    entry->before = NOWHERE;
    entry->behind = bucket->entries;
    if (bucket->entries != NOWHERE)
        top->entries[bucket->entries].before = index;
    bucket->entries = index;
}

static void take_off(struct am_top *top, uint32_t index)
{
    const struct entry *entry = &top->entries[index];

    if (entry->before == NOWHERE)
        top->buckets[entry->bucket].entries = entry->behind;
    else
        top->entries[entry->before].behind = entry->behind;
    if (entry->behind != NOWHERE)
        top->entries[entry->behind].before = entry->before;
}

/* Counts one more: the entry moves to the next bucket. */
static void count_up(struct am_top *top, uint32_t index)
{
    struct entry *entry = &top->entries[index];
    uint32_t old = entry->bucket, higher = top->buckets[old].higher;

    entry->count++;
    take_off(top, index);
    if (higher == NOWHERE || top->buckets[higher].count != entry->count)
        higher = add_bucket(top, old, entry->count);
    hang_on(top, index, higher);
    if (top->buckets[old].entries == NOWHERE)
        remove_bucket(top, old);
}

/* --- the table --- */

static void put_in_table(struct am_top *top, uint32_t index)
{
    uint32_t *slot = &top->table[top->entries[index].hash & top->mask];

    top->entries[index].same_slot = *slot;
    *slot = index;
}

static void take_from_table(struct am_top *top, uint32_t index)
{
    uint32_t *at = &top->table[top->entries[index].hash & top->mask];

    while (*at != index)
        at = &top->entries[*at].same_slot;
    *at = top->entries[index].same_slot;
}

static uint32_t find(const struct am_top *top, const struct entry *key)
{
    uint32_t index = top->table[key->hash & top->mask];

    while (index != NOWHERE) {
        const struct entry *entry = &top->entries[index];

        if (entry->hash == key->hash && strcmp(entry->name, key->name) == 0 &&
            strcmp(entry->method, key->method) == 0)
            break;
        index = entry->same_slot;
    }
    return index;
}

/* Makes an entry that has been counted once: a new one, or in the place of one that was counted
 * least. */
static uint32_t take_place(struct am_top *top, const struct entry *key)
{
    uint32_t index;

    if (top->used == top->size) {
        index = top->buckets[top->lowest].entries;
        take_from_table(top, index);
        struct entry next = *key;
        const struct entry *former = &top->entries[index];
        next.count = next.error = former->count;
        next.bucket = former->bucket;
        next.before = former->before;
        next.behind = former->behind;
        top->entries[index] = next;
        put_in_table(top, index);
        count_up(top, index);
        return index;
    }
    index = (uint32_t)top->used++;
    top->entries[index] = *key;
    top->entries[index].count = 1;
    put_in_table(top, index);
    if (top->lowest == NOWHERE || top->buckets[top->lowest].count != 1)
        add_bucket(top, NOWHERE, 1);
    hang_on(top, index, top->lowest);
    return index;
}

/* --- counting --- */

static int word_index(const char *result)
{
    for (size_t i = 0; result != NULL && i < WORD_COUNT; i++)
        if (strcmp(words[i], result) == 0)
            return (int)i;
    return -1;
}

static struct am_span find_domain(const struct am_result *result)
{
    static const char *const properties[][2] = {
        {"header", "from"}, {"smtp", "mailfrom"}, {"header", "d"}, {"smtp", "helo"}};

    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < result->property_count; j++) {
            const struct am_property *property = &result->properties[j];
            size_t at;

            if (strcmp(property->ptype, properties[i][0]) != 0 ||
                strcmp(property->property, properties[i][1]) != 0)
                continue;
            at = am_span_find_last(property->value, '@');
            at = at == property->value.len ? 0 : at + 1;
            return am_span_of(property->value.ptr + at, property->value.len - at);
        }
    return am_span_of(NULL, 0);
}

static uint64_t hash_of(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* Fills name, method and hash of an entry: lower case, cut. */
static void make_key(const struct am_top *top, struct entry *entry, const char *method,
                     struct am_span domain)
{
    size_t len = domain.len < AM_TOP_NAME_MAX ? domain.len : AM_TOP_NAME_MAX;

    for (size_t i = 0; method[i] != '\0' && i + 1 < sizeof(entry->method); i++)
        entry->method[i] = method[i];
    for (size_t i = 0; i < len; i++)
        /* Nothing that would break a line of the list, or look like what print_entry() writes. */
        entry->name[i] =
            (unsigned char)domain.ptr[i] <= ' ' || domain.ptr[i] == 0x7f || domain.ptr[i] == '\\'
                ? '?'
                : am_lower(domain.ptr[i]);
    entry->hash = hash_of(hash_of(top->seed, entry->method) * 31, entry->name);
    entry->hash ^= entry->hash >> 32;
}

void am_top_count(struct am_top *top, const struct am_result *result)
{
    struct am_span domain = find_domain(result);
    struct entry key = {.count = 0};

    if (top == NULL || domain.len == 0)
        return;
    make_key(top, &key, result->method, domain);
    int word = word_index(result->result);
    pthread_mutex_lock(&top->lock);
    uint32_t index = find(top, &key);
    if (index == NOWHERE)
        index = take_place(top, &key);
    else
        count_up(top, index);
    if (word >= 0)
        top->entries[index].results[word]++;
    pthread_mutex_unlock(&top->lock);
}

/* --- printing --- */

static uint64_t weight(const struct entry *entry, const char *method, int result)
{
    if (method != NULL && strcmp(method, entry->method) != 0)
        return 0;
    return result < 0 ? entry->count : entry->results[result];
}

struct place {
    uint64_t weight;
    const struct entry *entry;
};

/* The heaviest first; those as heavy in the order of the list. */
static int compare(const void *a, const void *b)
{
    const struct place *first = a, *second = b;

    if (first->weight != second->weight)
        return first->weight < second->weight ? 1 : -1;
    return (first->entry > second->entry) - (first->entry < second->entry);
}

/* What is no printable UTF-8, and what moves cursors or turns text round, stands as \xNN. */
static void print_entry(const struct entry *entry, struct am_buf *out)
{
    am_buf_printf(out, "%s ", entry->method);
    am_log_escape(out, am_span_str(entry->name));
    am_buf_printf(out, " %" PRIu64 " %" PRIu64, entry->count, entry->error);
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (entry->results[i] > 0)
            am_buf_printf(out, " %s=%" PRIu32, words[i], entry->results[i]);
    am_buf_add_char(out, '\n');
}

/* Mail waits only while the entries are copied: sorting and printing come behind it. */
static size_t copy_entries(struct am_top *top, struct entry *entries)
{
    pthread_mutex_lock(&top->lock);
    size_t used = top->used;
    memcpy(entries, top->entries, used * sizeof(*entries));
    pthread_mutex_unlock(&top->lock);
    return used;
}

static void print_heaviest(struct place *places, size_t count, size_t most, struct am_buf *out)
{
    if (count > 0)
        qsort(places, count, sizeof(*places), compare);
    for (size_t i = 0; i < count && i < most; i++)
        print_entry(places[i].entry, out);
}

bool am_top_print(struct am_top *top, const char *method, const char *result, size_t most,
                  struct am_buf *out)
{
    if (top == NULL)
        return true;
    struct entry *entries = calloc(top->size, sizeof(*entries));
    struct place *places = calloc(top->size, sizeof(*places));
    bool good = entries != NULL && places != NULL;
    size_t used = good ? copy_entries(top, entries) : 0, count = 0;

    for (size_t i = 0; i < used; i++) {
        places[count].entry = &entries[i];
        places[count].weight = weight(&entries[i], method, word_index(result));
        count += places[count].weight > 0;
    }
    print_heaviest(places, count, most, out);
    free(entries);
    free(places);
    return good && !out->failed;
}
