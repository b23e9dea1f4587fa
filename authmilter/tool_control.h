#ifndef AUTHMILTER_TOOL_CONTROL_H
#define AUTHMILTER_TOOL_CONTROL_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/option.h"

#include "authmilter/tool_options.h"

/* Asking running programs at their control sockets. */

#define TOOL_CONTROL_SOCKETS_MAX 16

/* Where to ask: the options --socket and --config of a command. */
struct tool_control {
    const char *sockets[TOOL_CONTROL_SOCKETS_MAX];
    size_t count;
    const char *config; /* NULL: the usual ones */
};

/* What the arguments of a command begin with that has the options below. */
#define TOOL_CONTROL_OPTIONS                                                                       \
    TOOL_CALL("socket", tool_control_take), TOOL_TEXT("config", control.config)

/* Takes an argument of --socket; `arguments` begin with a struct tool_control. Returns false with a
 * sentence. */
bool tool_control_take(void *arguments, const char *path, struct am_problem *problem);

/*
 * Finds the sockets when none were given: milter.control_socket of the configuration, or of all
 * usual ones that there are.
 *
 * Returns: false with a sentence that names what to set. Ownership: `arena`.
 */
bool tool_control_find(struct tool_control *control, struct am_arena *arena,
                       struct am_problem *problem) AM_MUST_USE;

/*
 * Sends a line to a socket and reads the answer, at most 4 MiB in 10 seconds.
 *
 * Returns: false with a sentence, also for an answer that begins with "error: ".
 */
bool tool_control_ask(const char *path, const char *line, struct am_buf *answer,
                      struct am_problem *problem) AM_MUST_USE;

/*
 * Asks each program in turn and has its answer shown. One that does not answer is complained of,
 * and the others are asked all the same.
 *
 * show: returns false when memory is short. Returns: the exit status.
 */
int tool_control_ask_all(const struct tool_usage *usage, const struct tool_control *control,
                         const char *line,
                         bool (*show)(void *user, const char *path, struct am_span answer),
                         void *user);

/* Finds the sockets, and runs a command that asks at them; `arguments` begin with a struct
 * tool_control. Returns: the exit status. */
int tool_control_run(const struct tool_usage *usage, void *arguments,
                     int (*ask)(const void *arguments));

#endif
