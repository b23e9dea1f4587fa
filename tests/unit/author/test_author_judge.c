#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "author-milter/author.h"

/* Who may write as whom, without tables: the answers of the caller are played. */

struct play {
    enum author_owner answer;
    size_t asked;
};

static enum author_owner ask(void *user, const struct am_author *author)
{
    struct play *play = user;

    assert_non_null(author->domain);
    play->asked++;
    return play->answer;
}

struct row {
    enum author_login login_rule;
    bool has_lists;
    enum author_owner answer;
    const char *login, *from;
    enum author_finding finding;
};

static const struct row rows[] = {
    /* The login's domain, whole. */
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "a@example.org",
     AUTHOR_FITS},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@Example.ORG", "a@EXAMPLE.org",
     AUTHOR_FITS},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "a@xexample.org",
     AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "a@b.example.org",
     AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "a@org", AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@m\xc3\xbcller.example",
     "a@xn--mller-kva.example", AUTHOR_FITS},
    /* A login that is no address. */
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob", "a@example.org", AUTHOR_UNBOUND},
    {AUTHOR_LOGIN_DOMAIN, true, AUTHOR_OWNER_UNKNOWN, "bob", "a@example.org", AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, true, AUTHOR_OWNER_LOGIN, "bob", "a@example.org", AUTHOR_FITS},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@", "a@example.org", AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@a b", "a@example.org", AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "", "a@example.org", AUTHOR_UNBOUND},
    {AUTHOR_LOGIN_DOMAIN, true, AUTHOR_OWNER_UNKNOWN, "", "a@example.org", AUTHOR_FOREIGN},
    /* The login as an address. */
    {AUTHOR_LOGIN_ADDRESS, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "BOB@example.org",
     AUTHOR_FITS},
    {AUTHOR_LOGIN_ADDRESS, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "bo@example.org",
     AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_ADDRESS, true, AUTHOR_OWNER_LOGIN, "bob@example.org", "bo@example.org",
     AUTHOR_FITS},
    {AUTHOR_LOGIN_ADDRESS, false, AUTHOR_OWNER_UNKNOWN, "bob", "bob@example.org", AUTHOR_FOREIGN},
    /* Tables. */
    {AUTHOR_LOGIN_TABLE, true, AUTHOR_OWNER_LOGIN, "bob", "a@example.org", AUTHOR_FITS},
    {AUTHOR_LOGIN_TABLE, true, AUTHOR_OWNER_OTHER, "bob", "a@example.org", AUTHOR_NOT_OWNER},
    {AUTHOR_LOGIN_TABLE, true, AUTHOR_OWNER_UNKNOWN, "a@example.org", "a@example.org",
     AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_TABLE, true, AUTHOR_OWNER_FAILED, "bob", "a@example.org", AUTHOR_UNCHECKED},
    {AUTHOR_LOGIN_DOMAIN, true, AUTHOR_OWNER_OTHER, "bob@example.org", "a@example.org",
     AUTHOR_FITS},
    /* Several mailboxes: the worst counts. */
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org",
     "a@example.org, b@example.com", AUTHOR_FOREIGN},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_FAILED, "bob@example.org",
     "a@example.org, b@example.com", AUTHOR_UNCHECKED},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "b@example.com, nobody",
     AUTHOR_MISSING},
    {AUTHOR_LOGIN_DOMAIN, false, AUTHOR_OWNER_UNKNOWN, "bob@example.org", "", AUTHOR_MISSING},
};

static void judges_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct am_arena *arena = am_arena_new(4096, 0);
        struct play play = {.answer = row->answer};
        const struct author_rules rules = {
            .login = row->login_rule, .has_lists = row->has_lists, .ask = ask, .user = &play};
        const struct am_address sender = {.is_null = true};
        const struct author_facts facts = {.login = row->login, .sender = &sender};
        struct am_authors authors;

        am_authors_read(&authors, arena, am_span_str(row->from));
        struct author_outcome outcome = author_judge(&rules, &facts, &authors, arena);
        if (outcome.finding != row->finding)
            fail_msg("row %zu: %s, not %s", i, author_finding_word(outcome.finding),
                     author_finding_word(row->finding));
        am_arena_free(arena);
    }
}

static enum author_finding align(enum author_alignment alignment, const char *from,
                                 const char *envelope)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct play play = {.answer = AUTHOR_OWNER_LOGIN};
    const struct author_rules rules = {.login = AUTHOR_LOGIN_TABLE,
                                       .alignment = alignment,
                                       .has_lists = true,
                                       .ask = ask,
                                       .user = &play};
    struct am_address sender;
    struct am_authors authors;

    (void)am_address_parse(&sender, am_span_str(envelope));
    const struct author_facts facts = {.login = "bob", .sender = &sender};
    am_authors_read(&authors, arena, am_span_str(from));
    enum author_finding finding = author_judge(&rules, &facts, &authors, arena).finding;
    am_arena_free(arena);
    return finding;
}

static void aligns(void **state)
{
    (void)state;
    assert_int_equal(align(AUTHOR_ALIGN_NO, "a@example.org", "b@example.com"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_STRICT, "a@example.org", "b@Example.org"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_STRICT, "a@m.example.org", "b@example.org"),
                     AUTHOR_MISALIGNED);
    assert_int_equal(align(AUTHOR_ALIGN_RELAXED, "a@m.example.org", "b@example.org"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_RELAXED, "a@example.org", "b@m.example.org"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_RELAXED, "a@mexample.org", "b@example.org"),
                     AUTHOR_MISALIGNED);
    assert_int_equal(align(AUTHOR_ALIGN_RELAXED, "a@example.org", "b@org"), AUTHOR_MISALIGNED);
    assert_int_equal(align(AUTHOR_ALIGN_ADDRESS, "a@example.org", "A@example.org"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_ADDRESS, "a@example.org", "b@example.org"),
                     AUTHOR_MISALIGNED);
    assert_int_equal(align(AUTHOR_ALIGN_ADDRESS, "a@example.org", "<>"), AUTHOR_FITS);
    assert_int_equal(align(AUTHOR_ALIGN_STRICT, "a@example.org", "b"), AUTHOR_MISALIGNED);
}

/* The envelope sender if it fits, else the login, else nobody. */
static void finds_own(void **state)
{
    static const struct {
        const char *login, *envelope, *own;
    } cases[] = {
        {"bob@example.org", "bob2@example.org", "bob2"},
        {"bob@example.org", "x@example.com", "bob"},
        {"bob@example.org", "<>", "bob"},
        {"bob", "<>", NULL},
        {"bob", "x@example.com", NULL},
        {"", "x@example.com", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_arena *arena = am_arena_new(4096, 0);
        struct play play = {.answer = AUTHOR_OWNER_UNKNOWN};
        const struct author_rules rules = {.login = AUTHOR_LOGIN_DOMAIN, .ask = ask, .user = &play};
        struct am_address sender;
        struct am_author own;

        (void)am_address_parse(&sender, am_span_str(cases[i].envelope));
        const struct author_facts facts = {.login = cases[i].login, .sender = &sender};
        assert_int_equal(author_find_own(&rules, &facts, arena, &own), cases[i].own != NULL);
        if (cases[i].own != NULL)
            assert_true(am_span_equal(own.address.local, am_span_str(cases[i].own)));
        am_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each),
        cmocka_unit_test(aligns),
        cmocka_unit_test(finds_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
