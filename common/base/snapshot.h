#ifndef AM_BASE_SNAPSHOT_H
#define AM_BASE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/problem.h"

/*
 * An immutable, reference-counted object and the holder of the current one.
 * A reader takes the current object and drops it when done; a writer swaps a
 * new one in; the last drop, on whatever thread, destroys the old.
 *
 * Embed `struct am_snapshot` as the first member of the object.
 */
struct am_snapshot {
    atomic_uint references;
    void (*destroy)(struct am_snapshot *self);
};

struct am_snapshot_holder; /* a pointer under one small lock */

/* Makes a snapshot with one reference, owned by the caller. */
void am_snapshot_init(struct am_snapshot *self, void (*destroy)(struct am_snapshot *self));

/* Makes a holder of nothing. Returns NULL when memory is short. Freed with
 * am_snapshot_holder_free(). */
struct am_snapshot_holder *am_snapshot_holder_new(void) AM_MUST_USE;

/* Drops the held object and frees the holder. NULL is allowed. */
void am_snapshot_holder_free(struct am_snapshot_holder *holder);

/* Puts `next` (its reference passes to the holder) in place and drops the former object. Threads:
 * any. */
void am_snapshot_swap(struct am_snapshot_holder *holder, struct am_snapshot *next);

/* Returns the current object with a new reference for the caller, or NULL. Threads: any. */
struct am_snapshot *am_snapshot_take(struct am_snapshot_holder *holder) AM_MUST_USE;

/* Takes one more reference to an object the caller already holds. Threads: any. */
void am_snapshot_ref(struct am_snapshot *self);

/* Gives a reference back; the last one destroys the object. NULL is allowed. Threads: any. */
void am_snapshot_drop(struct am_snapshot *self);

#endif
