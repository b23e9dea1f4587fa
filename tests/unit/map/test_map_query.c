#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/map/map_query.h"

/* What an administrator writes, and what becomes of hostile addresses in it. */

static const struct am_map_question question = {
    .local = {"a*b(c)\\d'\"", 10}, .domain = "example.org", .login = "x)(uid=*"};

static void reads(const char *text, enum am_map_marks marks, const char *as, const char *parts)
{
    static const char letters[] = "aldg";
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_query query;
    struct am_problem problem;
    char found[AM_MAP_PLACES_MAX + 1] = "";

    if (!am_map_query_read(&query, arena, text, marks, &problem))
        fail_msg("%s: %s", text, problem.text);
    assert_string_equal(query.text, as);
    for (size_t i = 0; i < query.count; i++)
        found[i] = letters[query.parts[i]];
    assert_string_equal(found, parts);
    am_arena_free(arena);
}

static void queries(void **state)
{
    (void)state;
    reads("SELECT :address", AM_MAP_MARKS_QUESTION, "SELECT ?", "a");
    reads("SELECT :address", AM_MAP_MARKS_DOLLAR, "SELECT $1", "a");
    reads(":domain=:local+:domain,:login", AM_MAP_MARKS_QUESTION, "?=?+?,?", "dldg");
    reads(":domain=:local+:domain,:login", AM_MAP_MARKS_DOLLAR, "$1=$2+$1,$3", "dlg");
    reads("':address' || \":x\" || `:y` || 'it''s' || :local::text", AM_MAP_MARKS_DOLLAR,
          "':address' || \":x\" || `:y` || 'it''s' || $1::text", "l");
}

static void refuses(const char *text, const char *why)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_query query;
    struct am_problem problem;

    assert_false(am_map_query_read(&query, arena, text, AM_MAP_MARKS_DOLLAR, &problem));
    assert_non_null(strstr(problem.text, why));
    am_arena_free(arena);
}

static void refuses_queries(void **state)
{
    (void)state;
    refuses("", "asks for nothing");
    refuses("SELECT 1", "asks for nothing");
    refuses("SELECT ':address'", "asks for nothing");
    refuses("SELECT :adress", "there is no parameter :adress");
    refuses("SELECT :address_x", "there is no parameter :address_x");
    refuses("SELECT : address", "there is no parameter :;");
    refuses("SELECT ':address", "has no end");
    refuses("SELECT :address; DROP TABLE x", "; may not stand");
    refuses("SELECT :address -- x", "-- may not stand");
    refuses("SELECT :address /* x", "/* may not stand");
    refuses("SELECT $1, :address", "$ may not stand");
    refuses("SELECT ?, :address", "? may not stand");
}

static void bounds_places(void **state)
{
    char text[512] = "";
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_map_query query;
    struct am_problem problem;

    (void)state;
    for (int i = 0; i < AM_MAP_PLACES_MAX; i++)
        strcat(text, ":address ");
    assert_true(am_map_query_read(&query, arena, text, AM_MAP_MARKS_QUESTION, &problem));
    strcat(text, ":address ");
    assert_false(am_map_query_read(&query, arena, text, AM_MAP_MARKS_QUESTION, &problem));
    assert_non_null(strstr(problem.text, "more than 16"));
    assert_true(am_map_query_read(&query, arena, text, AM_MAP_MARKS_DOLLAR, &problem));
    am_arena_free(arena);
}

static void filters(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);

    (void)state;
    assert_string_equal(am_map_filter_fill("(&(mail=%s)(uid=%l)(x=%u%%)(y=%d))", &question, arena),
                        "(&(mail=a\\2ab\\28c\\29\\5cd\\27\\22@example.org)(uid=x\\29\\28uid=\\2a)"
                        "(x=a\\2ab\\28c\\29\\5cd\\27\\22%)(y=example.org))");
    am_arena_free(arena);
}

static void judges_filters(void **state)
{
    struct am_problem problem;

    (void)state;
    assert_true(am_map_filter_check("(mail=%s)", &problem));
    assert_true(am_map_filter_check("(x=100%%)(mail=%d)", &problem));
    assert_true(am_map_filter_check("", &problem));
    assert_false(am_map_filter_check("(mail=*)", &problem));
    assert_false(am_map_filter_check("(mail=%%)", &problem));
    assert_false(am_map_filter_check("(mail=%s%)x", &problem));
    assert_false(am_map_filter_check("(mail=%s%", &problem));
}

static bool askable(const char *local, size_t len, const char *login)
{
    const struct am_map_question asked = {
        .local = {local, len}, .domain = "example.org", .login = login};

    return am_map_question_is_askable(&asked);
}

static void judges_questions(void **state)
{
    static char big[1024];

    (void)state;
    memset(big, 'a', sizeof(big) - 1);
    assert_true(askable("a", 1, ""));
    assert_true(askable("j\xc3\xb6rg", 5, "j\xc3\xb6rg"));
    assert_false(askable("j\xf6rg", 4, ""));
    assert_false(askable("a\0b", 3, ""));
    assert_false(askable(big, 257, ""));
    assert_false(askable("a", 1, big));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),        cmocka_unit_test(refuses_queries),
        cmocka_unit_test(bounds_places),  cmocka_unit_test(filters),
        cmocka_unit_test(judges_filters), cmocka_unit_test(judges_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
