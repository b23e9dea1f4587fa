#ifndef AM_TESTS_SCENARIO_PLAY_H
#define AM_TESTS_SCENARIO_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/sign.h"
#include "tests/support/mta/daemon.h"
#include "tests/support/mta/mta.h"

/* One run of a scenario against the real program. */
struct play {
    const struct scenario *scenario;
    const char *binary_dir;
    struct mta_daemon daemon;
    struct mta_session *session;
    struct mta_reply reply;    /* of the last step that a client would notice */
    bool message_ended;        /* the reply is that of the end of the message */
    struct sign_orders orders; /* for the next mail */
    uint32_t steps;            /* what the MTA offers; 0: all */
    unsigned messages;
    unsigned failures;
};

/* Runs a scenario from start to end and prints what went wrong. Returns whether all was as
 * expected. */
bool play_scenario(const struct scenario *scenario, const char *binary_dir);

/* Prints one failure, with file and line. */
void play_fail(struct play *play, const struct scenario_line *line, const char *format, ...)
    AM_PRINTF(3, 4);

/* Does one event of the mail part. */
void play_event(struct play *play, const struct scenario_line *line);

/* Judges one "expect" line; those about the log are judged by play_expect_log() at the end. */
void play_expect(struct play *play, const struct scenario_line *line);

/* Judges one "expect log" or "expect no log" line; passes over any other. */
void play_expect_log(struct play *play, const struct scenario_line *line, const char *log);

/* Checks what must hold for any message: no edit of the milter can break the header block. */
void play_check_block(struct play *play, const struct scenario_line *line);

#endif
