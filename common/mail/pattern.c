#include "common/mail/pattern.h"

#include "common/mail/domain.h"

/* Longest local part in a pattern; RFC 5321 section 4.5.3.1.1 allows 64, some sites more. */
#define LOCAL_MAX 128

enum kind { KIND_ADDRESS, KIND_DOMAIN, KIND_BELOW, KIND_LOCAL, KIND_NULL, KIND_COUNT };

struct am_patterns {
    struct am_table *table;
    struct am_arena *arena;
    bool has[KIND_COUNT];
};

/* A pattern in the form it is kept in. */
struct key {
    enum kind kind;
    size_t len;
    char text[LOCAL_MAX + 1 + AM_DOMAIN_MAX];
};

struct am_patterns *am_patterns_new(struct am_arena *arena, size_t capacity)
{
    struct am_patterns *set = am_arena_alloc(arena, sizeof(*set));

    if (set == NULL)
        return NULL;
    set->arena = arena;
    set->table = am_table_new(arena, capacity);
    return set->table == NULL ? NULL : set;
}

static bool is_ascii(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

static void append_lower(struct key *key, struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        key->text[key->len++] = am_lower(text.ptr[i]);
}

/* Appends a domain as lower-case A-labels without final dot; false when it is too long or no name.
 */
static bool append_domain(struct key *key, struct am_arena *arena, struct am_span domain)
{
    if (!is_ascii(domain)) {
        const char *ascii =
            domain.len > 4 * AM_DOMAIN_MAX ? NULL : am_domain_to_ascii(arena, domain);

        if (ascii == NULL)
            return false;
        domain = am_span_str(ascii);
    }
    if (domain.len > 0 && domain.ptr[domain.len - 1] == '.')
        domain.len--;
    if (domain.len == 0 || domain.len > AM_DOMAIN_MAX)
        return false;
    append_lower(key, domain);
    return true;
}

static bool bad_pattern(struct am_span pattern, struct am_problem *problem)
{
    return am_problem_set(problem,
                          "\"%.*s\" is no pattern: write user@example.org, example.org, "
                          ".example.org (with everything below it), user@ or <>",
                          (int)(pattern.len > 200 ? 200 : pattern.len), pattern.ptr);
}

/* Brings a pattern of the configuration into its key. */
static bool parse(struct key *key, struct am_arena *arena, struct am_span pattern,
                  struct am_problem *problem)
{
    struct am_span text = am_span_trim(pattern);
    size_t at = am_span_find_last(text, '@');
    struct am_span local = {text.ptr, 0}, domain = text;

    key->len = 0;
    if (am_span_equal(text, am_span_str("<>"))) {
        key->kind = KIND_NULL;
        return true;
    }
    if (at < text.len) {
        local.len = at;
        domain = am_span_of(text.ptr + at + 1, text.len - at - 1);
    } else if (am_span_find(text, '.') == text.len) {
        local = text;
        domain.len = 0;
    }
    if (local.len > LOCAL_MAX || (local.len == 0 && domain.len == 0))
        return bad_pattern(pattern, problem);
    /* Only a quoted local part may hold an '@' (RFC 5321 section 4.1.2). */
    if (am_span_find(local, '@') < local.len && local.ptr[0] != '"')
        return bad_pattern(pattern, problem);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return bad_pattern(pattern, problem);

    append_lower(key, local);
    if (domain.len == 0) {
        key->kind = KIND_LOCAL;
        return true;
    }
    key->kind = KIND_DOMAIN;
    if (local.len > 0) {
        key->kind = KIND_ADDRESS;
        key->text[key->len++] = '@';
    } else if (domain.ptr[0] == '.') {
        key->kind = KIND_BELOW;
        domain = am_span_of(domain.ptr + 1, domain.len - 1);
    }
    size_t start = key->len;
    if (!append_domain(key, arena, domain) ||
        !am_domain_is_valid(am_span_of(key->text + start, key->len - start)))
        return bad_pattern(pattern, problem);
    return true;
}

bool am_pattern_check(const char *pattern, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct key key;

    if (arena == NULL)
        return am_problem_set(problem, "out of memory");
    bool good = parse(&key, arena, am_span_str(pattern), problem);
    am_arena_free(arena);
    return good;
}

uint32_t am_patterns_add(struct am_patterns *set, struct am_span pattern, uint32_t value,
                         struct am_problem *problem)
{
    struct key key;

    if (!parse(&key, set->arena, pattern, problem))
        return AM_TABLE_NONE;
    set->has[key.kind] = true;
    uint32_t held = am_table_put(set->table, key.kind, am_span_of(key.text, key.len), value);
    if (held == AM_TABLE_NONE)
        am_problem_set(problem, "out of memory");
    return held;
}

struct am_patterns *am_patterns_of(struct am_arena *arena, const struct am_strlist *list,
                                   struct am_problem *problem)
{
    struct am_patterns *set = am_patterns_new(arena, list->count);

    if (set == NULL)
        am_problem_set(problem, "out of memory");
    for (size_t i = 0; set != NULL && i < list->count; i++)
        if (am_patterns_add(set, am_span_str(list->items[i]), (uint32_t)i, problem) ==
            AM_TABLE_NONE)
            return NULL;
    return set;
}

/* Looks for the name itself, then for the longest ".parent" around it. */
static uint32_t find_name(const struct am_patterns *set, struct am_span name)
{
    uint32_t found = AM_TABLE_NONE;

    if (set->has[KIND_DOMAIN])
        found = am_table_get(set->table, KIND_DOMAIN, name);
    if (found != AM_TABLE_NONE || !set->has[KIND_BELOW])
        return found;

    uint64_t hash = am_table_seed(KIND_BELOW);
    for (size_t i = name.len; i > 0; i--) {
        hash = am_table_step(hash, name.ptr[i - 1]);
        if (i > 1 && name.ptr[i - 2] != '.')
            continue;
        uint32_t held = am_table_find(set->table, KIND_BELOW, hash,
                                      am_span_of(name.ptr + i - 1, name.len - i + 1));
        if (held != AM_TABLE_NONE)
            found = held;
    }
    return found;
}

uint32_t am_patterns_find_domain(const struct am_patterns *set, struct am_arena *arena,
                                 struct am_span domain)
{
    struct key key = {.len = 0};

    if (!set->has[KIND_DOMAIN] && !set->has[KIND_BELOW])
        return AM_TABLE_NONE;
    if (!append_domain(&key, arena, domain))
        return AM_TABLE_NONE;
    return find_name(set, am_span_of(key.text, key.len));
}

uint32_t am_patterns_find(const struct am_patterns *set, struct am_arena *arena,
                          const struct am_address *address)
{
    uint32_t found = AM_TABLE_NONE;
    bool has_local = address->local.len > 0 && address->local.len <= LOCAL_MAX;
    struct key key = {.len = 0};

    if (address->is_null)
        return set->has[KIND_NULL] ? am_table_get(set->table, KIND_NULL, am_span_of("", 0))
                                   : AM_TABLE_NONE;
    if (set->has[KIND_ADDRESS] && has_local) {
        append_lower(&key, address->local);
        key.text[key.len++] = '@';
        if (append_domain(&key, arena, address->domain))
            found = am_table_get(set->table, KIND_ADDRESS, am_span_of(key.text, key.len));
    }
    if (found == AM_TABLE_NONE)
        found = am_patterns_find_domain(set, arena, address->domain);
    if (found == AM_TABLE_NONE && set->has[KIND_LOCAL]) {
        /* "RCPT TO:<postmaster>" has no domain (RFC 5321 section 4.5.1). */
        struct am_span local = address->domain.len == 0 ? address->full : address->local;

        if (local.len > LOCAL_MAX)
            return AM_TABLE_NONE;
        key.len = 0;
        append_lower(&key, local);
        found = am_table_get(set->table, KIND_LOCAL, am_span_of(key.text, key.len));
    }
    return found;
}

bool am_patterns_is_empty(const struct am_patterns *set)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (set->has[kind])
            return false;
    return true;
}
