#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "authres/ar_internal.h"

/* The first chunk holds the header itself and, for ordinary fields, all of its content. */
#define FIRST_CHUNK 3072
#define LARGEST_CHUNK 65536

static void *libc_alloc(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void libc_free(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

void ar_allocator_resolve(struct ar_allocator *out, const struct ar_allocator *allocator)
{
    if (allocator != NULL)
        *out = *allocator;
    else
        *out = (struct ar_allocator){libc_alloc, libc_free, NULL};
}

void ar_free(const struct ar_allocator *allocator, void *ptr)
{
    struct ar_allocator use;

    ar_allocator_resolve(&use, allocator);
    if (ptr != NULL && use.free != NULL)
        use.free(use.user, ptr);
}

static size_t round_up(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Cuts `size` octets from a chunk that has them at `start`. */
static void *cut(struct ar_chunk *chunk, size_t start, size_t size)
{
    chunk->used = start + size;
    return (char *)chunk + start;
}

static struct ar_chunk *new_chunk(const struct ar_allocator *allocator, size_t size)
{
    struct ar_chunk *chunk = allocator->alloc(allocator->user, size);

    if (chunk != NULL)
        *chunk = (struct ar_chunk){NULL, round_up(sizeof(*chunk)), size};
    return chunk;
}

struct ar_header *ar_header_new(const struct ar_allocator *allocator)
{
    struct ar_allocator use;

    ar_allocator_resolve(&use, allocator);
    struct ar_chunk *chunk = new_chunk(&use, FIRST_CHUNK);
    if (chunk == NULL)
        return NULL;
    struct ar_header *header = cut(chunk, chunk->used, sizeof(*header));
    *header = (struct ar_header){.allocator = use, .chunks = chunk, .version = -1};
    return header;
}

void ar_header_free(struct ar_header *header)
{
    if (header == NULL || header->allocator.free == NULL)
        return;
    /* The header lies in the last chunk of the list: it is gone after the loop. */
    struct ar_allocator use = header->allocator;
    for (struct ar_chunk *chunk = header->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        use.free(use.user, chunk);
    }
}

/* Puts a new chunk with room for `size` octets before the others. Returns: NULL without memory.
 */
static struct ar_chunk *grow(struct ar_header *header, size_t size)
{
    size_t last = header->chunks->size;
    size_t next = last >= LARGEST_CHUNK / 2 ? LARGEST_CHUNK : last * 2;
    size_t least = round_up(sizeof(struct ar_chunk)) + size;
    struct ar_chunk *chunk = new_chunk(&header->allocator, next > least ? next : least);

    if (chunk != NULL) {
        chunk->next = header->chunks;
        header->chunks = chunk;
    }
    return chunk;
}

/* Cuts `size` octets from the latest chunk, at `start` if it has them there, or from a new one. */
static void *take_at(struct ar_header *header, size_t start, size_t size)
{
    struct ar_chunk *chunk = header->chunks;

    if (size > SIZE_MAX / 4)
        return NULL;
    if (start <= chunk->size && chunk->size - start >= size)
        return cut(chunk, start, size);
    chunk = grow(header, size);
    return chunk == NULL ? NULL : cut(chunk, chunk->used, size);
}

void *ar_take(struct ar_header *header, size_t size)
{
    return take_at(header, round_up(header->chunks->used), size);
}

char *ar_take_text(struct ar_header *header, size_t size)
{
    return take_at(header, header->chunks->used, size);
}

bool ar_copy(struct ar_header *header, const char *ptr, size_t len, struct ar_text *out)
{
    if (len == SIZE_MAX)
        return false;
    char *copy = ar_take_text(header, len + 1);
    if (copy == NULL)
        return false;
    if (len > 0)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    *out = (struct ar_text){copy, len};
    return true;
}

bool ar_list_push(struct ar_header *header, struct ar_list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        void **items = ar_take(header, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return true;
}
