#ifndef DMARC_REDIS_H
#define DMARC_REDIS_H

#include "dmarc-milter/dmarc_flat.h"
#include "dmarc-milter/dmarc_place.h"

/*
 * A stream of rows on a Redis or Valkey server: milters of several machines add, dmarc-report
 * takes. In a build without hiredis connecting fails and says so.
 *
 * Threads: one at a time per connection. Blocking: each call for about three seconds at most.
 */
struct dmarc_redis;

/* Connects, and says who we are where the place has a password. Returns NULL with a sentence. */
struct dmarc_redis *dmarc_redis_open(const struct dmarc_place *place,
                                     struct am_problem *problem) AM_MUST_USE;

/* Closes the connection. NULL is allowed. */
void dmarc_redis_close(struct dmarc_redis *redis);

/*
 * Adds rows, each of which has a uid. The stream keeps about `rows_max` entries: the oldest go.
 *
 * Returns: false with a sentence: `*written` rows from the first on were added, and it is not known
 * of the others.
 */
bool dmarc_redis_add(struct dmarc_redis *redis, struct dmarc_flat *const *rows, size_t count,
                     int64_t rows_max, size_t *written, struct am_problem *problem) AM_MUST_USE;

/* Most rows that are read at once. */
#define DMARC_REDIS_READ_MAX 200

/* Longest name of an entry, with its NUL. */
#define DMARC_REDIS_ENTRY_MAX 48

struct dmarc_redis_rows {
    size_t count; /* of entries that were read */
    struct {
        char entry[DMARC_REDIS_ENTRY_MAX];
        struct dmarc_flat *row; /* NULL: the entry is no row */
    } rows[DMARC_REDIS_READ_MAX];
};

/* Reads the oldest rows of the stream. Returns false with a sentence. Ownership of the rows:
 * free() each. */
bool dmarc_redis_read(struct dmarc_redis *redis, struct dmarc_redis_rows *out,
                      struct am_problem *problem) AM_MUST_USE;

/* Removes what was read. Returns false with a sentence. */
bool dmarc_redis_remove(struct dmarc_redis *redis, const struct dmarc_redis_rows *rows,
                        struct am_problem *problem) AM_MUST_USE;

#endif
