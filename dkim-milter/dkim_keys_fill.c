#include <string.h>
#include <unistd.h>

#include "dkim-milter/dkim_key_load.h"
#include "dkim-milter/dkim_key_table.h"
#include "dkim-milter/dkim_keys_state.h"

/* Kinds of keys in tables: one is enough, each table holds one kind of thing. */
#define KIND 0

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "out of memory");
}

static void release_key(void *object)
{
    dkim_private_key_free(object);
}

/* Has a key wiped when the configuration goes. Takes it over, also when that fails. */
static bool adopt(struct dkim_keys *keys, struct dkim_private_key *key)
{
    if (am_arena_defer(keys->arena, release_key, key))
        return true;
    dkim_private_key_free(key);
    return false;
}

/* Reads a key file unless it was read before. NULL when memory is short. */
static const struct dkim_loaded_file *load(struct dkim_keys *keys, const char *path)
{
    uint32_t held =
        am_table_put(keys->files, KIND, am_span_str(path), (uint32_t)keys->loaded_count);
    struct am_problem problem;
    if (held == AM_TABLE_NONE)
        return NULL;
    struct dkim_loaded_file *file = &keys->loaded[held];
    if (held < keys->loaded_count)
        return file;
    keys->loaded_count++;
    dkim_keys_watch(keys, path);
    file->key = dkim_key_load(path, &keys->reader, &problem);
    if (file->key == NULL)
        file->sentence = am_arena_copy(keys->arena, am_span_str(problem.text));
    else if (!adopt(keys, file->key))
        file->key = NULL;
    return file->key == NULL && file->sentence == NULL ? NULL : file;
}

static void warn_if_weak(struct dkim_keys *keys, const char *place,
                         const struct dkim_private_key *key)
{
    if (dkim_private_key_type(key) == DKIM_KEY_RSA &&
        dkim_private_key_bits(key) < DKIM_RSA_BITS_GOOD)
        dkim_keys_warn(keys,
                       "%s: an RSA key of %u bits is weak, and some verifiers refuse it; it is "
                       "used, but make one of %d",
                       place, dkim_private_key_bits(key), DKIM_RSA_BITS_GOOD);
}

/* Takes a key into use. */
static bool keep(struct dkim_keys *keys, const struct dkim_signing_key *key)
{
    struct dkim_signing_key *copy = am_arena_alloc(keys->arena, sizeof(*copy));
    if (copy == NULL)
        return false;
    *copy = *key;
    copy->number = keys->count;
    keys->items[keys->count++] = copy;
    return true;
}

/* Hands each row of a table on. */
static bool each_row(struct dkim_keys *keys, struct am_rows *table,
                     bool (*add)(struct dkim_keys *keys, const struct am_rows *table,
                                 const struct am_span *columns),
                     struct am_problem *problem)
{
    struct am_span columns[AM_ROWS_COLUMNS_MAX];
    struct am_problem place;
    for (size_t rows = 0;;) {
        switch (am_rows_next(table, columns, problem)) {
        case AM_ROWS_END:
            return true;
        case AM_ROWS_FAILED:
            return false;
        case AM_ROWS_BROKEN:
            am_rows_place(table, table->line, &place);
            dkim_keys_warn(keys, "%s: %s", place.text, problem->text);
            break;
        case AM_ROWS_ROW:
            if (rows++ == table->rows)
                return am_problem_set(problem, "%s: more rows than the %d of a table", table->path,
                                      AM_ROWS_COUNT_MAX);
            if (!add(keys, table, columns))
                return no_memory(problem);
            break;
        }
    }
}

/* --- the key directory --- */

/* Begins a folder when the domain is a new one. Returns NULL when memory is short. */
static struct dkim_key_folder *folder_of(struct dkim_keys *keys,
                                         const struct dkim_directory_entry *entry)
{
    uint32_t held =
        am_table_put(keys->domains, KIND, am_span_str(entry->domain), (uint32_t)keys->folder_count);
    if (held == AM_TABLE_NONE)
        return NULL;
    if (held == keys->folder_count)
        keys->folders[keys->folder_count++] =
            (struct dkim_key_folder){.path = entry->folder, .first = keys->count};
    return &keys->folders[held];
}

static bool add_entry(struct dkim_keys *keys, const struct dkim_directory_entry *entry)
{
    struct dkim_key_folder *folder = folder_of(keys, entry);
    struct dkim_signing_key key = {
        .domain = entry->domain, .selector = entry->selector, .path = entry->path, .expire_s = -1};
    key.name = am_arena_printf(keys->arena, "%s/%s", entry->domain, entry->selector);
    if (folder == NULL || key.name == NULL)
        return false;
    if (folder->count == DKIM_KEYS_PER_MESSAGE_MAX) {
        dkim_keys_warn(keys, "%s: %s has more than %d keys; this one is not used", entry->path,
                       entry->domain, DKIM_KEYS_PER_MESSAGE_MAX);
        return true;
    }
    const struct dkim_loaded_file *file = load(keys, entry->path);
    if (file == NULL)
        return false;
    uint32_t index = file->key == NULL ? DKIM_KEY_BROKEN : (uint32_t)keys->count;
    uint32_t held = am_table_put(keys->names, KIND, am_span_str(key.name), index);
    if (file->key == NULL) {
        dkim_keys_warn(keys, "%s", file->sentence);
    } else if (held != index) {
        dkim_keys_warn(keys, "%s: there is another file for selector %s of %s", entry->path,
                       entry->selector, entry->domain);
    } else {
        warn_if_weak(keys, entry->path, file->key);
        key.key = file->key;
        folder->count++;
        return keep(keys, &key);
    }
    return held != AM_TABLE_NONE;
}

