#include "dkim-milter/dkim_keys.h"

#include <stdlib.h>
#include <string.h>

#include "common/mail/domain.h"
#include "dkim-milter/dkim_keys_state.h"

#define KIND 0
#define WARNINGS_MAX 100

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "out of memory");
}

/* --- what is told --- */

static void add_warning(struct dkim_keys *keys, const char *sentence)
{
    struct dkim_keys_warning *warning = am_arena_alloc(keys->arena, sizeof(*warning));
    if (warning == NULL || sentence == NULL)
        return;
    warning->sentence = sentence;
    if (keys->last_warning == NULL)
        keys->warnings = warning;
    else
        keys->last_warning->next = warning;
    keys->last_warning = warning;
}

void dkim_keys_warn(struct dkim_keys *keys, const char *format, ...)
{
    va_list args;
    if (keys->warning_count++ >= WARNINGS_MAX)
        return;
    va_start(args, format);
    add_warning(keys, am_arena_vprintf(keys->arena, format, args));
    va_end(args);
}

void dkim_keys_watch(struct dkim_keys *keys, const char *path)
{
    if (keys->env->watch != NULL && !keys->env->watch(keys->env->user, path))
        keys->unwatched++;
}

static void tell_the_rest(struct dkim_keys *keys)
{
    if (keys->warning_count > WARNINGS_MAX)
        add_warning(keys, am_arena_printf(keys->arena,
                                          "and %zu more that are not listed here: mend these first",
                                          keys->warning_count - WARNINGS_MAX));
    if (keys->unwatched > 0)
        add_warning(keys, am_arena_printf(keys->arena,
                                          "%zu key files or folders cannot be watched for changes: "
                                          "they are used; reload when they change",
                                          keys->unwatched));
}

const struct dkim_keys_warning *dkim_keys_warnings(const struct dkim_keys *keys)
{
    return keys->warnings;
}

/* --- opening --- */

/* What is read before it is known how large the tables of names must be. */
struct sources {
    struct dkim_directory directory;
    struct am_rows key_table, signing_table;
};

static bool watch_table(struct dkim_keys *keys, const struct am_rows_name *name,
                        struct am_problem *problem)
{
    const struct dkim_keys_env *env = keys->env;
    if (!name->is_sqlite) {
        dkim_keys_watch(keys, name->path);
        return true;
    }
    /* A commit writes to the database, or to the log beside it that becomes part of it later. */
    const char *log = am_arena_printf(keys->arena, "%s-wal", name->path);
    if (log == NULL)
        return no_memory(problem);
    if (env->watch_writes != NULL &&
        !(env->watch_writes(env->user, name->path) && env->watch_writes(env->user, log)))
        keys->unwatched++;
    return true;
}

static bool open_table(struct dkim_keys *keys, struct am_rows *table, const char *text,
                       const struct am_rows_kind *kind, struct am_problem *problem)
{
    struct am_rows_name name;
    if (text[0] == '\0')
        return true;
    if (!am_rows_name_split(&name, text, problem))
        return false;
    name.path = am_arena_copy(keys->arena, am_span_str(name.path));
    if (name.path == NULL)
        return no_memory(problem);
    return watch_table(keys, &name, problem) && am_rows_open(table, &name, kind, problem);
}

static bool open_sources(struct dkim_keys *keys, struct sources *sources,
                         const struct dkim_keys_source *source, struct am_problem *problem)
{
    if (source->key_directory[0] != '\0' &&
        !dkim_directory_list(&sources->directory, keys, source->key_directory, problem))
        return false;
    return open_table(keys, &sources->key_table, source->key_table, &dkim_key_rows, problem) &&
           open_table(keys, &sources->signing_table, source->signing_table, &dkim_signing_rows,
                      problem);
}

static bool make_tables(struct dkim_keys *keys, const struct sources *sources,
                        struct am_problem *problem)
{
    struct am_arena *arena = keys->arena;
    size_t folders = sources->directory.count, most = folders + sources->key_table.rows;
    keys->items = am_arena_alloc(arena, (most + 1) * sizeof(*keys->items));
    keys->loaded = am_arena_alloc(arena, (most + 1) * sizeof(*keys->loaded));
    keys->folders = am_arena_alloc(arena, (folders + 1) * sizeof(*keys->folders));
    keys->names = am_table_new(arena, most);
    keys->files = am_table_new(arena, most);
    keys->domains = am_table_new(arena, folders);
    keys->signing = dkim_signing_table_new(arena, sources->signing_table.rows);
    bool good = keys->items != NULL && keys->loaded != NULL && keys->folders != NULL &&
                keys->names != NULL && keys->files != NULL && keys->domains != NULL &&
                keys->signing != NULL;
    return good || no_memory(problem);
}

static bool read_sources(struct dkim_keys *keys, struct sources *sources,
                         struct am_problem *problem)
{
    if (!make_tables(keys, sources, problem) ||
        !dkim_keys_add_directory(keys, &sources->directory, problem))
        return false;
    if (sources->key_table.path != NULL && !dkim_keys_add_table(keys, &sources->key_table, problem))
        return false;
    return sources->signing_table.path == NULL ||
           dkim_keys_add_signing(keys, &sources->signing_table, problem);
}

