#include "common/base/clock.h"

#include <time.h>

static int64_t system_monotonic_us(const struct am_clock *self)
{
    struct timespec now;

    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_s(const struct am_clock *self)
{
    struct timespec now;

    (void)self;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

const struct am_clock *am_clock_system(void)
{
    static const struct am_clock system_clock = {system_monotonic_us, system_wall_s};

    return &system_clock;
}

int64_t am_clock_now_us(const struct am_clock *clock)
{
    return clock->monotonic_us(clock);
}

int64_t am_deadline_in_ms(const struct am_clock *clock, int64_t ms)
{
    int64_t us, deadline_us;

    /* A span too long to be counted is one that never ends. */
    if (__builtin_mul_overflow(ms, (int64_t)1000, &us) ||
        __builtin_add_overflow(am_clock_now_us(clock), us, &deadline_us))
        return ms < 0 ? INT64_MIN : AM_NEVER;
    return deadline_us;
}
