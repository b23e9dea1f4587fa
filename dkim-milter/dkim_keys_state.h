#ifndef DKIM_DKIM_KEYS_STATE_H
#define DKIM_DKIM_KEYS_STATE_H

#include "common/base/table.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_signing_table.h"
#include "dkim-milter/dkim_table.h"

/* The inside of dkim_keys, for the files that fill it. */

/* What the table of names holds for a key that was left out. */
#define DKIM_KEY_BROKEN (AM_TABLE_NONE - 1)

/* A key file that was read, or why it could not be. */
struct dkim_loaded_file {
    struct dkim_private_key *key;
    const char *sentence;
};

/* The keys of one folder of the key directory: they stand one after the other. */
struct dkim_key_folder {
    const char *path;
    size_t first, count; /* of dkim_keys.items */
};

struct dkim_keys {
    struct am_arena *arena;
    const struct dkim_keys_env *env;
    struct dkim_key_reader reader;
    struct dkim_keys_warning *warnings, *last_warning;
    size_t warning_count;
    size_t unwatched; /* paths that could not be watched */
    const struct dkim_signing_key **items;
    size_t count, capacity;
    struct am_table *names; /* of keys: index of items, or DKIM_KEY_BROKEN */
    struct am_table *files; /* paths: index of loaded */
    struct dkim_loaded_file *loaded;
    size_t loaded_count;
    struct am_table *domains; /* index of folders */
    struct dkim_key_folder *folders;
    size_t folder_count;
    struct dkim_signing_table *signing;
    struct am_rows signing_name; /* closed: path and kind only */
    const char *nothing;         /* what dkim_keys_find() says when there is none */
};

/* A key file of the key directory. */
struct dkim_directory_entry {
    const char *folder;   /* path */
    const char *domain;   /* A-labels */
    const char *selector; /* lower-case */
    const char *path;
};

/* What a key directory holds, by domain and selector. */
struct dkim_directory {
    struct dkim_directory_entry *entries;
    size_t count, capacity;
};

/* Reports what is left out. Silent when memory is short. */
void dkim_keys_warn(struct dkim_keys *keys, const char *format, ...) AM_PRINTF(2, 3);

/* Asks for a reload when `path` changes; counts when that cannot be had. */
void dkim_keys_watch(struct dkim_keys *keys, const char *path);

/*
 * Lists a key directory, reports what is amiss in it, and has it watched.
 *
 * Returns: false with a sentence when it cannot be read or memory is short.
 * Ownership: `entries` are freed by the caller with free(), after false too; texts live in the
 *   arena. Blocking: reads directories.
 */
bool dkim_directory_list(struct dkim_directory *out, struct dkim_keys *keys, const char *path,
                         struct am_problem *problem) AM_MUST_USE;

/* Loads the key files of a directory. Returns false with a sentence when memory is short. */
bool dkim_keys_add_directory(struct dkim_keys *keys, const struct dkim_directory *directory,
                             struct am_problem *problem) AM_MUST_USE;

/* Reads the rows of the key table. Returns false with a sentence when it cannot be read on. */
bool dkim_keys_add_table(struct dkim_keys *keys, struct am_rows *table,
                         struct am_problem *problem) AM_MUST_USE;

/* Reads the rows of the signing table. Returns false with a sentence when it cannot be read on. */
bool dkim_keys_add_signing(struct dkim_keys *keys, struct am_rows *table,
                           struct am_problem *problem) AM_MUST_USE;

#endif
