#ifndef AM_MILTER_METRICS_H
#define AM_MILTER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"

/*
 * The figures over HTTP, on the loopback interface only: /metrics in the Prometheus text format,
 * /healthz with 200 "ok" while serving and 503 otherwise.
 *
 * libmicrohttpd brings a TLS library along that costs every process 2.7 MB, used or not. So the
 * HTTP part is a shared object of its own, loaded only when milter.metrics_listen is set.
 */

/* What the HTTP part asks for; called on its thread. */
struct am_metrics_source {
    /* Returns the page, allocated with malloc(), or NULL when memory is short. */
    char *(*render)(void *user, size_t *length);
    bool (*is_healthy)(void *user);
    void *user;
};

/* Where to listen. */
struct am_metrics_address {
    int family; /* AF_INET or AF_INET6 */
    uint8_t bytes[16];
    uint16_t port;
};

struct am_metrics; /* a server */

/* The symbol that the shared object exports as "am_metrics_http". */
#define AM_METRICS_ABI 1
struct am_metrics_module {
    unsigned abi;
    /* Both as am_metrics_start() and am_metrics_stop(); `why` gets a sentence of at most `size`
     * bytes. */
    void *(*start)(const struct am_metrics_address *address, const struct am_metrics_source *source,
                   char *why, size_t size);
    void (*stop)(void *server);
};

/* Judges "127.0.0.1:9100" or "[::1]:9100" for an option row; "" is allowed. */
bool am_metrics_check_option(const char *text, struct am_problem *problem);

/*
 * Loads the HTTP part and starts its thread.
 *
 * source: must live until am_metrics_stop(). Returns: the server, or NULL with a sentence.
 */
struct am_metrics *am_metrics_start(const char *listen, const struct am_metrics_source *source,
                                    struct am_problem *problem) AM_MUST_USE;

/* Ends the thread and frees the server. NULL is allowed. */
void am_metrics_stop(struct am_metrics *metrics);

#endif
