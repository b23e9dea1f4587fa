#ifndef DKIM_DKIM_GATHER_H
#define DKIM_DKIM_GATHER_H

#include <string.h>

#include "dkim-milter/dkim_sink.h"

/*
 * Collects short spans on their way to a sink, which may be costly to call; long ones
 * go straight through. Lives on the stack; ends with dkim_gather_flush().
 */
struct dkim_gather {
    const struct dkim_sink *sink;
    size_t len;
    char bytes[8192];
};

#define DKIM_GATHER_LONG 2048

/* Begins with nothing collected; the bytes are left as they are. */
static inline void dkim_gather_init(struct dkim_gather *gather, const struct dkim_sink *sink)
{
    gather->sink = sink;
    gather->len = 0;
}

/* Hands on what was collected. */
static inline void dkim_gather_flush(struct dkim_gather *gather)
{
    dkim_sink_give(gather->sink, gather->bytes, gather->len);
    gather->len = 0;
}

/* Adds octets. */
static inline void dkim_gather_add(struct dkim_gather *gather, const char *ptr, size_t len)
{
    if (len == 0)
        return;
    if (len > sizeof(gather->bytes) - gather->len || len >= DKIM_GATHER_LONG)
        dkim_gather_flush(gather);
    if (len >= DKIM_GATHER_LONG) {
        dkim_sink_give(gather->sink, ptr, len);
        return;
    }
    memcpy(gather->bytes + gather->len, ptr, len);
    gather->len += len;
}

#endif
