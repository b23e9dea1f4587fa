#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "author-milter/author_field.h"

/* The fields that are written in place of a From that is not the sender's. */

static const struct am_author bob = {.address = {.local = {"bob", 3}}, .domain = "example.org"};

static void expect(const char *former, const char *from, const char *reply_to)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_authors authors;
    const struct am_span text = am_span_str(former);

    am_authors_read(&authors, arena, text);
    assert_string_equal(author_field_write(arena, text, &bob), from);
    assert_string_equal(author_field_reply_to(arena, text, &authors), reply_to);
    am_arena_free(arena);
}

static void writes(void **state)
{
    (void)state;
    expect(" a@example.com", "<bob@example.org>", "a@example.com");
    expect(" <a@example.com>", "<bob@example.org>", "<a@example.com>");
    expect(" Ann Other <a@example.com>", "Ann Other <bob@example.org>",
           "Ann Other <a@example.com>");
    expect(" \"Other, Ann\" <a@example.com>", "\"Other, Ann\" <bob@example.org>",
           "\"Other, Ann\" <a@example.com>");
    expect(" \"A \\\" B\" <a@example.com>", "\"A \\\" B\" <bob@example.org>",
           "\"A \\\" B\" <a@example.com>");
    expect(" J. R. Bell\n\t<a@example.com>", "J. R. Bell <bob@example.org>",
           "J. R. Bell\n\t<a@example.com>");
    expect(" =?utf-8?q?J=C3=B6rg?= <a@example.com>", "=?utf-8?q?J=C3=B6rg?= <bob@example.org>",
           "=?utf-8?q?J=C3=B6rg?= <a@example.com>");
    expect(" J\xc3\xb6rg <a@example.com>", "J\xc3\xb6rg <bob@example.org>",
           "J\xc3\xb6rg <a@example.com>");
}

/* What holds an address, or is no name, does not stay; what cannot stand in a field is made anew.
 */
static void leaves_out(void **state)
{
    char many[400], name[512];

    (void)state;
    expect(" \"ceo@example.org\" <a@example.com>", "<bob@example.org>",
           "\"ceo@example.org\" <a@example.com>");
    expect(" (x) A <a@example.com>", "<bob@example.org>", "(x) A <a@example.com>");
    expect(" J\xf6rg <a@example.com>", "<bob@example.org>", "<a@example.com>");
    expect(" A\rB <a@example.com>", "A B <bob@example.org>", "<a@example.com>");
    expect(" A\x01 <a@example.com>", "<bob@example.org>", "<a@example.com>");
    expect(" A\n\n <a@example.com>", "A <bob@example.org>", "<a@example.com>");
    expect(" A\n \n <a@example.com>", "A <bob@example.org>", "<a@example.com>");
    expect(" \"A", "<bob@example.org>", "");
    expect("", "<bob@example.org>", "");
    expect(" nobody", "<bob@example.org>", "nobody");
    memset(many, 'a', 300);
    many[300] = '\0';
    snprintf(name, sizeof(name), " %s <a@example.com>", many);
    struct am_arena *arena = am_arena_new(4096, 0);
    assert_string_equal(author_field_write(arena, am_span_str(name), &bob), "<bob@example.org>");
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes), cmocka_unit_test(leaves_out)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
