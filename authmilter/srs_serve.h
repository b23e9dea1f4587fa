#ifndef AUTHMILTER_SRS_SERVE_H
#define AUTHMILTER_SRS_SERVE_H

#include "common/base/clock.h"
#include "common/base/problem.h"

/* The socketmap service: a process of its own, that a mail server asks about addresses. */

struct srs_serve_options {
    const char *config;       /* file; NULL = the usual one */
    const char *socket;       /* path of the unix socket */
    const char *socket_group; /* "" as created, "auto" Postfix's where possible */
    const struct am_clock *clock;
};

/* Where it listens by default: below Postfix's queue, so that chrooted services reach it. */
#define SRS_SERVE_SOCKET "/var/spool/postfix/authmilter/srs-map.sock"

/* Clients at a time; more wait in the queue of the socket. Postfix opens one for each process. */
#define SRS_SERVE_CLIENTS_MAX 512

/*
 * Serves until TERM or INT; HUP and USR1 read the configuration again, and a broken one changes
 * nothing. Started as root it becomes milter.user.
 *
 * Returns: false with a sentence when it could not begin or go on. Blocking: as long as it serves.
 * Threads: the only one.
 */
bool srs_serve(const struct srs_serve_options *options, struct am_problem *problem) AM_MUST_USE;

#endif
