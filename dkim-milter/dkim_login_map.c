#include "dkim-milter/dkim_login_map.h"

#include "common/base/table.h"
#include "common/mail/domain.h"
#include "dkim-milter/dkim_table.h"

/* Longest login; SASL has no bound, a login that is longer is not in any map. */
#define LOGIN_MAX 512
#define LOCAL_MAX 128

/* What a pair allows; kinds of keys in the table. */
enum kind { KIND_LOGIN, KIND_ADDRESS, KIND_DOMAIN, KIND_BELOW, KIND_ANY };

/* One table for all: keys are what the login may write as, a NUL, and the login. */
struct dkim_login_map {
    const char *path;
    struct am_table *table;
};

struct key {
    enum kind kind;
    size_t len;
    char text[LOCAL_MAX + 1 + AM_DOMAIN_MAX + 1 + LOGIN_MAX];
};

static void add_lower(struct key *key, struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        key->text[key->len++] = am_lower(text.ptr[i]);
}

/* Begins a key; the parts were measured. */
static void begin(struct key *key, enum kind kind, struct am_span local, struct am_span domain)
{
    key->kind = kind;
    key->len = 0;
    add_lower(key, local);
    if (kind == KIND_ADDRESS)
        key->text[key->len++] = '@';
    add_lower(key, domain);
    key->text[key->len++] = '\0';
}

static struct am_span span_of(const struct key *key)
{
    return am_span_of(key->text, key->len);
}

/* --- reading --- */

/* Makes the key of a word such as "user@example.org", without the login. */
static bool make_key(struct key *key, struct am_arena *arena, struct am_span word,
                     struct am_problem *problem)
{
    size_t at = am_span_find_last(word, '@');
    struct am_span local = {word.ptr, 0}, domain = word;
    enum kind kind = KIND_DOMAIN;

    if (am_span_equal(word, am_span_str("*"))) {
        begin(key, KIND_ANY, am_span_of(NULL, 0), am_span_of(NULL, 0));
        return true;
    }
    if (at < word.len) {
        kind = KIND_ADDRESS;
        local.len = at;
        domain = am_span_of(word.ptr + at + 1, word.len - at - 1);
    } else if (word.ptr[0] == '.') {
        kind = KIND_BELOW;
        domain = am_span_of(word.ptr + 1, word.len - 1);
    }
    const char *ascii = domain.len > 4 * AM_DOMAIN_MAX ? NULL : am_domain_to_ascii(arena, domain);
    bool good = ascii != NULL && am_domain_is_valid(am_span_str(ascii)) &&
                (kind != KIND_ADDRESS || (local.len > 0 && local.len <= LOCAL_MAX));
    if (!good)
        return am_problem_set(problem,
                              "\"%.*s\" is nothing a login could write as: write "
                              "user@example.org, example.org, .example.org (with everything "
                              "below it) or *",
                              (int)(word.len > 200 ? 200 : word.len), word.ptr);
    begin(key, kind, local, am_span_str(ascii));
    return true;
}

/* Adds the pairs of one row, or none of them. */
static bool add_row(struct dkim_login_map *map, struct am_arena *arena, struct am_span login,
                    struct am_span words, struct am_problem *problem)
{
    struct am_span rest = words, word;
    struct key key;

    if (login.len > LOGIN_MAX)
        return am_problem_set(problem, "the login is longer than %d octets", LOGIN_MAX);
    if (words.len == 0)
        return am_problem_set(problem,
                              "the row allows nothing: put behind the login what it may write "
                              "as, such as example.org");
    while ((word = am_rows_word(&rest, ",")).len > 0)
        if (!make_key(&key, arena, word, problem))
            return false;
    for (rest = words; (word = am_rows_word(&rest, ",")).len > 0;) {
        if (!make_key(&key, arena, word, problem))
            return false;
        add_lower(&key, login);
        if (am_table_put(map->table, (uint8_t)key.kind, span_of(&key), 0) == AM_TABLE_NONE)
            return am_problem_set(problem, "out of memory");
    }
    key.len = 0;
    add_lower(&key, login);
    return am_table_put(map->table, KIND_LOGIN, span_of(&key), 0) != AM_TABLE_NONE ||
           am_problem_set(problem, "out of memory");
}

/* Counts the words of a text: never fewer than its logins and what they may write as. */
static size_t count_words(struct am_span text)
{
    size_t count = 0;
    bool within = false;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_word = c > ' ' && c != ',';

        count += is_word && !within;
        within = is_word;
    }
    return count;
}

