#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/mail/author.h"

/* What test_dkim_author leaves open: fields with several mailboxes, and what is kept of them. */

static struct am_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    return arena == NULL;
}

static int free_arena(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

/* Writes what was read as "domain domain"; "?" is a mailbox without a domain name, "!" the end of
 * what can be read. */
static const char *read_field(const char *value)
{
    static char text[512];
    struct am_authors authors;

    am_authors_read(&authors, arena, am_span_str(value));
    assert_false(authors.no_memory);
    assert_true(authors.count <= authors.mailboxes);
    text[0] = '\0';
    for (size_t i = 0; i < authors.count; i++) {
        const char *domain = authors.items[i].domain;

        strcat(text, i == 0 ? "" : " ");
        strcat(text, domain == NULL ? "?" : domain);
    }
    return strcat(text, authors.unreadable ? "!" : "");
}

static void reads_several(void **state)
{
    static const struct {
        const char *value, *expected;
    } rows[] = {
        {" a@example.org, b@example.com", "example.org example.com"},
        {" A <a@example.org>,\n B <b@EXAMPLE.com>", "example.org example.com"},
        {" Team: a@example.org, b@example.com;", "example.org example.com"},
        {" Team: a@example.org;, b@example.com", "example.org example.com"},
        {" Undisclosed:;", ""},
        {" Undisclosed:;, a@example.org", "example.org"},
        {"", ""},
        {" ,,", ""},
        {" a@example.org, b@[192.0.2.1]", "example.org ?"},
        {" a, b@example.org", "? example.org"},
        {" a@example.org, b c@example.com", "example.org!"},
        {" a@example.org, <b@example.com", "example.org!"},
        {" a@example.org (, b@example.com)", "example.org"},
        {" \"x, y@example.com\" <a@example.org>", "example.org"},
        {" a@xn--bcher-kva.example, b@b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example xn--bcher-kva.example"},
        {" a@example.org, b@\xff.example", "example.org ?"},
        {" \"a,b\"@example.org, c@example.com", "example.org example.com"},
        {" \"a\\\"b\"@example.org", "example.org"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *found = read_field(rows[i].value);
        if (strcmp(found, rows[i].expected) != 0)
            fail_msg("[%s]: \"%s\" instead of \"%s\"", rows[i].value, found, rows[i].expected);
    }
}

/* More mailboxes than are kept are counted all the same. */
static void counts_the_rest(void **state)
{
    struct am_authors authors;
    char text[4096] = "";

    (void)state;
    for (int i = 0; i < AM_AUTHORS_MAX + 5; i++)
        strcat(text, "somebody@example.org, ");
    am_authors_read(&authors, arena, am_span_str(text));
    assert_int_equal(authors.count, AM_AUTHORS_MAX);
    assert_int_equal(authors.mailboxes, AM_AUTHORS_MAX + 5);
    assert_false(authors.unreadable);
    assert_true(am_span_equal(authors.items[AM_AUTHORS_MAX - 1].address.full,
                              am_span_str("somebody@example.org")));
}

static void says_when_memory_is_short(void **state)
{
    struct am_arena *small = am_arena_new(16, 16);
    struct am_authors authors;

    (void)state;
    am_authors_read(&authors, small, am_span_str(" Somebody <a@example.org>"));
    assert_true(authors.no_memory);
    assert_int_equal(authors.count, 0);
    am_arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_several),
        cmocka_unit_test(counts_the_rest),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
