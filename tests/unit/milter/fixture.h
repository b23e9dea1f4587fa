#ifndef TESTS_UNIT_MILTER_FIXTURE_H
#define TESTS_UNIT_MILTER_FIXTURE_H

#include "common/base/buf.h"
#include "common/milter/session.h"

/*
 * A runtime made by hand, a clock that stands still, and an MTA that writes down what it is sent:
 *     "insert 0 Name: value" "change 2 Name: value" "delete 2 Name" "add Name: value"
 *     "rcpt+ <a> PARAMS" "rcpt- <a>" "from <a> PARAMS" "body text" "quarantine why" "progress"
 *     "reply 550 5.7.1 text|text"
 * one line each.
 */
#define FIXTURE_MODULES_MAX 8

struct fixture {
    struct am_clock clock; /* must be first */
    int64_t now_us;
    struct am_milter_options milter;
    struct am_authres_options authres;
    struct am_runtime_module modules[FIXTURE_MODULES_MAX];
    struct am_runtime runtime;
    struct am_counters *counters;
    struct am_buf sent;
    const char *queue_id, *user, *host, *rcpt_mailer; /* macros; NULL = not known */
    bool broken;                                      /* every edit fails */
    bool destroyed;
};

/* Fills a fixture with no module and the options' defaults. */
void fixture_init(struct fixture *fixture);

/* Frees it; fails the test when the runtime is still referenced. */
void fixture_fini(struct fixture *fixture);

/* Adds a module that wants all stages it has callbacks for, and answers at `answers`. */
void fixture_add(struct fixture *fixture, const struct am_module *module, unsigned answers);

/* Returns the table of the MTA that writes down; its peer is the fixture. */
const struct am_peer_ops *fixture_peer_ops(void);

/* Opens a session with an MTA that offers everything. */
struct am_session *fixture_session(struct fixture *fixture);

/* The same up to and with HELO, from 192.0.2.1. */
struct am_session *fixture_connected(struct fixture *fixture);

/* Returns what was sent since the last call of fixture_forget(). */
const char *fixture_sent(const struct fixture *fixture);
void fixture_forget(struct fixture *fixture);

/* Connects from an address. */
enum am_verdict fixture_connect(struct am_session *session, const char *address);

#endif
