#ifndef AM_TESTS_SYSTEM_ROBUST_H
#define AM_TESTS_SYSTEM_ROBUST_H

#include <stdbool.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/mta.h"

/* What the robustness tests share: a running spf-milter and one good message. */
struct rig {
    const char *program;
    struct mta_daemon daemon;
    char conf[160];
};

/* Prints a failure and returns false, so that tests can write `return rig_fail(...)`. */
bool rig_fail(const char *format, ...) AM_PRINTF(1, 2);

/* Makes the directory, a zone and the configuration file. */
bool rig_prepare(struct rig *rig, const char *program);

/* Writes the configuration under another name and moves it into place. */
bool rig_configure(const struct rig *rig, const char *text);

/* Starts the program on the rig's socket. */
bool rig_start(struct rig *rig);

/* Connects a client of 192.0.2.1, which example.com permits, up to HELO. NULL after a printed
 * failure. */
struct mta_session *rig_connect(const struct rig *rig);

/* Sends a message up to and without its end. */
bool rig_begin_message(struct mta_session *session);

/* Ends it and checks the verdict and the field. */
bool rig_end_message(struct mta_session *session);

/* Tells whether a new client gets a message through. */
bool rig_serves(const struct rig *rig);

/* Waits until the program holds no more than `limit` descriptors, at most 10 s. */
bool rig_descriptors_settle(const struct rig *rig, long limit);

/* Tells whether memory can be compared: not under a sanitizer, which keeps what was freed. */
bool rig_memory_counts(const struct rig *rig);

/* The tests. */
bool test_probes(struct rig *rig);
/* Connections that send a part of the negotiation, nonsense, or too much. */
bool test_half_sent(struct rig *rig);
/* Mail on 8 connections while the configuration is replaced 200 times, every third one broken. */
bool test_reload(struct rig *rig);
/* TERM while messages are in flight. */
bool test_drain(struct rig *rig);
/* A second instance on the same socket. */
bool test_second_instance(struct rig *rig);
/* A socket that a killed program left behind, and a file that is no socket. */
bool test_stale_socket(struct rig *rig);

#endif
