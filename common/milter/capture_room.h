#ifndef AM_MILTER_CAPTURE_ROOM_H
#define AM_MILTER_CAPTURE_ROOM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"

/*
 * How full the directory of cases is. It is read once a minute at most, when a case is to be
 * written, and counted on in between; so what others put there, and cases that several threads
 * write at one moment, may exceed the bounds by as much until it is read again.
 */

/* As far as a program knows; all zero: nothing yet. */
struct am_capture_room {
    atomic_llong read_s; /* when the directory was read last; 0 = never */
    atomic_llong count, bytes;
    atomic_llong said_s; /* when the log was told of cases last */
    atomic_llong number; /* of the last case of this runtime */
};

enum am_capture_space { AM_CAPTURE_SPACE, AM_CAPTURE_FULL, AM_CAPTURE_FAILED };

struct am_capture_options;

/*
 * Tells whether a case may find room, with a sentence where not. Reads the directory when what is
 * known of it is a minute old, or 5 seconds when it was full.
 *
 * now_s: seconds since 1970. Blocking: reads the directory then. Threads: any.
 */
enum am_capture_space am_capture_room_look(struct am_capture_room *room,
                                           const struct am_capture_options *options, int64_t now_s,
                                           struct am_problem *problem);

/* Takes room for a case of so many bytes, or says why there is none. Threads: any. */
enum am_capture_space am_capture_room_take(struct am_capture_room *room,
                                           const struct am_capture_options *options, size_t bytes,
                                           struct am_problem *problem);

/* Gives room back that was taken for a case that could not be written. Threads: any. */
void am_capture_room_give(struct am_capture_room *room, size_t bytes);

/* Tells, at most once a minute, that something is to be said of cases. Threads: any. */
bool am_capture_room_may_say(struct am_capture_room *room, int64_t now_s);

#endif