bool dkim_keys_add_directory(struct dkim_keys *keys, const struct dkim_directory *directory,
                             struct am_problem *problem)
{
    for (size_t i = 0; i < directory->count; i++)
        if (!add_entry(keys, &directory->entries[i]))
            return no_memory(problem);
    return true;
}

/* --- the key table --- */

/* The folder relative key files are looked for in: that of the table. */
static const char *full_path(struct am_arena *arena, const char *table, struct am_span file)
{
    if (file.ptr[0] == '/')
        return am_arena_copy(arena, file);
    size_t folder = am_span_find_last(am_span_str(table), '/');
    return am_arena_printf(arena, "%.*s/%.*s", (int)folder, table, (int)file.len, file.ptr);
}

/* A database that holds keys is a key file. */
static bool is_database_fit(struct dkim_keys *keys, const char *path, struct am_problem *problem)
{
    struct stat info;
    int fd = dkim_key_path_open(path, &keys->reader, &info, problem);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Finds the key of a row: `*found` stays NULL when it is none, with a sentence. False when memory
 * is short. */
static bool find_key(struct dkim_keys *keys, const struct am_rows *table,
                     const struct am_span *columns, struct dkim_signing_key *row,
                     struct am_problem *problem)
{
    if (columns[DKIM_KEY_PEM].len == 0) {
        row->path = full_path(keys->arena, table->path, columns[DKIM_KEY_FILE]);
        const struct dkim_loaded_file *file = row->path == NULL ? NULL : load(keys, row->path);
        if (file == NULL)
            return false;
        row->key = file->key;
        if (file->key == NULL)
            am_problem_set(problem, "%s", file->sentence);
        return true;
    }
    row->path = table->path;
    if (!is_database_fit(keys, table->path, problem))
        return true;
    struct dkim_private_key *key = dkim_key_file_parse(columns[DKIM_KEY_PEM], problem);
    if (key == NULL)
        return true;
    row->key = key;
    return adopt(keys, key);
}

/* Reads a row into `row`; without a key there is a sentence. False when memory is short. */
static bool read_key_row(struct dkim_keys *keys, const struct am_rows *table,
                         const struct am_span *columns, struct dkim_key_row *row,
                         struct am_problem *problem)
{
    if (!dkim_key_row_read(row, keys->arena, columns, problem))
        return true;
    if (!find_key(keys, table, columns, &row->key, problem))
        return false;
    if (row->key.key != NULL && !dkim_key_row_fits(row, row->key.key, problem))
        row->key.key = NULL;
    return true;
}

static bool add_key_row(struct dkim_keys *keys, const struct am_rows *table,
                        const struct am_span *columns)
{
    struct dkim_key_row row;
    struct am_problem place, wrong;
    am_rows_place(table, table->line, &place);
    if (!read_key_row(keys, table, columns, &row, &wrong))
        return false;
    uint32_t index = row.key.key == NULL ? DKIM_KEY_BROKEN : (uint32_t)keys->count;
    uint32_t held = index;
    if (columns[DKIM_KEY_NAME].len > 0)
        held = am_table_put(keys->names, KIND, columns[DKIM_KEY_NAME], index);
    if (row.key.key == NULL) {
        dkim_keys_warn(keys, "%s: %s", place.text, wrong.text);
    } else if (held == AM_TABLE_NONE) {
        return false;
    } else if (held != index) {
        dkim_keys_warn(keys, "%s: there is a key named %s already; this row is left out",
                       place.text, row.key.name);
    } else {
        warn_if_weak(keys, place.text, row.key.key);
        return keep(keys, &row.key);
    }
    return true;
}

bool dkim_keys_add_table(struct dkim_keys *keys, struct am_rows *table, struct am_problem *problem)
{
    return each_row(keys, table, add_key_row, problem);
}

/* --- the signing table --- */

/* Finds the keys a row names; those that cannot be had are reported. */
static void find_named(struct dkim_keys *keys, const char *place, struct am_span names,
                       struct dkim_signing_row *row)
{
    struct am_span name;
    while ((name = am_rows_word(&names, ",")).len > 0) {
        uint32_t held = am_table_get(keys->names, KIND, name);
        int len = (int)(name.len > 200 ? 200 : name.len);
        if (held == AM_TABLE_NONE)
            dkim_keys_warn(keys, "%s: there is no key named %.*s", place, len, name.ptr);
        else if (held == DKIM_KEY_BROKEN)
            dkim_keys_warn(keys, "%s: key %.*s was left out", place, len, name.ptr);
        else if (row->count == DKIM_KEYS_PER_MESSAGE_MAX)
            dkim_keys_warn(keys, "%s: more than %d keys; %.*s is not used", place,
                           DKIM_KEYS_PER_MESSAGE_MAX, len, name.ptr);
        else
            row->keys[row->count++] = held;
    }
}

static bool add_signing_row(struct dkim_keys *keys, const struct am_rows *table,
                            const struct am_span *columns)
{
    struct dkim_signing_row row = {.line = table->line};
    struct am_problem place, wrong;
    am_rows_place(table, table->line, &place);
    find_named(keys, place.text, columns[DKIM_SIGNING_KEYS], &row);
    if (columns[DKIM_SIGNING_KEYS].len == 0)
        dkim_keys_warn(keys, "%s: a row is: PATTERN KEYNAME[,KEYNAME...]", place.text);
    else if (row.count > 0 &&
             !dkim_signing_table_add(keys->signing, columns[DKIM_SIGNING_PATTERN], &row, &wrong))
        dkim_keys_warn(keys, "%s: %s", place.text, wrong.text);
    return true;
}

bool dkim_keys_add_signing(struct dkim_keys *keys, struct am_rows *table,
                           struct am_problem *problem)
{
    return each_row(keys, table, add_signing_row, problem);
}
