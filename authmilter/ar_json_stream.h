#ifndef AUTHMILTER_AR_JSON_STREAM_H
#define AUTHMILTER_AR_JSON_STREAM_H

#include <jansson.h>
#include <stdio.h>

#include "common/base/problem.h"

/* A sequence of JSON objects, with blanks and line ends between them or without. */

struct ar_json_stream {
    FILE *file;             /* not owned */
    size_t line;            /* of the last octet read, counted from 1 */
    size_t objects;         /* begun so far */
    size_t object_line;     /* where the latest one begins */
    size_t object_len, max; /* octets of it so far, and at most */
    bool new_line;          /* the last octet ended a line */
};

enum ar_json_status {
    AR_JSON_OBJECT, /* or another value: the caller looks */
    AR_JSON_END,
    AR_JSON_MALFORMED, /* nothing more can be read */
    AR_JSON_UNREADABLE,
    AR_JSON_NO_MEMORY
};

/* Starts reading objects of at most `max` octets at the stream's present position. */
void ar_json_stream_init(struct ar_json_stream *stream, FILE *file, size_t max);

/*
 * Reads the next object. With AR_JSON_MALFORMED `problem` says why; AR_JSON_UNREADABLE leaves the
 * reason in errno.
 *
 * Ownership: the caller drops it with json_decref.
 * Blocking: on the stream.
 */
enum ar_json_status ar_json_stream_next(struct ar_json_stream *stream, json_t **out,
                                        struct am_problem *problem);

#endif
