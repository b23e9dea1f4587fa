#ifndef AUTHMILTER_TOOL_CLOCK_H
#define AUTHMILTER_TOOL_CLOCK_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/problem.h"

/* The time of day as a command sees it: the real one, or that of the option --now. */
struct tool_clock {
    struct am_clock clock; /* give out its address */
    int64_t now_s;
};

/* Begins with the time of the operating system, at this moment. */
void tool_clock_init(struct tool_clock *clock);

/*
 * Sets the time: seconds since 1970, or "2026-11-21T08:30:00Z" (RFC 3339, UTC only).
 * Returns: false with a sentence.
 */
bool tool_clock_set(struct tool_clock *clock, const char *text, struct am_problem *problem);

#define TOOL_CLOCK_TEXT_MAX 32

/* Writes a time for readers as tool_clock_set() takes it; only seconds where no year fits. */
const char *tool_clock_format(int64_t time_s, char out[TOOL_CLOCK_TEXT_MAX]);

#endif
