#ifndef DKIM_DKIM_PEER_POOL_H
#define DKIM_DKIM_PEER_POOL_H

#include <stdbool.h>
#include <sys/types.h>

/* The processes that hold libopendkim. */

/* One of them, and our end of its socket. */
struct dkim_peer_worker {
    pid_t pid; /* 0: none */
    int fd;
};

/*
 * Takes an idle worker or starts a new one.
 * Returns: false when no process can be started. Threads: any.
 */
bool dkim_peer_pool_take(struct dkim_peer_worker *worker);

/* Gives a worker back that has answered to the end. Threads: any. */
void dkim_peer_pool_give(struct dkim_peer_worker *worker);

/* Ends a worker that is in the middle of something, waits for its end. Threads: any. */
void dkim_peer_pool_kill(struct dkim_peer_worker *worker);

#endif
