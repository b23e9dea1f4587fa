#ifndef AM_BASE_SPAN_H
#define AM_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * A view of bytes that somebody else owns. Not NUL-terminated; NUL is a byte
 * like any other. An empty span may have a null pointer.
 */
struct am_span {
    const char *ptr;
    size_t len;
};

/* Makes a span of `len` bytes at `ptr`. */
static inline struct am_span am_span_of(const char *ptr, size_t len)
{
    return (struct am_span){ptr, len};
}

/* Makes a span of a NUL-terminated string; NULL gives the empty span. */
static inline struct am_span am_span_str(const char *text)
{
    return (struct am_span){text, text == NULL ? 0 : strlen(text)};
}

/* Tells whether two spans hold the same bytes. */
bool am_span_equal(struct am_span a, struct am_span b);

/* Tells whether two spans are equal when ASCII letter case is ignored. */
bool am_span_equal_nocase(struct am_span a, struct am_span b);

/* Tells whether `text` begins with `prefix`, ASCII letter case ignored. */
bool am_span_starts_nocase(struct am_span text, struct am_span prefix);

/* Tells whether `text` ends with `suffix`, ASCII letter case ignored. */
bool am_span_ends_nocase(struct am_span text, struct am_span suffix);

/* Returns `text` without leading and trailing blanks (space, tab, CR, LF). */
struct am_span am_span_trim(struct am_span text);

/*
 * Finds a byte.
 *
 * Returns: its offset from the start, or `text.len` when it is not there.
 */
size_t am_span_find(struct am_span text, char byte);

/*
 * Finds the last occurrence of a byte.
 *
 * Returns: its offset from the start, or `text.len` when it is not there.
 */
size_t am_span_find_last(struct am_span text, char byte);

/* ASCII-only character tests and folding: never influenced by the locale. */
static inline bool am_is_alpha(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool am_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool am_is_alnum(unsigned char c)
{
    return am_is_alpha(c) || am_is_digit(c);
}

static inline char am_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

#endif
