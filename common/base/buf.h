#ifndef AM_BASE_BUF_H
#define AM_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A growable byte buffer with a hard limit. Failure sticks: after the limit or
 * memory was exceeded every later addition is ignored and `failed` stays set,
 * so a sequence of additions is checked once at its end.
 *
 * The content is always followed by a NUL that `len` does not count.
 * Threads: one at a time per buffer.
 */
struct am_buf {
    char *data; /* never NULL once something was added */
    size_t len;
    size_t capacity;
    size_t limit; /* most bytes of content; 0 = none */
    bool failed;
};

/* Makes an empty buffer that holds at most `limit` bytes (0 = no limit). */
void am_buf_init(struct am_buf *buf, size_t limit);

/* Frees the memory and leaves an empty buffer with the same limit. */
void am_buf_fini(struct am_buf *buf);

/* Empties the buffer, keeps its memory and clears `failed`. */
void am_buf_clear(struct am_buf *buf);

/* Appends bytes. */
void am_buf_add(struct am_buf *buf, struct am_span text);

/* Appends one byte. */
void am_buf_add_char(struct am_buf *buf, char c);

/* Appends a NUL-terminated string. */
void am_buf_add_str(struct am_buf *buf, const char *text);

/* Appends formatted text. */
void am_buf_printf(struct am_buf *buf, const char *format, ...) AM_PRINTF(2, 3);

/* Returns the content as a NUL-terminated string, "" when empty; lives until the next addition. */
const char *am_buf_str(const struct am_buf *buf);

/* Returns the content as a span; lives until the next addition. */
struct am_span am_buf_span(const struct am_buf *buf);

#endif
