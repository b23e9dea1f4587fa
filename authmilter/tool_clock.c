#include "authmilter/tool_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t monotonic_us(const struct am_clock *self)
{
    (void)self;
    return am_clock_now_us(am_clock_system());
}

static int64_t wall_s(const struct am_clock *self)
{
    return ((const struct tool_clock *)self)->now_s;
}

void tool_clock_init(struct tool_clock *clock)
{
    const struct am_clock *system = am_clock_system();

    clock->clock = (struct am_clock){monotonic_us, wall_s};
    clock->now_s = system->wall_s(system);
}

bool tool_clock_set(struct tool_clock *clock, const char *text, struct am_problem *problem)
{
    struct tm parts = {.tm_isdst = 0};
    char again[TOOL_CLOCK_TEXT_MAX], *end;

    if (text[0] >= '0' && text[0] <= '9') {
        errno = 0;
        clock->now_s = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0)
            return true;
    }
    end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end != NULL && *end == '\0') {
        clock->now_s = timegm(&parts);
        /* The 30th of February is what timegm() forgives. */
        if (strcmp(tool_clock_format(clock->now_s, again), text) == 0)
            return true;
    }
    return am_problem_set(problem,
                          "\"%s\" is no time: write seconds since 1970, or as in "
                          "2026-11-21T08:30:00Z",
                          text);
}

const char *tool_clock_format(int64_t time_s, char out[TOOL_CLOCK_TEXT_MAX])
{
    time_t time = (time_t)time_s;
    struct tm parts;

    if (gmtime_r(&time, &parts) == NULL || parts.tm_year > 9999 - 1900)
        snprintf(out, TOOL_CLOCK_TEXT_MAX, "%lld", (long long)time_s);
    else
        strftime(out, TOOL_CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out;
}
