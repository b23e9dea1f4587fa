#include "spf-milter/spf_lookup.h"

#include <string.h>

#include "spf-milter/spf_prefetch.h"

/* Octets that stand for themselves in presentation form, in a master file too. */
static bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && strchr("\\\";()@$", c) == NULL;
}

static bool is_all_plain(const struct spf_name *name)
{
    for (size_t i = 0; i < name->len; i++)
        if (!is_plain((unsigned char)name->text[i]))
            return false;
    return true;
}

/* Presentation form: dots separate labels, odd octets as \DDD (RFC 1035 section 5.1). */
static const char *to_presentation(struct am_arena *arena, const struct spf_name *name)
{
    if (is_all_plain(name))
        return name->text;
    char *out = am_arena_alloc(arena, name->len * 4 + 1);
    if (out == NULL)
        return NULL;
    char *at = out;
    for (size_t i = 0; i < name->len; i++) {
        unsigned char c = (unsigned char)name->text[i];
        if (is_plain(c)) {
            *at++ = (char)c;
        } else {
            *at++ = '\\';
            *at++ = (char)('0' + c / 100);
            *at++ = (char)('0' + c / 10 % 10);
            *at++ = (char)('0' + c % 10);
        }
    }
    *at = '\0';
    return out;
}

static uint32_t hash_name(const char *name, enum am_dns_type type)
{
    uint32_t hash = 2166136261u ^ (uint32_t)type;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)am_lower(*name)) * 16777619u;
    return hash;
}

struct spf_lookup *spf_lookup_start_text(struct spf_check *check, const char *name,
                                         enum am_dns_type type)
{
    uint32_t hash = hash_name(name, type);
    for (struct spf_lookup *old = check->lookups; old != NULL; old = old->next)
        if (old->hash == hash && old->type == type &&
            am_span_equal_nocase(am_span_str(old->name), am_span_str(name)))
            return old;
    struct spf_lookup *lookup = am_arena_alloc(check->arena, sizeof(*lookup));
    if (lookup == NULL) {
        check->memory_short = true;
        return NULL;
    }
    lookup->name = name;
    lookup->hash = hash;
    lookup->type = type;
    lookup->query = am_dns_start(check->request.resolver, name, type, check->request.deadline_us);
    lookup->answer = am_dns_answer_of(lookup->query);
    lookup->next = check->lookups;
    check->lookups = lookup;
    check->outcome.queries++;
    return lookup;
}

struct spf_lookup *spf_lookup_start(struct spf_check *check, const struct spf_name *name,
                                    enum am_dns_type type)
{
    const char *text = to_presentation(check->arena, name);
    if (text == NULL) {
        check->memory_short = true;
        return NULL;
    }
    return spf_lookup_start_text(check, text, type);
}

/* Most look-ups one call waits for: mx or ptr names, and what was prefetched. */
#define WAIT_MAX 64

/* Takes in what has arrived; returns whether something had. */
static bool collect(struct spf_check *check)
{
    bool news = false;
    for (struct spf_lookup *lookup = check->lookups; lookup != NULL; lookup = lookup->next) {
        if (lookup->answer != NULL)
            continue;
        lookup->answer = am_dns_answer_of(lookup->query);
        news = news || lookup->answer != NULL;
    }
    return news;
}

static bool has_answer(struct spf_lookup *const *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set[i] != NULL && set[i]->answer != NULL)
            return true;
    return false;
}

/* The queries under way that are worth waking up for: the set, then what was prefetched. */
static size_t gather(struct spf_check *check, struct spf_lookup *const *set, size_t count,
                     struct am_dns_query *queries[WAIT_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < WAIT_MAX; i++)
        if (set[i] != NULL)
            queries[n++] = set[i]->query;
    if (check->request.prefetch)
        for (struct spf_lookup *l = check->lookups; l != NULL && n < WAIT_MAX; l = l->next)
            if (l->answer == NULL && l->foreseen)
                queries[n++] = l->query;
    return n;
}

/*
 * Blocks until a look-up of the set has its answer. Only here, when there is
 * time to spend anyway, are look-ups started that may be needed later: an
 * evaluation from a warm cache never pays for them.
 */
