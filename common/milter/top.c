#include "common/milter/top.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/mail/address.h"

static const char *const words[] = {"pass", "fail",      "softfail",  "neutral",
                                    "none", "temperror", "permerror", "policy"};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

struct entry {
    char method[16];
    char name[AM_TOP_NAME_MAX + 1];
    uint64_t count, error;
    uint32_t results[WORD_COUNT];
};

struct am_top {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t size, used;
    uint64_t *hashes; /* of the entries: looked through first */
    struct entry *entries;
};

struct am_top *am_top_new(size_t entries)
{
    struct am_top *top = calloc(1, sizeof(*top));

    if (top == NULL)
        return NULL;
    pthread_mutex_init(&top->lock, NULL);
    top->size = entries;
    top->hashes = calloc(entries, sizeof(*top->hashes));
    top->entries = calloc(entries, sizeof(*top->entries));
    (void)!getrandom(&top->seed, sizeof(top->seed), 0);
    if (top->hashes != NULL && top->entries != NULL)
        return top;
    am_top_free(top);
    return NULL;
}

void am_top_free(struct am_top *top)
{
    if (top == NULL)
        return;
    pthread_mutex_destroy(&top->lock);
    free(top->hashes);
    free(top->entries);
    free(top);
}

/* --- counting --- */

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

/* Fills name and method of an entry: lower case, cut. */
static uint64_t make_key(const struct am_top *top, struct entry *entry, const char *method,
                         struct am_span domain)
{
    size_t len = domain.len < AM_TOP_NAME_MAX ? domain.len : AM_TOP_NAME_MAX;

    for (size_t i = 0; method[i] != '\0' && i + 1 < sizeof(entry->method); i++)
        entry->method[i] = method[i];
    for (size_t i = 0; i < len; i++)
        /* Nothing that would break a line of the list. */
        entry->name[i] = (unsigned char)domain.ptr[i] <= ' ' || domain.ptr[i] == 0x7f
                             ? '?'
                             : am_lower(domain.ptr[i]);
    return hash_of(hash_of(top->seed, entry->method) * 31, entry->name);
}

static struct entry *find(struct am_top *top, uint64_t hash, const struct entry *key)
{
    for (size_t i = 0; i < top->used; i++)
        if (top->hashes[i] == hash && strcmp(top->entries[i].name, key->name) == 0 &&
            strcmp(top->entries[i].method, key->method) == 0)
            return &top->entries[i];
    return NULL;
}

static struct entry *take_place(struct am_top *top, uint64_t hash, const struct entry *key)
{
    size_t place = top->used;
    uint64_t inherited = 0;

    if (top->used < top->size) {
        top->used++;
    } else {
        place = 0;
        for (size_t i = 1; i < top->used; i++)
            if (top->entries[i].count < top->entries[place].count)
                place = i;
        inherited = top->entries[place].count;
    }
    top->hashes[place] = hash;
    top->entries[place] = *key;
    top->entries[place].count = inherited;
    top->entries[place].error = inherited;
    return &top->entries[place];
}

void am_top_count(struct am_top *top, const struct am_result *result)
{
    struct am_span domain = find_domain(result);
    struct entry key = {.count = 0};

    if (top == NULL || domain.len == 0)
        return;
    uint64_t hash = make_key(top, &key, result->method, domain);
    pthread_mutex_lock(&top->lock);
    struct entry *entry = find(top, hash, &key);
    if (entry == NULL)
        entry = take_place(top, hash, &key);
    entry->count++;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (strcmp(words[i], result->result) == 0)
            entry->results[i]++;
    pthread_mutex_unlock(&top->lock);
}

/* --- printing --- */

static int word_index(const char *result)
{
    for (size_t i = 0; result != NULL && i < WORD_COUNT; i++)
        if (strcmp(words[i], result) == 0)
            return (int)i;
    return -1;
}

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

static void print_entry(const struct entry *entry, struct am_buf *out)
{
    am_buf_printf(out, "%s %s %" PRIu64 " %" PRIu64, entry->method, entry->name, entry->count,
                  entry->error);
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
