#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dkim-milter/dkim_login.h"
#include "tests/support/failing_alloc.h"

/* Whom a login may write as. */

struct complaints {
    size_t count;
    char last[1100];
};

static void complain(void *user, const char *sentence)
{
    struct complaints *complaints = user;

    complaints->count++;
    snprintf(complaints->last, sizeof(complaints->last), "%s", sentence);
}

static const char map_text[] = "# who may write as whom\n"
                               "bob@example.org  bob@example.org sales@EXAMPLE.org # two\n"
                               "webshop\tshop.example,.lists.example\r\n"
                               "WebShop  b\xc3\xbc"
                               "cher.example\n"
                               "admin *\n"
                               "carol carol@example.net\n"
                               "* example.net\n";

struct row {
    const char *login, *local, *domain;
    bool allowed;
};

static const struct row map_rows[] = {
    {"bob@example.org", "bob", "example.org", true},
    {"BOB@example.org", "Bob", "example.org", true},
    {"bob@example.org", "sales", "example.org", true},
    {"bob@example.org", "carol", "example.org", false},
    {"bob@example.org", "bob", "sub.example.org", false},
    {"bob@example.org", "anna", "example.net", false}, /* it has a row of its own */
    {"bob", "bob", "example.org", false},
    {"webshop", "x", "shop.example", true},
    {"webshop", "x", "www.shop.example", false},
    {"webshop", "x", "lists.example", true},
    {"webshop", "x", "a.b.lists.example", true},
    {"webshop", "x", "otherlists.example", false},
    {"webshop", "x", "xn--bcher-kva.example", true}, /* rows of one login add up */
    {"admin", "x", "anything.example", true},
    {"carol", "carol", "example.net", true},
    {"carol", "dora", "example.net", false},
    {"stranger", "x", "example.net", true},
    {"stranger", "x", "example.org", false},
    {"", "x", "example.org", true}, /* not authenticated: its network is what lets it sign */
};

static bool ask(struct am_arena *arena, enum dkim_login_binding binding,
                const struct dkim_login_map *map, const struct row *row, const char **why_not)
{
    struct dkim_login_request request = {
        binding, map, row->login, am_span_str(row->local), row->domain,
    };

    return dkim_login_allows(&request, arena, why_not);
}

static void by_map(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct complaints complaints = {.count = 0};
    struct dkim_login_complaints sink = {complain, &complaints};
    struct am_problem problem;
    const char *why_not;

    (void)state;
    struct dkim_login_map *map =
        dkim_login_map_parse(arena, "logins", am_span_str(map_text), &sink, &problem);
    assert_non_null(map);
    assert_int_equal(complaints.count, 0);
    for (size_t i = 0; i < sizeof(map_rows) / sizeof(map_rows[0]); i++) {
        bool allowed = ask(arena, DKIM_LOGIN_MAP, map, &map_rows[i], &why_not);

        if (allowed != map_rows[i].allowed)
            fail_msg("row %zu", i);
        assert_int_equal(why_not == NULL, allowed);
        if (!allowed)
            assert_non_null(strstr(why_not, "dkim.login_map"));
    }
    am_arena_free(arena);
}

static const struct row auto_rows[] = {
    {"bob@example.org", "anybody", "example.org", true},
    {"bob@EXAMPLE.org.", "anybody", "example.org", true},
    {"bob@example.org", "bob", "sub.example.org", false},
    {"bob@sub.example.org", "bob", "example.org", false},
    {"bob@example.org", "bob", "example.net", false},
    {"bob@b\xc3\xbc"
     "cher.example",
     "bob", "xn--bcher-kva.example", true},
    {"bob", "x", "anything.example", true},
    {"bob@", "x", "example.org", false},
    {"a@b@example.org", "x", "example.org", true},
    {"bob@example.org@other.example", "x", "example.org", false},
    {"", "x", "example.org", true},
};

