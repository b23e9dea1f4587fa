#include "common/dns/dns_zone_data.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/arena.h"
#include "common/dns/dns_zone_file.h"

#define TYPE_CNAME 5

/* --- reading --- */

struct loading {
    struct am_dns_zone_data *data;
    struct am_dns_rr_reader *reader;
};

static struct am_dns_zone_entry *add_entry(struct am_dns_zone_data *data,
                                           const struct am_dns_name *owner)
{
    if (data->count == data->capacity) {
        size_t capacity = data->capacity > 0 ? 2 * data->capacity : 64;
        struct am_dns_zone_entry *entries = reallocarray(data->entries, capacity, sizeof(*entries));
        if (entries == NULL)
            return NULL;
        data->entries = entries;
        data->capacity = capacity;
    }
    struct am_dns_name *name = am_arena_alloc(data->arena, sizeof(*name));
    if (name == NULL)
        return NULL;
    *name = *owner;
    struct am_dns_zone_entry *entry = &data->entries[data->count];
    *entry = (struct am_dns_zone_entry){.owner = name, .order = data->count++};
    return entry;
}

/* A name with names below it exists too, without records (RFC 8020): so does every parent. */
static bool add_parents(struct am_dns_zone_data *data, const struct am_dns_name *owner)
{
    struct am_dns_name name = *owner;

    do {
        if (add_entry(data, &name) == NULL)
            return false;
    } while (am_dns_name_parent(&name, &name));
    return true;
}

static bool take_record(void *context, const char *line, struct am_problem *problem)
{
    struct loading *loading = context;
    struct am_dns_zone_data *data = loading->data;
    struct am_dns_rr rr;

    if (!am_dns_rr_reader_read(loading->reader, line, &rr, problem))
        return false;
    uint8_t *bytes = am_arena_alloc(data->arena, rr.rdata.len + 1);
    struct am_dns_zone_entry *entry = add_entry(data, &rr.owner);
    if (bytes == NULL || entry == NULL)
        return am_problem_set(problem, "memory is short");
    memcpy(bytes, rr.rdata.data, rr.rdata.len);
    entry->type = rr.type;
    entry->rdata = rr.rdata;
    entry->rdata.data = bytes;
    return add_parents(data, &rr.owner) || am_problem_set(problem, "memory is short");
}

/* The type a failure directive names; 0 for every type, -1 for one that is not known. */
static int directive_type(const char *word)
{
    static const enum am_dns_type types[] = {AM_DNS_A, AM_DNS_PTR, AM_DNS_MX, AM_DNS_TXT,
                                             AM_DNS_AAAA};

    if (*word == '\0')
        return 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(word, am_dns_type_word(types[i])) == 0)
            return types[i];
    }
    return -1;
}

static bool add_failure(struct am_dns_zone_data *data, enum am_dns_outcome outcome,
                        const char *name_text, const char *type_text, struct am_problem *problem)
{
    struct am_dns_name name;
    int type = directive_type(type_text);

    if (type < 0)
        return am_problem_set(
            problem, "'%s' is no type that can be asked here (A, AAAA, MX, PTR, TXT)", type_text);
    if (!am_dns_name_parse(&name, name_text))
        return am_problem_set(problem, "'%s' is no domain name", name_text);
    struct am_dns_zone_entry *entry = add_entry(data, &name);
    if (entry == NULL)
        return am_problem_set(problem, "memory is short");
    entry->type = (uint16_t)type;
    entry->outcome = outcome;
    return add_parents(data, &name) || am_problem_set(problem, "memory is short");
}

/* Cuts the first word off `rest`. */
static const char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");

    *rest = word + strcspn(word, " \t");
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

static bool take_directive(void *context, struct am_span text, struct am_problem *problem)
{
    struct loading *loading = context;
    char *rest = am_arena_copy(loading->data->arena, text);

    if (rest == NULL)
        return am_problem_set(problem, "memory is short");
    const char *verb = next_word(&rest);
    const char *first = next_word(&rest);
    const char *second = next_word(&rest);
    if (strcasecmp(verb, "$ORIGIN") == 0)
        return am_dns_rr_reader_set_origin(loading->reader, first) ||
               am_problem_set(problem, "'%s' is no domain name", first);
    if (strcasecmp(verb, "$TTL") == 0)
        return am_dns_rr_reader_set_ttl(loading->reader, first) ||
               am_problem_set(problem, "'%s' is no time to live", first);
    if (strcmp(verb, "servfail") == 0)
        return add_failure(loading->data, AM_DNS_SERVFAIL, first, second, problem);
    if (strcmp(verb, "timeout") == 0)
        return add_failure(loading->data, AM_DNS_TIMEOUT, first, second, problem);
    return am_problem_set(problem, "the directive '%s' is not known here", verb);
}

/* --- order --- */

static int compare_names(const struct am_dns_name *a, const struct am_dns_name *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->wire, b->wire, a->len);
}

