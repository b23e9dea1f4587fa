#ifndef SPF_SPF_OVERRIDE_MAP_H
#define SPF_SPF_OVERRIDE_MAP_H

#include "spf-milter/spf_override.h"

/*
 * The map file of overrides, one row a line, `#` begins a comment:
 *
 *     client:192.0.2.0/24    mailfrom_fail=accept helo_fail=accept
 *     from:.example.org      mailfrom_softfail=reject
 *     to:user@example.com    mailfrom_fail=quarantine
 *
 * Bounded: at most SPF_MAP_BYTES_MAX bytes and SPF_MAP_ROWS_MAX rows.
 */
#define SPF_MAP_BYTES_MAX ((size_t)16 << 20)
#define SPF_MAP_ROWS_MAX 100000

struct spf_override_map {
    struct spf_override_rule *rules; /* in file order */
    size_t count, capacity;
    struct am_netset *clients; /* numbers are indexes of rules */
    struct am_patterns *senders, *recipients;
};

/*
 * Reads a map file.
 *
 * Returns: false with a sentence "path:line: ..." on the first mistake.
 * Ownership: everything lives as long as `arena`. Blocking: reads the file.
 */
bool spf_override_map_load(struct spf_override_map *map, struct am_arena *arena, const char *path,
                           struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory; `path` stands for the file in messages. */
bool spf_override_map_parse(struct spf_override_map *map, struct am_arena *arena, const char *path,
                            struct am_span text, struct am_problem *problem) AM_MUST_USE;

#endif
