#ifndef AM_MILTER_NATIVE_CONN_H
#define AM_MILTER_NATIVE_CONN_H

#include "common/milter/native_session.h"

/*
 * A connection with its socket. What it costs while nothing is under way is this structure, its
 * session and its macros: bytes on their way in or out are in buffers of the thread that serves it,
 * and only those of an incomplete packet that is no body, or that the MTA does not take, stay with
 * it.
 */

/* What connections need of the loop that serves them. */
struct am_native_line {
    int stop_fd;               /* readable once the program stops */
    atomic_bool stopping;      /* the same */
    int write_timeout_ms;      /* for an MTA that does not read */
    void (*before_wait)(void); /* called before a wait for such an MTA */
};

/* Bytes read at a time. */
#define AM_NATIVE_READ_MAX ((size_t)64 * 1024)

/* The buffers of a thread. */
struct am_native_scratch {
    char *in; /* AM_NATIVE_READ_MAX bytes */
    struct am_buf out;
};

/* Stands in `active_ms` while a thread serves the connection. */
#define AM_NATIVE_BUSY INT64_MAX

struct am_native_conn {
    struct am_native_conn *next, **link; /* in the list of all, kept by the loop */
    const struct am_native_line *line;
    int fd;
    atomic_llong active_ms; /* when it was served last; hands the rest over between threads */
    struct am_native_session session;
    char *in; /* of a packet that is not complete; NULL = none */
    size_t in_len, in_room;
    size_t body_left; /* of a body packet whose first pieces were served: nothing of it is kept */
};

/* What is to be waited for after a turn. */
enum am_native_next { AM_NATIVE_READ, AM_NATIVE_WRITE, AM_NATIVE_CLOSE };

/* Makes a connection of a non-blocking socket, which it owns then, taken by `listener` (may be
 * NULL). Returns NULL when memory is short. */
struct am_native_conn *am_native_conn_new(int fd, const struct am_native_line *line,
                                          struct am_native_shared *shared,
                                          const struct am_listener *listener) AM_MUST_USE;

/* Ends the session, closes the socket, frees the connection. */
void am_native_conn_free(struct am_native_conn *conn);

/*
 * Serves what has come, at most AM_NATIVE_READ_MAX bytes of it.
 * Blocking: as long as the modules do; for write_timeout_ms when edits meet an MTA that does not
 * read.
 */
enum am_native_next am_native_conn_turn(struct am_native_conn *conn,
                                        struct am_native_scratch *scratch) AM_MUST_USE;

#endif
