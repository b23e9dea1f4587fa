#ifndef AM_MILTER_LISTEN_H
#define AM_MILTER_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/problem.h"

/*
 * Listening sockets: the syntax, who may use them, and what to do about the remains of a former
 * process. The milter socket itself is opened by the transport, between am_listen_prepare() and
 * am_listen_finish().
 */

enum am_listen_kind { AM_LISTEN_UNIX, AM_LISTEN_INET, AM_LISTEN_INET6 };

struct am_listen_address {
    enum am_listen_kind kind;
    char path[108]; /* AM_LISTEN_UNIX */
    char host[256]; /* name or address without brackets; "" = every address */
    uint16_t port;
};

/* Who a unix socket belongs to. */
struct am_listen_access {
    const char *owner; /* user name; "" = as created */
    const char *group; /* group name; "" = as created; "auto" = group postfix where possible */
    mode_t mode;
    uid_t
        run_uid; /* whom a directory that has to be made shall belong to; (uid_t)-1 = as created */
};

/* What lies between prepare and finish. */
struct am_listen {
    struct am_listen_address address;
    struct am_listen_access access;
    int directory_fd; /* locked, so that two starting processes do not remove each other's socket;
                         -1 = none */
    mode_t former_umask;
    dev_t device; /* of the socket we made, so that we remove no other */
    ino_t inode;
};

/*
 * Reads the milter syntax: `unix:/path`, `local:/path`, `inet:port@host`, `inet6:port@host`; host
 * may be left out, an IPv6 address may stand in brackets.
 *
 * Returns: false with a sentence; Postfix's own form `inet:host:port` gets one of its own.
 */
bool am_listen_parse(struct am_listen_address *address, const char *text,
                     struct am_problem *problem) AM_MUST_USE;

/* The same as a judge for an option row; "" is allowed. */
bool am_listen_check_option(const char *text, struct am_problem *problem);

/*
 * Makes the way free: creates the socket's directory when only its last component is missing,
 * removes a socket that nobody answers on, sets the umask so that the socket is born private, and
 * for inet tries whether the port can be had.
 *
 * Returns: false with a sentence: somebody serves there already, the path is no socket, no
 *   permission, the port is in use. Nothing needs to be undone then.
 * Blocking: looks up the host name. Threads: start-up only (umask is the process').
 */
bool am_listen_prepare(struct am_listen *self, const struct am_listen_address *address,
                       const struct am_listen_access *access,
                       struct am_problem *problem) AM_MUST_USE;

/*
 * Gives the socket, bound by now, its owner, group and mode, and puts the umask back.
 *
 * opened: false when binding failed: only cleans up then.
 * Returns: false with a sentence when owner or group cannot be set.
 */
bool am_listen_finish(struct am_listen *self, bool opened, struct am_problem *problem) AM_MUST_USE;

/* Removes the socket file if it is still the one am_listen_finish() saw. */
void am_listen_remove(const struct am_listen *self);

/*
 * Prepares, opens and finishes a non-blocking unix listening socket at `path`.
 *
 * Returns: the descriptor (close-on-exec), or -1 with a sentence. `self` is for am_listen_remove().
 */
int am_listen_open_unix(struct am_listen *self, const char *path,
                        const struct am_listen_access *access,
                        struct am_problem *problem) AM_MUST_USE;

#endif
