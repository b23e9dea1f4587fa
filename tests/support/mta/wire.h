#ifndef AM_TESTS_MTA_WIRE_H
#define AM_TESTS_MTA_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A socket to a milter, with a time limit on everything. Packets go out as
 * bytes and come in whole.
 */
struct mta_wire {
    int fd;
    int timeout_ms;   /* of each wait for the peer */
    struct am_buf in; /* read, not yet consumed */
    size_t taken;     /* bytes of `in` consumed */
};

/*
 * Connects. socket: "unix:PATH", "local:PATH", a bare path, "inet:PORT@HOST" or "inet6:PORT@HOST"
 * (HOST numeric or "localhost"; left out: loopback).
 * Returns: false with a sentence. Blocking: at most timeout_ms.
 */
bool mta_wire_open(struct mta_wire *wire, const char *socket, int timeout_ms,
                   struct am_problem *problem) AM_MUST_USE;

/* Closes the socket and frees the memory. */
void mta_wire_close(struct mta_wire *wire);

/* Sends bytes. Returns false with a sentence when the peer is gone or takes nothing in time. */
bool mta_wire_send(struct mta_wire *wire, struct am_span bytes,
                   struct am_problem *problem) AM_MUST_USE;

/*
 * Receives one packet. The content lives until the next call.
 * Returns: false with a sentence on time-out, end of stream, or a length out of bounds.
 */
bool mta_wire_receive(struct mta_wire *wire, char *command, struct am_span *content,
                      struct am_problem *problem) AM_MUST_USE;

#endif
