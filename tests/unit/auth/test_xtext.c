#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "auth-milter/auth_xtext.h"

/* The AUTH parameter of MAIL; NULL: it names no mailbox. */
static const struct {
    const char *text, *mailbox;
} cases[] = {
    {"e+3Dmc2@example.com", "e=mc2@example.com"},
    {"alice@example.com", "alice@example.com"},
    {"a+2Bb@example.com", "a+b@example.com"},
    {"+22a+20b+22@example.com", "\"a b\"@example.com"},
    {"<>", NULL},
    {"", NULL},
    {"+", NULL},
    {"a+2", NULL},
    {"a+2b@example.com", NULL}, /* hexadecimal digits are upper case */
    {"a=b@example.com", NULL},
    {"a b@example.com", NULL},
    {"a\x80@example.com", NULL},
    {"alice", NULL},
    {"@example.com", NULL},
    {"alice@", NULL},
    {"<alice@example.com>", NULL},
    {"+3Calice@example.com+3E", NULL},
    {"a@example.com+0D+0AX:y", NULL},
    {"a+00b@example.com", NULL},
};

static void test_mailboxes(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_span mailbox = am_span_str("untouched");
        bool good = auth_xtext_mailbox(arena, am_span_str(cases[i].text), &mailbox);

        if (good != (cases[i].mailbox != NULL))
            fail_msg("\"%s\" is taken: %d", cases[i].text, good);
        assert_true(am_span_equal(mailbox, am_span_str(good ? cases[i].mailbox : "untouched")));
    }
    am_arena_free(arena);
}

static void test_short_memory(void **state)
{
    struct am_arena *arena = am_arena_new(8, 8);
    struct am_span mailbox;

    (void)state;
    assert_false(auth_xtext_mailbox(arena, am_span_str("alice@example.com"), &mailbox));
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailboxes),
        cmocka_unit_test(test_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