static void by_domain(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    const char *why_not;

    (void)state;
    for (size_t i = 0; i < sizeof(auto_rows) / sizeof(auto_rows[0]); i++) {
        bool allowed = ask(arena, DKIM_LOGIN_AUTO, NULL, &auto_rows[i], &why_not);

        if (allowed != auto_rows[i].allowed)
            fail_msg("row %zu", i);
        assert_int_equal(why_not == NULL, allowed);
        if (!allowed)
            assert_non_null(strstr(why_not, "dkim.login_binding"));
        assert_true(ask(arena, DKIM_LOGIN_OFF, NULL, &auto_rows[i], &why_not));
    }
    am_arena_free(arena);
}

/* A row that is wrong is reported with its line and takes nothing else with it. */
static void broken_rows(void **state)
{
    static const struct {
        const char *row, *sentence;
    } rows[] = {
        {"bob", "allows nothing"},
        {"bob example.org exa!mple.org", "\"exa!mple.org\""},
        {"bob @example.org", "\"@example.org\""},
        {"bob bob@", "\"bob@\""},
        {"bob .", "\".\""},
        {"bob bob@example..org", "\"bob@example..org\""},
        {"bob \xff\xfe.example", "UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_arena *arena = am_arena_new(4096, 0);
        struct complaints complaints = {.count = 0};
        struct dkim_login_complaints sink = {complain, &complaints};
        struct row bob = {"bob", "bob", "example.org", false},
                   anna = {"anna", "anna", "example.org", true};
        struct am_problem problem;
        const char *why_not;
        char text[200];

        snprintf(text, sizeof(text), "\n%s\nanna example.org\n", rows[i].row);
        struct dkim_login_map *map =
            dkim_login_map_parse(arena, "logins", am_span_str(text), &sink, &problem);
        assert_non_null(map);
        assert_int_equal(complaints.count, 1);
        assert_int_equal(strncmp(complaints.last, "logins:2: ", 10), 0);
        if (strstr(complaints.last, rows[i].sentence) == NULL)
            fail_msg("%s", complaints.last);
        assert_false(ask(arena, DKIM_LOGIN_MAP, map, &bob, &why_not));
        assert_true(ask(arena, DKIM_LOGIN_MAP, map, &anna, &why_not));
        am_arena_free(arena);
    }
}

static void from_a_file(void **state)
{
    char path[] = "/tmp/logins-XXXXXX";
    struct am_arena *arena = am_arena_new(4096, 0);
    struct complaints complaints = {.count = 0};
    struct dkim_login_complaints sink = {complain, &complaints};
    struct row bob = {"bob", "bob", "example.org", true};
    struct am_problem problem;
    const char *why_not;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "bob example.org\n", 16), 16);
    close(fd);
    struct dkim_login_map *map = dkim_login_map_load(arena, path, &sink, &problem);
    assert_non_null(map);
    assert_true(ask(arena, DKIM_LOGIN_MAP, map, &bob, &why_not));
    unlink(path);
    assert_null(dkim_login_map_load(arena, path, &sink, &problem));
    assert_non_null(strstr(problem.text, path));
    am_arena_free(arena);
}

static void short_of_memory(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t successes = 0; failed; successes++) {
        struct am_arena *arena = am_arena_new(64, 0);
        struct complaints complaints = {.count = 0};
        struct dkim_login_complaints sink = {complain, &complaints};
        struct am_problem problem = {{0}};

        assert_non_null(arena);
        failing_alloc_start(successes);
        struct dkim_login_map *map =
            dkim_login_map_parse(arena, "logins", am_span_str(map_text), &sink, &problem);
        failed = failing_alloc_stop();
        /* A row is left out, or all is refused; nobody gains anything by it. */
        if (map == NULL)
            assert_non_null(strstr(problem.text, "out of memory"));
        else if (failed)
            assert_true(complaints.count > 0);
        am_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_map),          cmocka_unit_test(by_domain),
        cmocka_unit_test(broken_rows),     cmocka_unit_test(from_a_file),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
