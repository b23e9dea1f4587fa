#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dmarc-milter/dmarc_from.h"

/* Which author domains a message has (RFC 9989 sections 5.3.1 and 11.5). */

static const char *describe(struct am_arena *arena, const char *const *values)
{
    static char text[1024];
    struct dmarc_from from = {.count = 0};

    for (; *values != NULL; values++)
        assert_true(dmarc_from_add(&from, arena, am_span_str(*values)));
    text[0] = '\0';
    for (size_t i = 0; i < from.count; i++) {
        strcat(text, from.domains[i]);
        strcat(text, " ");
    }
    const char *fault = dmarc_from_fault(&from);
    return strcat(text, fault == NULL ? "-" : fault);
}

static void finds_authors(void **state)
{
    static const struct {
        const char *values[3], *expected;
    } rows[] = {
        {{"a@example.org"}, "example.org -"},
        {{"a@Example.ORG, b@example.org"}, "example.org -"},
        {{"a@example.org, b@example.com"}, "example.org example.com -"},
        {{NULL}, "no From field"},
        {{""}, "no address in From"},
        {{"Nobody:;"}, "no address in From"},
        {{"just a name"}, "From cannot be read"},
        {{"a@[192.0.2.1]"}, "From cannot be read"},
        {{"a@[192.0.2.1], b@example.org"}, "example.org From cannot be read"},
        {{"a@example.org", "b@example.org"}, "example.org several From fields"},
        {{"a@example.org", "b@example.com"}, "example.org example.com several From fields"},
        {{"just a name", "b@example.com"}, "example.com several From fields"},
        {{"<a@example.org> <b@example.com>"}, "From cannot be read"},
        {{"a@1.example, a@2.example, a@3.example, a@4.example"},
         "1.example 2.example 3.example 4.example -"},
        {{"a@1.example, a@2.example, a@3.example, a@4.example, a@5.example"},
         "1.example 2.example 3.example 4.example too many authors in From"},
        {{"a@e.example,a@e.example,a@e.example,a@e.example,a@e.example,a@e.example,a@e.example,"
          "a@e.example,a@e.example"},
         "e.example too many authors in From"},
    };
    struct am_arena *arena = am_arena_new(4096, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(describe(arena, rows[i].values), rows[i].expected);
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_authors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
