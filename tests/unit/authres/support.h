#ifndef AUTHRES_TEST_SUPPORT_H
#define AUTHRES_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authres/authres.h"

/* A literal with its length, NULs included. */
#define LIT(text) (text), (sizeof(text) - 1)

/* An allocator that counts, and gives nothing once `left` pieces are out (-1: never ends). */
struct counting {
    long left;
    size_t taken, given_back;
};

/* Takes memory from malloc under the rules of struct counting, its address in `user`. */
static inline void *counting_alloc(void *user, size_t size)
{
    struct counting *counting = user;

    if (counting->left == 0)
        return NULL;
    if (counting->left > 0)
        counting->left--;
    counting->taken++;
    return malloc(size);
}

/* Gives memory back to malloc. */
static inline void counting_free(void *user, void *ptr)
{
    ((struct counting *)user)->given_back++;
    free(ptr);
}

/* Makes a header with the authserv-id "mx.example.org". */
static inline struct ar_header *new_header(void)
{
    struct ar_header *header = ar_header_new(NULL);

    assert_non_null(header);
    assert_int_equal(ar_header_set_id(header, LIT("mx.example.org")), AR_OK);
    return header;
}

/* Asserts what a header is written as without folds, and frees it. */
static inline void assert_written(struct ar_header *header, const char *expected)
{
    struct ar_format options = {.width = AR_LINE_MAX};
    char *text;
    size_t len;

    assert_int_equal(ar_header_format(header, &options, &text, &len), AR_OK);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
    ar_free(NULL, text);
    ar_header_free(header);
}

/* Asserts the octets of a text. */
static inline void assert_text(struct ar_text text, const char *expected, size_t len)
{
    assert_non_null(text.ptr);
    assert_int_equal(text.len, len);
    assert_memory_equal(text.ptr, expected, len + 1);
}

#endif
