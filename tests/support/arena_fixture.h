#ifndef TESTS_SUPPORT_ARENA_FIXTURE_H
#define TESTS_SUPPORT_ARENA_FIXTURE_H

#include "common/base/arena.h"

/* An arena of its own for each test: set up and tear down for cmocka. */

static struct am_arena *arena;

/* Makes it. */
static int make_arena(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    return arena == NULL ? -1 : 0;
}

/* Frees it. */
static int free_arena(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

#endif
