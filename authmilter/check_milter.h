#ifndef AUTHMILTER_CHECK_MILTER_H
#define AUTHMILTER_CHECK_MILTER_H

#include "common/base/arena.h"
#include "common/base/problem.h"

/* A milter as Postfix names it in smtpd_milters: "unix:path", "inet:host:port", or
 * "{ inet:host:port, default_action=accept }". */
struct check_milter {
    const char *text; /* the address as written */
    const char *path; /* of a unix socket; NULL: inet */
    const char *host, *port;
    const char *default_action; /* of its own; NULL */
    bool wrong;                 /* the address cannot be read: `problem` says why */
    const char *problem, *mend;
};

#define CHECK_MILTERS_MAX 32

struct check_milters {
    struct check_milter items[CHECK_MILTERS_MAX];
    size_t count;
};

/*
 * Reads a list of milters, macros expanded.
 * Returns: false when memory is short, or there are too many.
 * Ownership: `arena`. Threads: any.
 */
bool check_milters_parse(struct check_milters *milters, struct am_arena *arena,
                         const char *text) AM_MUST_USE;

#endif
