#ifndef AM_MAP_MAP_INTERNAL_H
#define AM_MAP_MAP_INTERNAL_H

#include "common/map/map.h"
#include "common/base/buf.h"
#include "common/map/map_conf.h"

/* Shared by the files that make up maps. */

struct am_map {
    const char *name; /* as the configuration has it: for sentences */
    enum am_map_answer (*ask)(struct am_map *map, const struct am_map_question *question,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem);
    void (*close)(struct am_map *map);
    bool (*try)(struct am_map *map, struct am_problem *problem); /* NULL: always good */
};

/* Opens a map of rows. Returns NULL with a sentence. */
struct am_map *am_map_rows_open(const char *text, const struct am_map_env *env,
                                struct am_problem *problem) AM_MUST_USE;

/* Opens one that asks a server. Returns NULL with a sentence. */
struct am_map *am_map_live_open(const struct am_map_conf *conf, const struct am_map_env *env,
                                struct am_problem *problem) AM_MUST_USE;

/*
 * Adds the words of a text, with commas or blanks between them.
 * Returns: false with a sentence: more than may be, or no memory.
 */
bool am_map_values_add(struct am_map_values *values, struct am_arena *arena, struct am_span text,
                       struct am_problem *problem) AM_MUST_USE;

/* --- drivers: one for each kind of server --- */

struct am_map_connection; /* of a driver */

struct am_map_driver {
    const char *missing; /* NULL; else the library this program was built without */
    /* Judges what a section says, beyond single options. Returns false with a sentence. */
    bool (*check)(const struct am_map_conf *conf, struct am_arena *arena,
                  struct am_problem *problem);
    /* Returns NULL with a sentence. Blocking: at most about `timeout_ms`. */
    struct am_map_connection *(*connect)(const struct am_map_conf *conf, struct am_arena *arena,
                                         int64_t timeout_ms, struct am_problem *problem);
    /* As am_map_ask(). After FAILED the connection is closed. Blocking: at most about `timeout_ms`.
     */
    enum am_map_answer (*ask)(struct am_map_connection *connection,
                              const struct am_map_question *question, int64_t timeout_ms,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem);
    void (*disconnect)(struct am_map_connection *connection);
};

extern const struct am_map_driver am_map_ldap, am_map_postgresql, am_map_mariadb, am_map_sqlite;

/* Returns the driver of a kind. */
const struct am_map_driver *am_map_driver_of(enum am_map_kind kind);

/*
 * Reads a password file: the first line. Returns false with a sentence.
 * Ownership: `out` is initialised and filled; the caller ends it. Blocking: reads the file.
 */
bool am_map_password_read(const char *path, struct am_buf *out,
                          struct am_problem *problem) AM_MUST_USE;

/* Wipes and ends what am_map_password_read() filled. */
void am_map_password_wipe(struct am_buf *password);

#endif
