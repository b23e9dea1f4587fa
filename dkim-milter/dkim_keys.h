#ifndef DKIM_DKIM_KEYS_H
#define DKIM_DKIM_KEYS_H

#include "common/base/arena.h"
#include "common/base/option.h"
#include "common/base/problem.h"
#include "common/mail/address.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_key_path.h"

/*
 * The keys of a site and who signs with which: key files, the key table and the
 * signing table, read once per configuration and only looked at per message.
 * dkim_table.h, dkim_key_table.h and dkim_signing_table.h have the formats,
 * dkim_key_path.h who may touch a key file.
 *
 * A broken row or key file is reported with its place and leaves the others
 * working; a table or directory that cannot be read at all is a failure. A row of the signing
 * table none of whose keys can be used is left out as if it were not there.
 *
 * Threads: opening one; finding any.
 */
struct dkim_keys;

/* Where they come from. Empty texts: not used. Paths are full ones. */
struct dkim_keys_source {
    const char *key_directory; /* DIR/<domain>/<selector>.pem, .key or .private */
    const char *key_table;     /* "file:PATH", a plain path, or "sqlite:PATH" */
    const char *signing_table; /* the same kinds */
};

#define DKIM_KEY_NO_NUMBER SIZE_MAX

/* A key with all that its row says. */
struct dkim_signing_key {
    size_t number;        /* as for dkim_keys_item(); a key for "%" keeps it in every domain;
                             DKIM_KEY_NO_NUMBER for a managed key */
    const char *name;     /* of the key table; "domain/selector" in a directory */
    const char *domain;   /* d=: lower-case A-labels; "%": of whoever is signed for */
    const char *selector; /* s= */
    const char *path;     /* of the key file, or of the database that holds the key */
    const struct dkim_private_key *key;
    const char *identity; /* i=, or NULL */
    int64_t expire_s;     /* -1: as the configuration says */
    const struct am_strlist
        *signed_deltas; /* "headers=" of the row; NULL: as the configuration says */
};

/* What was found wrong and left out, unless the sentence says that it is used, for the log and for
 * --check-config. After the first hundred they are only counted, in a last one. */
struct dkim_keys_warning {
    struct dkim_keys_warning *next;
    const char *sentence; /* "path:line: what, and how to mend it" */
};

/* What opening needs beside the source. */
struct dkim_keys_env {
    struct am_arena *arena;
    /* Who will sign; NULL: the user of this process. Matters when root starts what becomes another.
     */
    const struct dkim_key_reader *reader;
    /* Asks for a reload when the file is written or replaced; with a slash at the end, when any
     * file of that directory is, or comes or goes; may be NULL. */
    bool (*watch)(void *user, const char *path);
    /* The same for the files of a database: at each write, as others keep them open, but not when
     * one is made, opened or closed, as reading does that; may be NULL. */
    bool (*watch_writes)(void *user, const char *path);
    void *user;
};

/*
 * Reads everything.
 *
 * Returns: NULL with a sentence when a table cannot be read or memory is short.
 * Ownership: lives as long as the arena, which wipes the keys when it is reset or freed.
 * Blocking: reads files.
 */
struct dkim_keys *dkim_keys_open(const struct dkim_keys_source *source,
                                 const struct dkim_keys_env *env,
                                 struct am_problem *problem) AM_MUST_USE;

/* Returns what was left out, in the order it was met; NULL when everything is well. */
const struct dkim_keys_warning *dkim_keys_warnings(const struct dkim_keys *keys);

/* Returns the number of keys, and each of them by its number, in the order they were read. */
size_t dkim_keys_count(const struct dkim_keys *keys);

/* Returns key number `index`; NULL beyond the last. */
const struct dkim_signing_key *dkim_keys_item(const struct dkim_keys *keys, size_t index);

/* Most keys that sign one message. */
#define DKIM_KEYS_PER_MESSAGE_MAX 8

/* Which keys sign for an address, and why these. */
struct dkim_keys_choice {
    const struct dkim_signing_key *keys[DKIM_KEYS_PER_MESSAGE_MAX];
    size_t count;
    const char *rule; /* "signing table PATH:LINE (pattern)", "key directory DIR/domain"; when none:
                         where was looked: "no row of signing table PATH and no folder of ..." */
};

/*
 * Finds the keys for an address: the most specific row of the signing table, else the
 * key directory's keys for exactly that domain. Keys for the domain "%" come back with the domain
 * of the address.
 *
 * Nothing is taken from `arena` when there are none, but for an address in U-labels.
 * Ownership: `rule` and keys for "%" live in `arena`; other keys as long as `keys`.
 */
void dkim_keys_find(const struct dkim_keys *keys, struct am_arena *arena,
                    const struct am_address *address, struct dkim_keys_choice *choice);

#endif
