#ifndef AM_MILTER_OVERRIDE_MAP_H
#define AM_MILTER_OVERRIDE_MAP_H

#include "common/base/netset.h"
#include "common/milter/override.h"

/*
 * The map file of overrides, one row a line, `#` begins a comment. The options are those of the
 * override section:
 *
 *     client:192.0.2.0/24    mailfrom_fail=accept helo_fail=accept
 *     from:.example.org      mailfrom_softfail=reject
 *     to:user@example.com    mailfrom_fail=quarantine
 *
 * Bounded: at most AM_OVERRIDE_MAP_BYTES_MAX bytes and AM_OVERRIDE_MAP_ROWS_MAX rows.
 */
#define AM_OVERRIDE_MAP_BYTES_MAX ((size_t)16 << 20)
#define AM_OVERRIDE_MAP_ROWS_MAX 100000

struct am_override_map {
    struct am_override_rule *rules; /* in file order */
    size_t count, capacity;
    struct am_netset *clients; /* numbers are indexes of rules */
    struct am_patterns *senders, *recipients;
};

/*
 * Reads the map file of a source.
 *
 * Returns: false with a sentence "path:line: ..." on the first mistake.
 * Ownership: everything lives as long as `arena`. Blocking: reads the file.
 */
bool am_override_map_load(struct am_override_map *map, struct am_arena *arena,
                          const struct am_override_source *source,
                          struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory; `path` stands for the file in messages. */
bool am_override_map_parse(struct am_override_map *map, struct am_arena *arena,
                           const struct am_section *section, const char *path, struct am_span text,
                           struct am_problem *problem) AM_MUST_USE;

#endif