static void block(struct spf_check *check, struct spf_lookup *const *set, size_t count)
{
    int64_t start_us = am_clock_now_us(check->request.clock);
    while (!has_answer(set, count)) {
        if (check->request.prefetch)
            spf_prefetch(check);
        struct am_dns_query *queries[WAIT_MAX];
        size_t n = gather(check, set, count, queries);
        am_dns_wait_any(queries, n);
        if (!collect(check) && !has_answer(set, count)) {
            /* Nothing came although the wait is over: let the resolver end the first one. */
            for (size_t i = 0; i < count; i++)
                if (set[i] != NULL) {
                    set[i]->answer = am_dns_wait(set[i]->query);
                    break;
                }
        }
    }
    check->outcome.waited_us += am_clock_now_us(check->request.clock) - start_us;
}

static void note_used(struct spf_check *check, const struct am_dns_answer *answer)
{
    check->all_secure = check->all_secure && answer->secure;
    check->any_answer = true;
}

const struct am_dns_answer *spf_lookup_wait(struct spf_check *check, struct spf_lookup *lookup)
{
    if (lookup->answer == NULL)
        lookup->answer = am_dns_answer_of(lookup->query);
    if (lookup->answer == NULL)
        block(check, &lookup, 1);
    note_used(check, lookup->answer);
    return lookup->answer;
}

size_t spf_lookup_next(struct spf_check *check, struct spf_lookup **set, size_t count,
                       struct spf_lookup **taken)
{
    for (;;) {
        bool any = false;
        for (size_t i = 0; i < count; i++) {
            if (set[i] == NULL)
                continue;
            any = true;
            if (set[i]->answer == NULL)
                set[i]->answer = am_dns_answer_of(set[i]->query);
            if (set[i]->answer != NULL) {
                *taken = set[i];
                set[i] = NULL;
                note_used(check, (*taken)->answer);
                return i;
            }
        }
        if (!any)
            return count;
        block(check, set, count);
    }
}

/* Finds the one record that begins with the version (RFC 7208 section 4.5). */
static enum spf_selection find_record(const struct spf_check *check,
                                      const struct am_dns_answer *answer, struct am_span *text)
{
    bool found = false;
    for (size_t i = 0; i < answer->count; i++) {
        if (!spf_record_is_spf(answer->records[i].text))
            continue;
        if (found)
            return SPF_SELECT_SEVERAL;
        found = true;
        *text = answer->records[i].text;
    }
    if (!found)
        return SPF_SELECT_NONE;
    return text->len > check->request.limits.record_bytes ? SPF_SELECT_TOO_LONG : SPF_SELECT_RECORD;
}

enum spf_selection spf_lookup_select(struct spf_check *check, struct spf_lookup *lookup)
{
    if (lookup->selection != SPF_SELECT_UNREAD)
        return lookup->selection;
    struct am_span text;
    lookup->selection = find_record(check, lookup->answer, &text);
    if (lookup->selection != SPF_SELECT_RECORD)
        return lookup->selection;
    switch (spf_record_parse(check->arena, text, &lookup->record, &lookup->bad)) {
    case SPF_PARSE_OK:
        break;
    case SPF_PARSE_SYNTAX:
        lookup->selection = SPF_SELECT_SYNTAX;
        break;
    case SPF_PARSE_DUPLICATE:
        lookup->selection = SPF_SELECT_DUPLICATE;
        break;
    case SPF_PARSE_MEMORY:
        check->memory_short = true;
        lookup->selection = SPF_SELECT_MEMORY;
        break;
    }
    return lookup->selection;
}

enum spf_result spf_lookup_failed(struct spf_check *check, const struct spf_lookup *lookup)
{
    const char *name = spf_shown(check->arena, am_span_str(lookup->name));
    if (lookup->answer->outcome == AM_DNS_TIMEOUT &&
        am_clock_now_us(check->request.clock) >= check->request.deadline_us)
        return spf_check_end(check, SPF_TEMPERROR, SPF_LIMIT_TIME,
                             "no time left for the %s look-up of %s",
                             am_dns_type_word(lookup->type), name);
    return spf_check_end(check, SPF_TEMPERROR, SPF_LIMIT_NONE, "%s look-up of %s: %s",
                         am_dns_type_word(lookup->type), name,
                         am_dns_outcome_word(lookup->answer->outcome));
}
