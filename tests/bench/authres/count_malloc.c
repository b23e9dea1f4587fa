/* Preloaded into an interpreter it prints, at the end, how often malloc gave memory and how much.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* The C library's own, under the names it keeps for programs that replace malloc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static unsigned long calls, octets;

void *malloc(size_t size)
{
    calls++;
    octets += size;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    octets += count * size;
    return __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    calls++;
    octets += size;
    return __libc_realloc(ptr, size);
}

__attribute__((destructor)) static void report(void)
{
    fprintf(stderr, "%lu %lu\n", calls, octets);
}
