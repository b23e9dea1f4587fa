#ifndef AUTHMILTER_CMD_SIGN_H
#define AUTHMILTER_CMD_SIGN_H

#include "authmilter/tool_clock.h"
#include "common/base/option.h"
#include "dkim-milter/dkim_sign.h"

/* What both halves of `authmilter sign` need: the command line and the work. */

#define SIGN_KEYS_MAX 8
#define SIGN_DELTAS_MAX 100

/* Exit status when the message is none that can be signed. */
#define SIGN_EXIT_UNSIGNED 1

struct sign_key {
    const char *domain, *selector, *path; /* as given */
};

struct sign_arguments {
    struct sign_key keys[SIGN_KEYS_MAX];
    size_t key_count;
    enum dkim_canon header_canon, body_canon;
    struct am_strlist headers, oversign; /* into the two arrays */
    const char *header_items[SIGN_DELTAS_MAX], *oversign_items[SIGN_DELTAS_MAX];
    int64_t expire_s;
    const char *identity, *file;
    struct tool_clock clock;
    bool copied_fields, message;
};

/* Signs as the arguments say; complains on standard error. Returns: the exit status. */
int sign_run(const struct sign_arguments *args);

/*
 * Prints which keys of dkim-milter would sign for an address, and why.
 *
 * path: of its configuration; NULL: the usual one.
 * Returns: the exit status: 0 when there are some, SIGN_EXIT_UNSIGNED when there are none.
 */
int sign_explain(const char *sender, const char *path);

/* Says what is wrong with the command line. Returns: AM_EXIT_USAGE. */
int sign_wrong_usage(const char *what);

/* Says what went wrong. Returns: AM_EXIT_UNAVAILABLE. */
int sign_unavailable(const char *what);

#endif
