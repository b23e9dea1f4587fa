#ifndef AUTHMILTER_CHECK_PROGRAM_H
#define AUTHMILTER_CHECK_PROGRAM_H

#include "authmilter/check_findings.h"
#include "common/milter/listen.h"
#include "common/milter/listener.h"
#include "common/milter/runtime.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_options.h"
#include "dkim-milter/dkim_role.h"

/* Where a program listens. */
struct check_socket {
    const char *text; /* as the configuration has it */
    struct am_listen_address address;
    enum am_role role;
};

/* A program of the suite with its configuration, as it would start. */
struct check_program {
    const char *name;                        /* "dkim-milter"; "authmilter" is the combined one */
    const char *path;                        /* of its configuration */
    struct am_runtime *runtime;              /* NULL: it would not start */
    const struct dkim_conf *dkim;            /* NULL: the check does not run in it */
    const struct dkim_keys *keys;            /* NULL: none are set up */
    const struct dkim_signing_key **managed; /* managed keys that the DNS has to show */
    bool *managed_active;                    /* each: it signs */
    size_t managed_count;
    bool signs;                 /* keys are set up, and dkim.mode is not "verify" */
    bool writes;                /* an Authentication-Results field */
    bool has_dmarc, has_source; /* runs dmarc; runs a check that dmarc relies on */
    struct check_socket sockets[AM_LISTENERS_MAX];
    size_t socket_count;
};

#define CHECK_PROGRAMS_MAX 16

struct check_programs {
    struct check_program items[CHECK_PROGRAMS_MAX];
    size_t count;
};

/* Returns the name of the program that a configuration is for, by the file's base name; or NULL. */
const char *check_program_of_file(const char *path);

/* Tells whether there is a program of that name. */
bool check_program_is_known(const char *name);

/* Returns the name of program number `index`, NULL beyond the last. */
const char *check_program_name(size_t index);

/*
 * Reads and judges a configuration, and reads the keys as the user who signs.
 *
 * name: a known one. Returns: false when memory is short or there are too many.
 * Ownership: check_programs_fini(). Blocking: reads files. Threads: the only one of the process.
 */
bool check_program_load(struct check_programs *programs, struct check_findings *findings,
                        const char *name, const char *path) AM_MUST_USE;

/* Judges the programs beside each other: sockets and names. */
void check_programs_compare(const struct check_programs *programs, struct check_findings *findings);

/* Drops the configurations. The keys live in the arena of the findings. */
void check_programs_fini(struct check_programs *programs);

#endif
