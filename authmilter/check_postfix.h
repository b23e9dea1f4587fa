#ifndef AUTHMILTER_CHECK_POSTFIX_H
#define AUTHMILTER_CHECK_POSTFIX_H

#include <sys/types.h>

#include "authmilter/check_findings.h"

/* Postfix' configuration as postconf(1) prints it, macros expanded. */

/* A name and a value. */
struct check_setting {
    const char *name, *value;
};

/* A service of master.cf. */
struct check_service {
    const char *name; /* "smtp/inet", "127.0.0.1:10025/inet" */
    const char *command;
    bool chrooted;
};

#define CHECK_SERVICES_MAX 200

struct check_postfix {
    struct am_arena *arena;
    const char *program;            /* "postconf" */
    const char *directory;          /* of main.cf; NULL: the usual one */
    struct check_setting *settings; /* of main.cf, then "SERVICE/TYPE/NAME" */
    size_t setting_count;
    struct check_service services[CHECK_SERVICES_MAX];
    size_t service_count;
};

/*
 * Asks postconf for all that is judged.
 *
 * program: postconf. directory: as with its -c; or NULL.
 * Returns: false after a finding that says why. Blocking: runs a program.
 */
bool check_postfix_read(struct check_postfix *postfix, const char *program, const char *directory,
                        struct check_findings *findings) AM_MUST_USE;

/* Reads what postconf printed: parameters, services (-M), their parameters (-P). Takes texts apart
 * in place. Returns false when memory is short. */
bool check_postfix_parse(struct check_postfix *postfix, char *parameters, char *services,
                         char *overrides) AM_MUST_USE;

/* Returns the value of a parameter for a service, or of main.cf alone with NULL; "" when unset. */
const char *check_postfix_value(const struct check_postfix *postfix,
                                const struct check_service *service, const char *name);

/* Tells whether a service sets the parameter itself. */
bool check_postfix_overrides(const struct check_postfix *postfix,
                             const struct check_service *service, const char *name);

/* Returns the place of a value: "main.cf: NAME" or "master.cf: SERVICE/TYPE/NAME". */
const char *check_postfix_place(const struct check_postfix *postfix,
                                const struct check_service *service, const char *name);

/* Returns the command that sets a value at that place. */
const char *check_postfix_edit(const struct check_postfix *postfix,
                               const struct check_service *service, const char *name,
                               const char *value);

#endif
