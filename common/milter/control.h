#ifndef AM_MILTER_CONTROL_H
#define AM_MILTER_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/problem.h"

/*
 * The control socket: a client sends one line, gets the answer and the end of file.
 *
 * Served by the program's control loop with poll(); a client that is slow, silent or sends too much
 * is cut off and never holds up anything else.
 * Threads: one at a time.
 */
struct am_control;

/* Most clients at a time; further ones wait in the socket's queue. */
#define AM_CONTROL_CLIENTS_MAX 8

/* Most descriptors am_control_poll() fills in. */
#define AM_CONTROL_POLL_MAX (AM_CONTROL_CLIENTS_MAX + 1)

/* Answers a command (the line without its end): appends to `out`. */
typedef void am_control_command(void *user, const char *line, struct am_buf *out);

/* Makes a control server on a listening socket; `fd` passes to it. Returns NULL when memory is
 * short. */
struct am_control *am_control_new(int fd, const struct am_clock *clock, am_control_command *command,
                                  void *user) AM_MUST_USE;

/* Closes everything. NULL is allowed. */
void am_control_free(struct am_control *control);

/*
 * Writes the descriptors to poll into `fds` and lowers `*timeout_ms` (-1 = for ever) to the next
 * client's deadline. Returns their number.
 */
size_t am_control_poll(const struct am_control *control, struct pollfd fds[AM_CONTROL_POLL_MAX],
                       int *timeout_ms);

/* Serves what poll() reported for these descriptors, and cuts off clients whose time is over. */
void am_control_serve(struct am_control *control, const struct pollfd *fds, size_t count);

#endif
