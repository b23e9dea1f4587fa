#ifndef AM_TESTS_SCENARIO_PLAY_H
#define AM_TESTS_SCENARIO_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/sign.h"
#include "tests/support/mta/daemon.h"
#include "authmilter/mta/player.h"

/* One run of a scenario against the real program. */
struct play {
    const struct scenario *scenario;
    const char *binary_dir;
    struct mta_daemon daemon;
    struct mta_player player;  /* of all that is between the MTA and the milter */
    struct sign_orders orders; /* for the next mail */
    char socket[256];          /* "unix:PATH" of the listener that `socket` named */
    int tool_status;           /* of the last `tool` */
    unsigned reloads, reconfigurations;
    unsigned failures;
};

/* Runs a scenario from start to end and prints what went wrong. Returns whether all was as
 * expected. */
bool play_scenario(const struct scenario *scenario, const char *binary_dir);

/* Prints one failure, with file and line. */
void play_fail(struct play *play, const struct mta_script_line *line, const char *format, ...)
    AM_PRINTF(3, 4);

/* Does one event of the mail part that is not between MTA and milter. Returns false for any other.
 */
bool play_event(struct play *play, const struct mta_script_line *line);

/* Judges one "expect" line that is not about what the milter did, and returns false for any other;
 * those about the log are judged by play_expect_log() at the end. */
bool play_expect(struct play *play, const struct mta_script_line *line);

/* Judges one "expect log" or "expect no log" line; passes over any other. */
void play_expect_log(struct play *play, const struct mta_script_line *line, const char *log);

/* --- verify.c --- */

/* expect signed DOMAIN/SELECTOR [RESULT]: a verifier that gets the message finds such a signature.
 */
void play_expect_signed(struct play *play, const struct mta_script_line *line, const char *text);

/* --- tool.c --- */

/* Runs a command of authmilter in the run's directory; its output goes to tool.out there. */
void play_tool(struct play *play, const struct mta_script_line *line, char *const *words,
               size_t count);

/* expect status N: that of the last tool. */
void play_expect_status(struct play *play, const struct mta_script_line *line, const char *text);

/* expect output TEXT: a line of what it printed. */
void play_expect_output(struct play *play, const struct mta_script_line *line, const char *pattern);

/* --- files.c --- */

/* Writes a file of the run's directory and the folders on its way, for nobody else to read. Keys
 * and @DIR@ in the text are replaced. Returns false with a sentence. */
bool play_write_file(const struct play *play, const char *name, const struct am_buf *text,
                     struct am_problem *problem);

/* Waits until the program's log holds a text for the so-manieth time; false after 20 s. */
bool play_wait_log(const struct play *play, const char *text, unsigned times);

#endif
