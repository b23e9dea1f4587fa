#ifndef AM_TESTS_PROBE_RIG_H
#define AM_TESTS_PROBE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/mta.h"

/* probe-milter at work, and one session with it. What does not go as it must fails the test. */
struct probe_rig {
    struct mta_daemon daemon;
    char config[96], trace[96], control[96];
    struct mta_session *session;
};

/* Lines of the configuration's sections; NULL = none. */
struct probe_setup {
    const char *milter, *authres, *probe, *second;
};

/* What the MTA was told in the course of a message. */
struct probe_answer {
    const char *stage; /* where the first answer other than CONTINUE came; "" */
    enum mta_outcome outcome;
    enum mta_outcome end; /* of the end of message, CONTINUE when it was not reached */
    char text[1024];      /* of the first answer */
};

/* For cmocka: make and discard the rig. */
int probe_rig_set_up(void **state);
/* As above. */
int probe_rig_tear_down(void **state);

/* Starts the program. */
void probe_start(struct probe_rig *rig, const struct probe_setup *setup);
/* Ends it and fails the test unless it ended cleanly, with no sanitizer's report. */
void probe_stop(struct probe_rig *rig);

/* Opens the session, ends a former one; `offer` NULL: everything is offered. */
struct mta_session *probe_open(struct probe_rig *rig, const struct mta_options *offer);
/* Opens it, tells the connection from 192.0.2.1 and HELO, gives `script` to `probe` from connect
 * on. */
struct mta_session *probe_greet(struct probe_rig *rig, const char *script);
/* Closes the session. */
void probe_close(struct probe_rig *rig);

/* Sets the script of a module ("{probe}", "{second}") for the next message. */
void probe_say(struct mta_session *session, const char *module, const char *script);

/*
 * Sends a message as far as it gets: two recipients, `headers` ("Name:value" each ended by '|'), a
 * body of two chunks; with a command the MTA does not know before DATA.
 */
struct probe_answer probe_send(struct mta_session *session, const char *headers);
/* Tells connect and HELO as probe_greet() does and a message: the answers together. */
struct probe_answer probe_send_all(struct mta_session *session);

/* Waits until the trace is `expected`, then empties it. */
void probe_expect(struct probe_rig *rig, const char *expected);
/* Waits until the trace holds `text`. */
void probe_wait_trace(struct probe_rig *rig, const char *text);
/* Empties the trace. */
void probe_forget(struct probe_rig *rig);
/* Returns how often `text` stands in the trace. */
size_t probe_trace_count(const struct probe_rig *rig, const char *text);

/* Waits until the log holds `text`. */
void probe_wait_log(struct probe_rig *rig, const char *text);
/* Waits until the log's last decision line, "event=...", holds `text`. */
void probe_wait_decision(struct probe_rig *rig, const char *text);
/* Returns a figure of the control socket; -1: there is none. */
long probe_figure(const struct probe_rig *rig, const char *name);

/* Fails the test unless the headers, as they are now, are `expected`. */
void probe_expect_headers(const struct mta_session *session, const char *expected);

#endif
