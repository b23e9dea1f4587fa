#include "tests/support/failing_alloc.h"

static bool active, fired;
static size_t remaining;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void failing_alloc_start(size_t successes)
{
    active = true;
    fired = false;
    remaining = successes;
}

bool failing_alloc_stop(void)
{
    active = false;
    return fired;
}

static bool fails_now(void)
{
    if (!active || fired)
        return false;
    if (remaining-- > 0)
        return false;
    fired = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}
