#ifndef AM_BASE_CLOCK_H
#define AM_BASE_CLOCK_H

#include <stdint.h>

/*
 * Where the time comes from. Engines never ask the operating system; they get
 * a clock, so that tests and replays can hand in their own.
 *
 * Threads: any.
 */
struct am_clock {
    /* Microseconds of a clock that never jumps; the origin is arbitrary. */
    int64_t (*monotonic_us)(const struct am_clock *self);
    /* Seconds since 1970-01-01 00:00:00 UTC. */
    int64_t (*wall_s)(const struct am_clock *self);
};

/* Returns the clock of the operating system. Never NULL, never freed. */
const struct am_clock *am_clock_system(void);

/* Returns the monotonic time of `clock` in microseconds. */
int64_t am_clock_now_us(const struct am_clock *clock);

/*
 * A deadline is an absolute monotonic time in microseconds.
 * AM_NEVER is later than any time.
 */
#define AM_NEVER INT64_MAX

/* Returns the earlier of two deadlines. */
static inline int64_t am_deadline_earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* Returns the deadline `ms` milliseconds from now. */
int64_t am_deadline_in_ms(const struct am_clock *clock, int64_t ms);

#endif
