#ifndef AM_MILTER_APP_H
#define AM_MILTER_APP_H

#include "common/milter/module.h"

/* A program: its name and its modules. */
struct am_app {
    const char *program; /* "spf-milter": in the log, and in the usual names of files */
    const char *command; /* "authmilter run": what is typed; NULL = program */
    const char *summary; /* one line for --help */
    const struct am_module *const *modules; /* ends with NULL */
};

/* Exit statuses, after sysexits. */
#define AM_APP_EXIT_USAGE 64
#define AM_APP_EXIT_SYSTEM 71
#define AM_APP_EXIT_CONFIG 78

/*
 * Runs a milter: command line, configuration, privileges, socket, signals,
 * mail, reload, drain.
 *
 *     -c FILE  -f  -s SOCKET  -o section.name=value  --check-config  --show-config [--non-default]
 *     --list-options  --version  --help
 *
 * Returns: the exit status: 0 ended as asked, 64 wrong usage, 78 wrong
 * configuration, 71 the system refused something (socket, user, thread).
 */
int am_app_main(int argc, char **argv, const struct am_app *app);

/* Defines main() of a program with one module. */
#define AM_APP_MAIN(PROGRAM, SUMMARY, MODULE)                                                      \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct am_module *const modules[] = {(MODULE), NULL};                         \
        static const struct am_app app = {                                                         \
            .program = (PROGRAM), .summary = (SUMMARY), .modules = modules};                       \
        return am_app_main(argc, argv, &app);                                                      \
    }

#endif