static bool read_rows(struct dkim_login_map *map, struct am_arena *arena, struct am_rows *table,
                      const struct dkim_login_complaints *complaints, struct am_problem *problem)
{
    struct am_span columns[AM_ROWS_COLUMNS_MAX];
    struct am_problem inner, place;

    for (;;) {
        enum am_rows_step step = am_rows_next(table, columns, &inner);

        if (step == AM_ROWS_END)
            return true;
        if (step == AM_ROWS_FAILED)
            return am_problem_set(problem, "%s", inner.text);
        if (step == AM_ROWS_ROW &&
            add_row(map, arena, columns[DKIM_SIGNING_PATTERN], columns[DKIM_SIGNING_KEYS], &inner))
            continue;
        am_rows_place(table, table->line, &place);
        const char *sentence =
            am_arena_printf(arena, "%s: %s; the row is left out", place.text, inner.text);
        if (sentence == NULL)
            return am_problem_set(problem, "%s: out of memory", map->path);
        complaints->take(complaints->user, sentence);
    }
}

static struct dkim_login_map *read_map(struct am_arena *arena, struct am_rows *table,
                                       const struct dkim_login_complaints *complaints,
                                       struct am_problem *problem)
{
    struct dkim_login_map *map = am_arena_alloc(arena, sizeof(*map));
    size_t words = count_words(table->rest);

    if (words > DKIM_LOGIN_PAIRS_MAX) {
        am_problem_set(problem, "%s: more than the %d words a map of logins may have", table->path,
                       DKIM_LOGIN_PAIRS_MAX);
        return NULL;
    }
    if (map != NULL) {
        map->path = am_arena_copy(arena, am_span_str(table->path));
        map->table = am_table_new(arena, words);
    }
    if (map == NULL || map->path == NULL || map->table == NULL) {
        am_problem_set(problem, "%s: out of memory", table->path);
        return NULL;
    }
    return read_rows(map, arena, table, complaints, problem) ? map : NULL;
}

struct dkim_login_map *dkim_login_map_parse(struct am_arena *arena, const char *path,
                                            struct am_span text,
                                            const struct dkim_login_complaints *complaints,
                                            struct am_problem *problem)
{
    struct am_rows table;

    am_rows_open_text(&table, path, text, &dkim_signing_rows);
    struct dkim_login_map *map = read_map(arena, &table, complaints, problem);
    am_rows_close(&table);
    return map;
}

struct dkim_login_map *dkim_login_map_load(struct am_arena *arena, const char *path,
                                           const struct dkim_login_complaints *complaints,
                                           struct am_problem *problem)
{
    struct am_rows_name name = {path, false};
    struct dkim_login_map *map = NULL;
    struct am_rows table = {.path = NULL};

    if (am_rows_open(&table, &name, &dkim_signing_rows, problem))
        map = read_map(arena, &table, complaints, problem);
    am_rows_close(&table);
    return map;
}

/* --- asking --- */

static bool holds(const struct dkim_login_map *map, struct key *key, struct am_span login)
{
    size_t len = key->len;

    add_lower(key, login);
    bool found = am_table_get(map->table, (uint8_t)key->kind, span_of(key)) != AM_TABLE_NONE;
    key->len = len;
    return found;
}

/* Tells whether a login may write as an address: itself, its domain, one above, or anything. */
static bool may_write(const struct dkim_login_map *map, struct am_span login, struct am_span local,
                      struct am_span domain)
{
    const struct am_span none = {NULL, 0};
    struct key key;

    begin(&key, KIND_ANY, none, none);
    if (holds(map, &key, login))
        return true;
    begin(&key, KIND_DOMAIN, none, domain);
    if (holds(map, &key, login))
        return true;
    if (local.len > 0 && local.len <= LOCAL_MAX) {
        begin(&key, KIND_ADDRESS, local, domain);
        if (holds(map, &key, login))
            return true;
    }
    while (domain.len > 0) {
        size_t dot = am_span_find(domain, '.');

        begin(&key, KIND_BELOW, none, domain);
        if (holds(map, &key, login))
            return true;
        if (dot == domain.len)
            return false;
        domain = am_span_of(domain.ptr + dot + 1, domain.len - dot - 1);
    }
    return false;
}

enum dkim_login_answer dkim_login_map_ask(const struct dkim_login_request *request)
{
    struct am_span login = am_span_str(request->login);
    struct am_span domain = am_span_str(request->domain);
    struct key key = {.len = 0};

    if (domain.len > AM_DOMAIN_MAX)
        return DKIM_LOGIN_DENIED;
    if (login.len <= LOGIN_MAX) {
        add_lower(&key, login);
        if (am_table_get(request->map->table, KIND_LOGIN, span_of(&key)) != AM_TABLE_NONE)
            return may_write(request->map, login, request->local, domain) ? DKIM_LOGIN_ALLOWED
                                                                          : DKIM_LOGIN_DENIED;
    }
    if (am_table_get(request->map->table, KIND_LOGIN, am_span_str("*")) == AM_TABLE_NONE)
        return DKIM_LOGIN_UNKNOWN;
    return may_write(request->map, am_span_str("*"), request->local, domain) ? DKIM_LOGIN_ALLOWED
                                                                             : DKIM_LOGIN_DENIED;
}

const char *dkim_login_map_path(const struct dkim_login_map *map)
{
    return map->path;
}
