#ifndef DKIM_DKIM_PEER_WIRE_H
#define DKIM_DKIM_PEER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * What the engine and the process that holds libopendkim say to each other over a socket:
 * frames of a type, a length and that many octets. Both ends are one build on one machine, so
 * structures travel as they lie in memory.
 *
 * The engine sends BEGIN, a FIELD for each header field, BODY pieces and END; then it answers
 * each QUESTION with an ANSWER until it has got a RESULT for each signature and DONE.
 */
enum dkim_peer_type {
    DKIM_PEER_BEGIN,    /* struct dkim_peer_begin */
    DKIM_PEER_FIELD,    /* "Name: value", folds with CRLF, no line end at the end */
    DKIM_PEER_BODY,     /* octets */
    DKIM_PEER_END,      /* nothing */
    DKIM_PEER_QUESTION, /* a uint32_t number of a signature, and the name of its key record */
    DKIM_PEER_ANSWER,   /* a uint32_t enum dkim_reason; the record behind it when there is one */
    DKIM_PEER_RESULT,   /* struct dkim_peer_result, one for each signature from the top */
    DKIM_PEER_DONE,     /* nothing */
};

/* The limits of one message. */
struct dkim_peer_begin {
    int64_t clock_skew_s;
    uint32_t min_key_bits, max_signatures;
};

/* What became of one signature. */
struct dkim_peer_result {
    uint32_t reason; /* enum dkim_reason */
    uint32_t key_bits;
    uint64_t unsigned_octets;
    bool evaluated, testing;
};

/* Longest content of a frame. */
#define DKIM_PEER_FRAME_MAX ((size_t)64 << 20)

/* Sends a frame. Returns: false when the other end is gone or takes nothing. Blocking: yes. */
bool dkim_peer_send(int fd, enum dkim_peer_type type, struct am_span content) AM_MUST_USE;

/*
 * Receives a frame; `content` is cleared first.
 * Returns: false at the end of the stream, after an error or with short memory. Blocking: yes.
 */
bool dkim_peer_receive(int fd, enum dkim_peer_type *type, struct am_buf *content) AM_MUST_USE;

#endif
