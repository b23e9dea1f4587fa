#ifndef AM_MAP_MAP_H
#define AM_MAP_MAP_H

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/option.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A map says what belongs to an address, such as the logins that may write as it. Where the answer
 * comes from is the map's matter:
 *
 *     /path, file:/path     rows of a text file, read once: PATTERN VALUE[,VALUE...]
 *     sqlite:/path          the same rows in a table of an SQLite database, read once
 *     map:NAME              a section `map "NAME"`: a server or a database that is asked
 *
 * Threads: opening; asking any.
 */
struct am_map;

/* What is asked. All texts may be hostile; they are never pasted into a query. */
struct am_map_question {
    struct am_span local; /* of the address, as written */
    const char *domain;   /* of it, in lower-case A-labels */
    const char *login;    /* "": none */
    int64_t deadline_us;  /* by `clock` */
    const struct am_clock *clock;
    void (*before_wait)(void *waiter); /* called before it waits for a server; may be NULL */
    void *waiter;
};

enum am_map_answer {
    AM_MAP_NONE,   /* it holds nothing about the address */
    AM_MAP_FOUND,  /* it does; the values may be none */
    AM_MAP_FAILED, /* it could not be asked; the sentence says why */
};

/* Values of an answer; bounds beyond which an answer is a failure, and never cut. */
#define AM_MAP_VALUES_MAX 1000
#define AM_MAP_VALUE_BYTES_MAX 65536

struct am_map_values {
    const char **items;
    size_t count;
};

/*
 * Asks.
 *
 * values: of FOUND. problem: of FAILED.
 * Ownership: values live in `arena`. Blocking: a map that asks a server, until the deadline.
 */
enum am_map_answer am_map_ask(struct am_map *map, const struct am_map_question *question,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem);

/*
 * Tries whether a map can be asked: a server gets a connection, which is closed again. What was
 * read once is good.
 *
 * Returns: false with a sentence. Blocking: at most about map.timeout.
 */
bool am_map_try(struct am_map *map, struct am_problem *problem);

/* Several maps, asked in order: the first that holds something answers. */
struct am_maps {
    struct am_map **items;
    size_t count;
};

/*
 * Asks them. A map that cannot be asked is passed over; when no other one holds something either,
 * the answer is FAILED, and the sentence that of the first failure.
 */
enum am_map_answer am_maps_ask(const struct am_maps *maps, const struct am_map_question *question,
                               struct am_arena *arena, struct am_map_values *values,
                               struct am_problem *problem);

/* --- configuration --- */

struct am_config;
struct am_rows_kind;

/* The section `map`, for the extra_sections of a module. */
extern const struct am_section am_map_section;

/* Judges the text of one map: the check of option rows. */
bool am_map_check(const char *text, struct am_problem *problem);

/* Judges all sections `map` of a configuration, each by itself. Returns false with a sentence. */
bool am_map_sections_check(const struct am_config *config, struct am_problem *problem);

struct am_map_env {
    const struct am_config *config;  /* has the sections `map` */
    const struct am_rows_kind *rows; /* of files and databases that are read once: two columns */
    struct am_arena *arena;          /* keeps the maps */
    /* Gets rows that are wrong and left out, one sentence each. */
    void (*complain)(void *user, const char *sentence);
    /* Gets the files that were read. Returns false when memory is short. */
    bool (*watch)(void *user, const char *path, bool is_database);
    void *user;
};

/*
 * Opens the maps of a list. No server is asked yet.
 *
 * Returns: false with a sentence: an unknown section, a file that cannot be read, no memory.
 * Ownership: closed with am_maps_close(), after false too. Blocking: reads files.
 */
bool am_maps_open(struct am_maps *maps, const struct am_strlist *texts,
                  const struct am_map_env *env, struct am_problem *problem) AM_MUST_USE;

/* Closes connections; nobody asks any more. Zeroed memory is allowed. */
void am_maps_close(struct am_maps *maps);

#endif
