#ifndef AM_BASE_ARENA_H
#define AM_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * Memory by lifetime. Everything taken from an arena is given back at once,
 * by am_arena_reset() or am_arena_free(); handles of other libraries hang on
 * it as clean-ups and are released at the same moment, last registered first.
 *
 * Threads: one at a time per arena; different threads may take turns.
 */
struct am_arena;

/*
 * Makes an arena.
 *
 * first_chunk: bytes of the first block, kept over am_arena_reset(); later
 *   blocks grow as needed.
 * limit: most bytes the arena hands out between two resets; 0 for no limit.
 * Returns: the arena, or NULL when memory is short.
 * Ownership: the caller frees it with am_arena_free().
 */
struct am_arena *am_arena_new(size_t first_chunk, size_t limit) AM_MUST_USE;

/* Runs the clean-ups and frees the arena. NULL is allowed. */
void am_arena_free(struct am_arena *arena);

/* Runs the clean-ups and gives back all memory but the first block. */
void am_arena_reset(struct am_arena *arena);

/*
 * Takes zeroed memory, aligned for any type.
 *
 * Returns: the memory, or NULL when the limit or memory is exhausted.
 * Ownership: lives until the arena is reset or freed.
 */
void *am_arena_alloc(struct am_arena *arena, size_t size) AM_MUST_USE;

/*
 * Copies bytes and ends them with a NUL.
 *
 * Returns: the copy, or NULL when the limit or memory is exhausted.
 * Ownership: lives until the arena is reset or freed.
 */
char *am_arena_copy(struct am_arena *arena, struct am_span text) AM_MUST_USE;

/*
 * Formats a string of any length.
 *
 * Returns: the string, or NULL when the limit or memory is exhausted.
 * Ownership: lives until the arena is reset or freed.
 */
char *am_arena_printf(struct am_arena *arena, const char *format, ...) AM_PRINTF(2, 3) AM_MUST_USE;

/* The same with a va_list. */
char *am_arena_vprintf(struct am_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0))) AM_MUST_USE;

/*
 * Registers `release(object)` to run at the next reset or free.
 *
 * Returns: false when memory is short; nothing is registered then, and the
 * caller still owns `object`.
 */
bool am_arena_defer(struct am_arena *arena, void (*release)(void *object),
                    void *object) AM_MUST_USE;

/* Returns the bytes handed out since the last reset. */
size_t am_arena_used(const struct am_arena *arena);

#endif
