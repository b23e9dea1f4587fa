#ifndef AM_MILTER_TRANSPORT_H
#define AM_MILTER_TRANSPORT_H

#include "common/base/snapshot.h"
#include "common/milter/counters.h"
#include "common/milter/listener.h"
#include "common/milter/runtime.h"

/*
 * The seam between the milter protocol and everything else. Only
 * libmilter_*.c knows libmilter and only native_*.c the packets; session, modules, results and
 * edits know neither.
 */

enum am_transport_kind { AM_TRANSPORT_LIBMILTER, AM_TRANSPORT_NATIVE };

struct am_transport_options {
    enum am_transport_kind kind;
    const char *program; /* name given to the MTA's log */
    int backlog;
    int timeout_s;                      /* of an idle MTA connection */
    struct am_snapshot_holder *runtime; /* of struct am_runtime; taken once per connection */
    struct am_counters *counters;
};

/*
 * Chooses who serves. Returns false with a sentence. Once in a process, first of all. Threads:
 * start-up only.
 */
bool am_transport_open(const struct am_transport_options *options,
                       struct am_problem *problem) AM_MUST_USE;

/*
 * Opens a listening socket without serving yet: at least one, at most AM_LISTENERS_MAX; libmilter
 * has one. Returns false with a sentence. Threads: start-up only.
 */
bool am_transport_listen(const struct am_listener *listener,
                         struct am_problem *problem) AM_MUST_USE;

/*
 * Serves until am_transport_stop(). Returns false when serving failed.
 * Blocking: for the life of the process. Ends with every session closed that ended within the drain
 * time.
 */
bool am_transport_serve(void) AM_MUST_USE;

/*
 * Tells that the caller, inside a callback, is about to wait for something slow, so that others
 * are served meanwhile. Never blocks. Threads: any.
 */
void am_transport_before_wait(void);

/*
 * From now on a new connection or a new message is answered with a temporary failure, while
 * messages under way (AM_COUNT_MESSAGES_OPEN) go on to their end. Cannot be taken back. Threads:
 * any.
 */
void am_transport_drain(void);

/* Makes am_transport_serve() return; no new connection is taken. Threads: any. */
void am_transport_stop(void);

#endif
