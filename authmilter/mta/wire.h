#ifndef AUTHMILTER_MTA_WIRE_H
#define AUTHMILTER_MTA_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A socket to a milter, with a time limit on everything. Packets go out as
 * bytes and come in whole.
 */
struct mta_wire {
    int fd;
    int timeout_ms;      /* of each wait for the peer, and of each packet from it */
    int64_t deadline_us; /* every wait ends then, however lively the peer is; AM_NEVER at first */
    struct am_buf in;    /* read, not yet consumed */
    size_t taken;        /* bytes of `in` consumed */
};

/*
 * Connects. socket: "unix:PATH", "local:PATH", a bare path, "inet:PORT@HOST" or "inet6:PORT@HOST"
 * (HOST numeric or "localhost"; left out: loopback).
 * Returns: false with a sentence. Blocking: at most timeout_ms.
 */
bool mta_wire_open(struct mta_wire *wire, const char *socket, int timeout_ms,
                   struct am_problem *problem) AM_MUST_USE;

/* The same on a connected socket, which becomes non-blocking and the wire's, also after failure. */
bool mta_wire_adopt(struct mta_wire *wire, int fd, int timeout_ms,
                    struct am_problem *problem) AM_MUST_USE;

/* Closes the socket and frees the memory. */
void mta_wire_close(struct mta_wire *wire);

/*
 * Sends bytes. Returns false with a sentence when the peer is gone or takes nothing in time.
 * Blocking: until the wire's deadline at most.
 */
bool mta_wire_send(struct mta_wire *wire, struct am_span bytes,
                   struct am_problem *problem) AM_MUST_USE;

/*
 * Receives one packet. The content lives until the next call.
 * Returns: false with a sentence on time-out, end of stream, or a length out of bounds.
 * Blocking: timeout_ms for the whole packet, and until the wire's deadline, at most.
 */
bool mta_wire_receive(struct mta_wire *wire, char *command, struct am_span *content,
                      struct am_problem *problem) AM_MUST_USE;

#endif
