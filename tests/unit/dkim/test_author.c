#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "dkim-milter/dkim_author.h"

/* The From field by RFC 5322 sections 3.4 and 4.4, and what strangers make of it. */

static void find(struct dkim_author *out, struct am_arena *arena, const char *const *values)
{
    struct dkim_fields fields;

    dkim_fields_init(&fields, arena, false);
    for (; *values != NULL; values++)
        assert_non_null(dkim_fields_add(&fields, am_span_str("From"), am_span_str(*values)));
    assert_true(dkim_fields_prepare(&fields));
    dkim_author_find(out, arena, &fields);
}

struct row {
    const char *value;
    const char *address; /* NULL: see kind */
    const char *domain;
    enum dkim_author_kind kind;
};

static const struct row rows[] = {
    {" a@example.org", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" <a@Example.ORG>", "a@Example.ORG", "example.org", DKIM_AUTHOR_ONE},
    {" A B <a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" \"B, A\" <a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" \"x@other.example\" <a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" x@other.example <a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" (x@other.example) a@example.org (c (d) \\) e)", "a@example.org", "example.org",
     DKIM_AUTHOR_ONE},
    {" A (b) <a@(c)example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" A\n\t<a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" a . b @ example . org", "a.b@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" \"a b\"@example.org", "\"a b\"@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" \"a\\\"@b\"@example.org", "\"a\\\"@b\"@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" <@relay.example,@b.example:a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" Team: a@example.org;", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" , a@example.org ,", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" J. R. Doe <a@example.org>", "a@example.org", "example.org", DKIM_AUTHOR_ONE},
    {" a@b\xc3\xbc"
     "cher.example",
     "a@b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example", DKIM_AUTHOR_ONE},
    {" a@example.org, b@example.org", NULL, "", DKIM_AUTHOR_SEVERAL},
    {" <a@example.org>, B <b@example.com>", NULL, "", DKIM_AUTHOR_SEVERAL},
    {" Team: a@example.org, b@example.com;", NULL, "", DKIM_AUTHOR_SEVERAL},
    {"", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" Undisclosed:;", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" <>", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" A a@example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" <a@example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@example.org>", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" <a@example.org> b", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" <a@example.org> <b@example.com>", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@b@example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@[192.0.2.1]", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@example..org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" \"a@example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" (a@example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@exa mple.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" a@example.org\x01", NULL, "", DKIM_AUTHOR_UNREADABLE},
    {" @example.org", NULL, "", DKIM_AUTHOR_UNREADABLE},
};

static void reads_the_author(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dkim_author author;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];

        am_arena_reset(arena);
        find(&author, arena, (const char *const[]){row->value, NULL});
        if (author.kind != row->kind)
            fail_msg("[%s]: kind %d", row->value, (int)author.kind);
        assert_string_equal(author.domain, row->domain);
        if (row->address != NULL)
            assert_true(am_span_equal(author.address.full, am_span_str(row->address)));
    }
    am_arena_free(arena);
}

static void counts_the_fields(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dkim_author author;

    (void)state;
    find(&author, arena, (const char *const[]){NULL});
    assert_int_equal(author.kind, DKIM_AUTHOR_NONE);
    find(&author, arena, (const char *const[]){" a@example.org", " a@example.org", NULL});
    assert_int_equal(author.kind, DKIM_AUTHOR_SEVERAL);
    am_arena_free(arena);
}

/* Depth and length are numbers: a megabyte of parentheses, quotes or commas is only long. */
static void bears_long_fields(void **state)
{
    static const char *const pieces[] = {"(", "\"", ",", "<", ":", "\\", "a@b,"};
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dkim_author author;
    size_t len = (size_t)1 << 20;
    char *text = malloc(len + 1);

    (void)state;
    assert_non_null(text);
    text[len] = '\0';
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (size_t at = 0; at < len; at++)
            text[at] = pieces[i][at % strlen(pieces[i])];
        am_arena_reset(arena);
        find(&author, arena, (const char *const[]){text, NULL});
        assert_int_not_equal(author.kind, DKIM_AUTHOR_ONE);
    }
    free(text);
    am_arena_free(arena);
}

/* Without memory it says so. */
static void says_when_memory_is_short(void **state)
{
    struct am_arena *arena = am_arena_new(512, 1024), *small = am_arena_new(16, 16);
    const char *value = " Somebody with a rather long name <a@example.org>";
    struct dkim_fields fields;
    struct dkim_author author;

    (void)state;
    dkim_fields_init(&fields, arena, false);
    assert_non_null(dkim_fields_add(&fields, am_span_str("From"), am_span_str(value)));
    assert_true(dkim_fields_prepare(&fields));
    dkim_author_find(&author, small, &fields);
    assert_int_equal(author.kind, DKIM_AUTHOR_MEMORY);
    am_arena_free(small);
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_author),
        cmocka_unit_test(counts_the_fields),
        cmocka_unit_test(bears_long_fields),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
