#ifndef AM_BASE_NOTIFY_H
#define AM_BASE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/problem.h"

/*
 * The service manager's notification protocol, as sd_notify(3) documents it: datagrams of
 * KEY=value lines to the socket that NOTIFY_SOCKET names ("/path" or "@abstract").
 *
 * Threads: any, when the environment is not changed meanwhile.
 */

/*
 * Sends formatted lines, e.g. "READY=1\nSTATUS=serving".
 *
 * Returns: true when they were sent; false when nobody listens (no NOTIFY_SOCKET) or sending
 * failed; both are fine to ignore. Blocking: never.
 */
bool am_notify(const char *format, ...) AM_PRINTF(1, 2);

/* Sends RELOADING=1 with the monotonic time that Type=notify-reload asks for. */
void am_notify_reloading(void);

/* Returns how often WATCHDOG=1 shall be sent, in milliseconds (half of WATCHDOG_USEC); 0 = not at
 * all. */
int64_t am_notify_watchdog_ms(void);

#endif
