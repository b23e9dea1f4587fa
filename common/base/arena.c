#include "common/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGNMENT alignof(max_align_t)
#define CHUNK_MIN ((size_t)1024)
#define CHUNK_MAX ((size_t)64 * 1024)

/* A block taken after the first one; its bytes follow the header. */
struct chunk {
    struct chunk *next;
    alignas(max_align_t) char bytes[];
};

/* Lives in the arena itself. */
struct cleanup {
    struct cleanup *next;
    void (*release)(void *object);
    void *object;
};

/* One malloc() holds the arena and its first block, so that an idle connection costs only that. */
struct am_arena {
    struct chunk *chunks; /* all but the first, newest first */
    struct cleanup *cleanups;
    char *cursor; /* free bytes of the block in use */
    char *end;
    size_t used;
    size_t limit;
    size_t first_size;
    size_t next_size; /* of the next ordinary block */
    alignas(max_align_t) char first[];
};

static size_t round_up(size_t size)
{
    return (size + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1);
}

static void rewind_to_first(struct am_arena *arena)
{
    arena->chunks = NULL;
    arena->cleanups = NULL;
    arena->cursor = arena->first;
    arena->end = arena->first + arena->first_size;
    arena->used = 0;
    arena->next_size = arena->first_size < CHUNK_MIN ? CHUNK_MIN : arena->first_size;
}

struct am_arena *am_arena_new(size_t first_chunk, size_t limit)
{
    struct am_arena *arena;

    if (first_chunk > SIZE_MAX / 2)
        return NULL;
    first_chunk = round_up(first_chunk);
    arena = malloc(sizeof(*arena) + first_chunk);
    if (arena == NULL)
        return NULL;
    arena->limit = limit;
    arena->first_size = first_chunk;
    rewind_to_first(arena);
    return arena;
}

/* Clean-ups may look at arena memory, so they run before any of it goes. */
static void release_everything(struct am_arena *arena)
{
    while (arena->cleanups != NULL) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->release(cleanup->object);
    }
    while (arena->chunks != NULL) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
}

void am_arena_free(struct am_arena *arena)
{
    if (arena == NULL)
        return;
    release_everything(arena);
    free(arena);
}

void am_arena_reset(struct am_arena *arena)
{
    release_everything(arena);
    rewind_to_first(arena);
}

/*
 * Blocks are never small and odd: malloc() keeps freed blocks of up to 1 KiB for each thread and
 * size, which with many threads and every size would be megabytes.
 */
static struct chunk *add_chunk(struct am_arena *arena, size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + (size < CHUNK_MIN ? CHUNK_MIN : size));

    if (chunk == NULL)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

/* Finds room for `size` bytes, a multiple of the alignment, in a new block. */
static char *take_from_new_chunk(struct am_arena *arena, size_t size)
{
    struct chunk *chunk;

    if (size > arena->next_size / 2) {
        /* A block of its own; the rest of the block in use is not thrown away. */
        chunk = add_chunk(arena, size);
        return chunk != NULL ? chunk->bytes : NULL;
    }
    chunk = add_chunk(arena, arena->next_size);
    if (chunk == NULL)
        return NULL;
    arena->cursor = chunk->bytes + size;
    arena->end = chunk->bytes + arena->next_size;
    if (arena->next_size < CHUNK_MAX)
        arena->next_size *= 2;
    return chunk->bytes;
}

void *am_arena_alloc(struct am_arena *arena, size_t size)
{
    char *bytes;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = size == 0 ? ALIGNMENT : round_up(size);
    if (arena->limit != 0 && (arena->used > arena->limit || size > arena->limit - arena->used))
        return NULL;
    if (size <= (size_t)(arena->end - arena->cursor)) {
        bytes = arena->cursor;
        arena->cursor += size;
    } else {
        bytes = take_from_new_chunk(arena, size);
        if (bytes == NULL)
            return NULL;
    }
    arena->used += size;
    return memset(bytes, 0, size);
}

char *am_arena_copy(struct am_arena *arena, struct am_span text)
{
    char *copy;

    if (text.len == SIZE_MAX)
        return NULL;
    copy = am_arena_alloc(arena, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

char *am_arena_vprintf(struct am_arena *arena, const char *format, va_list args)
{
    va_list again;
    char *text = NULL;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len >= 0)
        text = am_arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *am_arena_printf(struct am_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = am_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

bool am_arena_defer(struct am_arena *arena, void (*release)(void *object), void *object)
{
    struct cleanup *cleanup = am_arena_alloc(arena, sizeof(*cleanup));

    if (cleanup == NULL)
        return false;
    cleanup->release = release;
    cleanup->object = object;
    cleanup->next = arena->cleanups;
    arena->cleanups = cleanup;
    return true;
}

size_t am_arena_used(const struct am_arena *arena)
{
    return arena->used;
}
