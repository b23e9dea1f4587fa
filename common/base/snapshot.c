#include "common/base/snapshot.h"

#include <pthread.h>
#include <stdlib.h>

struct am_snapshot_holder {
    pthread_mutex_t lock; /* held for a pointer copy and a count only, never while destroying */
    struct am_snapshot *current;
};

void am_snapshot_init(struct am_snapshot *self, void (*destroy)(struct am_snapshot *self))
{
    atomic_init(&self->references, 1);
    self->destroy = destroy;
}

struct am_snapshot_holder *am_snapshot_holder_new(void)
{
    struct am_snapshot_holder *holder = calloc(1, sizeof(*holder));

    if (holder == NULL)
        return NULL;
    if (pthread_mutex_init(&holder->lock, NULL) != 0) {
        free(holder);
        return NULL;
    }
    return holder;
}

void am_snapshot_holder_free(struct am_snapshot_holder *holder)
{
    if (holder == NULL)
        return;
    am_snapshot_drop(holder->current);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

void am_snapshot_swap(struct am_snapshot_holder *holder, struct am_snapshot *next)
{
    struct am_snapshot *former;

    pthread_mutex_lock(&holder->lock);
    former = holder->current;
    holder->current = next;
    pthread_mutex_unlock(&holder->lock);
    am_snapshot_drop(former);
}

struct am_snapshot *am_snapshot_take(struct am_snapshot_holder *holder)
{
    struct am_snapshot *current;

    /* Reading the pointer and counting must be one step, or the last drop could come between. */
    pthread_mutex_lock(&holder->lock);
    current = holder->current;
    if (current != NULL)
        am_snapshot_ref(current);
    pthread_mutex_unlock(&holder->lock);
    return current;
}

void am_snapshot_ref(struct am_snapshot *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void am_snapshot_drop(struct am_snapshot *self)
{
    if (self == NULL)
        return;
    /* acq_rel: the destroying thread must see everything the others did before their drop. */
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1)
        self->destroy(self);
}