/* By owner, then type; failures before records; else as in the file. */
static int compare_entries(const void *left, const void *right)
{
    const struct am_dns_zone_entry *a = left, *b = right;
    int by_name = compare_names(a->owner, b->owner);

    if (by_name != 0)
        return by_name;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if ((a->outcome == AM_DNS_OK) != (b->outcome == AM_DNS_OK))
        return a->outcome != AM_DNS_OK ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Equal records are one record (RFC 2181 section 5), and a name need be known to exist once. */
static void drop_repeated(struct am_dns_zone_data *data)
{
    size_t kept = 0;

    for (size_t i = 0; i < data->count; i++) {
        const struct am_dns_zone_entry *entry = &data->entries[i];
        bool repeated = false;
        for (size_t j = kept; j > 0 && !repeated; j--) {
            const struct am_dns_zone_entry *other = &data->entries[j - 1];
            if (other->type != entry->type || !am_dns_name_equal(other->owner, entry->owner))
                break;
            repeated = other->rdata.len == entry->rdata.len && other->outcome == entry->outcome &&
                       (entry->rdata.len == 0 ||
                        memcmp(other->rdata.data, entry->rdata.data, entry->rdata.len) == 0);
        }
        if (!repeated)
            data->entries[kept++] = *entry;
    }
    data->count = kept;
}

bool am_dns_zone_data_init(struct am_dns_zone_data *data, const char *text, const char *name,
                           struct am_problem *problem)
{
    struct loading loading = {.data = data, .reader = am_dns_rr_reader_new()};
    struct am_dns_zone_sink sink = {&loading, take_record, take_directive};
    bool ok;

    *data = (struct am_dns_zone_data){.arena = am_arena_new(4096, 0)};
    if (data->arena == NULL || loading.reader == NULL)
        ok = am_problem_set(problem, "%s: memory is short", name);
    else
        ok = am_dns_zone_file_read(text, name, &sink, problem);
    am_dns_rr_reader_free(loading.reader);
    if (!ok) {
        am_dns_zone_data_fini(data);
        return false;
    }
    if (data->count > 0)
        qsort(data->entries, data->count, sizeof(*data->entries), compare_entries);
    drop_repeated(data);
    return true;
}

void am_dns_zone_data_fini(struct am_dns_zone_data *data)
{
    free(data->entries);
    am_arena_free(data->arena);
    *data = (struct am_dns_zone_data){0};
}

/* --- finding --- */

/* The first entry of this owner whose type is at least `type`; `count` when there is none. */
static size_t lower_bound(const struct am_dns_zone_data *data, const struct am_dns_name *owner,
                          uint16_t type)
{
    size_t low = 0, high = data->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct am_dns_zone_entry *entry = &data->entries[middle];
        int order = compare_names(entry->owner, owner);
        if (order < 0 || (order == 0 && entry->type < type))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_entry_of(const struct am_dns_zone_data *data, size_t at,
                        const struct am_dns_name *owner)
{
    return at < data->count && am_dns_name_equal(data->entries[at].owner, owner);
}

static bool exists(const struct am_dns_zone_data *data, const struct am_dns_name *name)
{
    return is_entry_of(data, lower_bound(data, name, 0), name);
}

/* Finds the entries of one type, without wildcards. */
static bool find_type(const struct am_dns_zone_data *data, const struct am_dns_name *name,
                      uint16_t type, struct am_dns_zone_match *match)
{
    size_t start = lower_bound(data, name, type);
    size_t end = start;

    while (is_entry_of(data, end, name) && data->entries[end].type == type)
        end++;
    if (end == start)
        return false;
    match->entries = &data->entries[start];
    match->count = end - start;
    match->outcome = data->entries[start].outcome;
    return true;
}

/* The name whose entries speak for `name`: itself or, per RFC 4592, a wildcard. */
static bool find_source(const struct am_dns_zone_data *data, const struct am_dns_name *name,
                        struct am_dns_name *source)
{
    struct am_dns_name parent = *name;

    *source = *name;
    if (exists(data, name))
        return true;
    while (am_dns_name_parent(&parent, &parent)) {
        if (!exists(data, &parent))
            continue;
        if (parent.len + 2 > AM_DNS_NAME_WIRE_MAX)
            return false;
        source->len = (uint8_t)(parent.len + 2);
        memcpy(source->wire, "\001*", 2);
        memcpy(source->wire + 2, parent.wire, parent.len);
        return exists(data, source);
    }
    return false;
}

void am_dns_zone_data_find(const struct am_dns_zone_data *data, const struct am_dns_name *name,
                           uint16_t type, struct am_dns_zone_match *match)
{
    struct am_dns_name source;

    *match = (struct am_dns_zone_match){.outcome = AM_DNS_NXDOMAIN};
    if (!find_source(data, name, &source))
        return;
    if (find_type(data, &source, 0, match) && match->outcome != AM_DNS_OK)
        return;
    *match = (struct am_dns_zone_match){.outcome = AM_DNS_NODATA};
    if (find_type(data, &source, type, match))
        return;
    match->alias = find_type(data, &source, TYPE_CNAME, match);
}