/* The sentence for whom no key was found is the same for all. */
static bool word_nothing(struct dkim_keys *keys, const struct dkim_keys_source *source,
                         const struct am_rows *signing)
{
    const char *path = signing->path, *directory = source->key_directory;
    if (path != NULL && directory[0] != '\0')
        keys->nothing = am_arena_printf(
            keys->arena,
            "no row of signing table %s and no folder of key directory %s has a usable key for it",
            path, directory);
    else if (path != NULL)
        keys->nothing = am_arena_printf(keys->arena,
                                        "no row of signing table %s has a usable key for it", path);
    else if (directory[0] != '\0')
        keys->nothing = am_arena_printf(
            keys->arena, "no folder of key directory %s has a usable key for it", directory);
    else
        keys->nothing = "there is neither a signing table nor a key directory";
    return keys->nothing != NULL;
}

static struct dkim_keys *make(const struct dkim_keys_env *env, struct am_problem *problem)
{
    struct dkim_keys *keys = am_arena_alloc(env->arena, sizeof(*keys));
    if (keys == NULL) {
        no_memory(problem);
        return NULL;
    }
    keys->arena = env->arena;
    keys->env = env;
    if (env->reader != NULL)
        keys->reader = *env->reader;
    else if (!dkim_key_reader_find(&keys->reader, "", "", problem))
        return NULL;
    return keys;
}

struct dkim_keys *dkim_keys_open(const struct dkim_keys_source *source,
                                 const struct dkim_keys_env *env, struct am_problem *problem)
{
    struct sources sources = {.key_table = {.path = NULL}};
    struct dkim_keys *keys = make(env, problem);
    if (keys == NULL)
        return NULL;
    bool good =
        open_sources(keys, &sources, source, problem) && read_sources(keys, &sources, problem);
    keys->signing_name = (struct am_rows){.kind = &dkim_signing_rows,
                                          .path = sources.signing_table.path,
                                          .is_sqlite = sources.signing_table.is_sqlite};
    if (good && !word_nothing(keys, source, &sources.signing_table))
        good = no_memory(problem);
    am_rows_close(&sources.key_table);
    am_rows_close(&sources.signing_table);
    free(sources.directory.entries);
    tell_the_rest(keys);
    keys->env = NULL;
    return good ? keys : NULL;
}

size_t dkim_keys_count(const struct dkim_keys *keys)
{
    return keys->count;
}

const struct dkim_signing_key *dkim_keys_item(const struct dkim_keys *keys, size_t index)
{
    return index < keys->count ? keys->items[index] : NULL;
}

/* --- finding --- */

/* A key whose domain is "%" signs for the domain of the address. */
static const struct dkim_signing_key *for_domain(const struct dkim_signing_key *key,
                                                 struct am_arena *arena, struct am_span domain)
{
    if (key->domain[0] != '%')
        return key;
    struct dkim_signing_key *copy = am_arena_alloc(arena, sizeof(*copy));
    const char *name = am_arena_copy(arena, domain);
    if (copy == NULL || name == NULL || !am_domain_is_multi_label(domain))
        return NULL;
    *copy = *key;
    copy->domain = name;
    return copy;
}

static void choose(struct dkim_keys_choice *choice, const struct dkim_signing_key *key)
{
    if (key != NULL && choice->count < DKIM_KEYS_PER_MESSAGE_MAX)
        choice->keys[choice->count++] = key;
}

static bool choose_row(const struct dkim_keys *keys, struct am_arena *arena,
                       const struct am_address *address, struct dkim_keys_choice *choice)
{
    const struct dkim_signing_row *row = dkim_signing_table_find(keys->signing, arena, address);
    struct am_problem place;
    if (row == NULL)
        return false;
    for (unsigned i = 0; i < row->count; i++)
        choose(choice, for_domain(keys->items[row->keys[i]], arena, address->domain));
    am_rows_place(&keys->signing_name, row->line, &place);
    choice->rule = am_arena_printf(arena, "signing table %s (%s)", place.text, row->pattern);
    return true;
}

static bool choose_folder(const struct dkim_keys *keys, struct am_arena *arena,
                          struct am_span domain, struct dkim_keys_choice *choice)
{
    uint32_t held = am_table_get(keys->domains, KIND, domain);
    if (held == AM_TABLE_NONE || keys->folders[held].count == 0)
        return false;
    const struct dkim_key_folder *folder = &keys->folders[held];
    for (size_t i = 0; i < folder->count; i++)
        choose(choice, keys->items[folder->first + i]);
    choice->rule = am_arena_printf(arena, "key directory %s", folder->path);
    return true;
}

/* Brings a domain into lower-case A-labels: in `text`, or in the arena when it has U-labels. */
static struct am_span normal_domain(struct am_arena *arena, struct am_span domain,
                                    char text[AM_DOMAIN_MAX + 1])
{
    bool wide = false;
    if (domain.len > 0 && domain.ptr[domain.len - 1] == '.')
        domain.len--;
    for (size_t i = 0; i < domain.len; i++)
        wide = wide || (unsigned char)domain.ptr[i] >= 0x80;
    if (wide)
        return am_span_str(am_domain_to_ascii(arena, domain));
    if (domain.len > AM_DOMAIN_MAX)
        return am_span_of(text, 0);
    for (size_t i = 0; i < domain.len; i++)
        text[i] = am_lower(domain.ptr[i]);
    return am_span_of(text, domain.len);
}

void dkim_keys_find(const struct dkim_keys *keys, struct am_arena *arena,
                    const struct am_address *address, struct dkim_keys_choice *choice)
{
    char text[AM_DOMAIN_MAX + 1];
    struct am_address normal = *address;
    choice->count = 0;
    choice->rule = keys->nothing;
    normal.domain = normal_domain(arena, address->domain, text);
    if (normal.domain.len == 0)
        return;
    if (!choose_row(keys, arena, &normal, choice))
        (void)choose_folder(keys, arena, normal.domain, choice);
    if (choice->rule == NULL)
        choice->rule = "memory is short";
}
