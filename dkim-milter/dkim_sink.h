#ifndef DKIM_DKIM_SINK_H
#define DKIM_DKIM_SINK_H

#include <stddef.h>

/*
 * Where canonical octets go: a hash, a count, a buffer in a test. `take` is
 * called with spans of any length but 0, which are valid during the call only; it
 * cannot fail, so whoever may run out of something remembers that in `user`.
 */
struct dkim_sink {
    void (*take)(void *user, const char *ptr, size_t len);
    void *user;
};

/* Hands octets on, if there are any. */
static inline void dkim_sink_give(const struct dkim_sink *sink, const char *ptr, size_t len)
{
    if (len > 0)
        sink->take(sink->user, ptr, len);
}

#endif
