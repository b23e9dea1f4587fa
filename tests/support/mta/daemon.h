#ifndef AM_TESTS_MTA_DAEMON_H
#define AM_TESTS_MTA_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/problem.h"

/*
 * A program under test that serves a socket: started, waited for, asked about,
 * ended by its process id. Its standard output and error go to a file.
 */
struct mta_daemon {
    pid_t pid;       /* 0: not running */
    char dir[64];    /* private directory of the run */
    char socket[96]; /* "unix:DIR/s" */
    char log[96];    /* the file */
    long cpu_us;     /* user and system time, known once it has ended */
    int status;      /* of waitpid(), once it has ended */
};

/* Makes the private directory and the names in it. Returns false with a sentence. */
bool mta_daemon_prepare(struct mta_daemon *daemon, struct am_problem *problem) AM_MUST_USE;

/*
 * Starts `argv` and waits until `socket` takes a connection. When argv[1] is "-f" and the
 * environment has AUTHMILTER_TRANSPORT, the program gets it as -o milter.transport=NAME.
 * Returns: false with a sentence (the program's own last words included) when it ended first or did
 * not serve within 20 s; it is not running then.
 */
bool mta_daemon_start(struct mta_daemon *daemon, const char *const *argv,
                      struct am_problem *problem) AM_MUST_USE;

/* Sends a signal. */
void mta_daemon_signal(const struct mta_daemon *daemon, int number);

/* Waits for the end; after timeout_ms it is killed and false is returned. */
bool mta_daemon_wait(struct mta_daemon *daemon, int timeout_ms);

/* Sends TERM, waits 20 s for a clean end. Returns false when it had to be killed or did not exit
 * with 0. */
bool mta_daemon_stop(struct mta_daemon *daemon);

/* Kills it if it runs and removes the private directory with all that is in it. */
void mta_daemon_discard(struct mta_daemon *daemon);

/* Returns the text of the log so far. Ownership: the caller frees it. NULL when unreadable. */
char *mta_daemon_read_log(const struct mta_daemon *daemon);

/* Returns a number of /proc/PID/status as it stands there ("VmRSS" in KiB, "Threads"); -1 when
 * unknown. */
long mta_process_figure(pid_t pid, const char *name);

/* Returns the number of open descriptors of a process; -1 when unknown. */
long mta_process_descriptors(pid_t pid);

/* Returns the user and system time of a process so far, in microseconds; -1 when unknown. */
long mta_process_cpu_us(pid_t pid);

/* Writes a whole file. Returns false with a sentence. */
bool mta_write_file(const char *path, const char *text, struct am_problem *problem) AM_MUST_USE;

/* Reads a whole file into NUL-terminated memory. Ownership: the caller frees it. NULL when
 * unreadable. */
char *mta_read_file(const char *path);

#endif
