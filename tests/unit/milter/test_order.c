#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/milter/order.h"

static const char *const after_spf_dkim[] = {"spf", "dkim", NULL};
static const char *const after_dmarc[] = {"dmarc", NULL};
static const char *const after_arc[] = {"arc", NULL};
static const char *const after_absent[] = {"nowhere", NULL};

static const struct am_module spf = {.name = "spf", .after = after_absent};
static const struct am_module dkim = {.name = "dkim"};
static const struct am_module dmarc = {.name = "dmarc", .after = after_spf_dkim};
static const struct am_module arc = {.name = "arc", .after = after_dmarc};

static void expect_order(const struct am_module *const *modules, size_t count, const char *names)
{
    const struct am_module *sorted[AM_MODULES_MAX];
    struct am_problem problem;
    char text[256] = "";
    assert_true(am_order_sort(modules, count, sorted, &problem));
    for (size_t i = 0; i < count; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, sorted[i]->name);
    }
    assert_string_equal(text, names);
}

static void keeps_the_given_order_where_nothing_is_said(void **state)
{
    const struct am_module *modules[] = {&dkim, &spf};
    (void)state;
    expect_order(modules, 2, "dkim spf");
    expect_order(modules, 0, "");
}

static void puts_each_after_what_it_names(void **state)
{
    const struct am_module *modules[] = {&arc, &dmarc, &spf, &dkim};
    (void)state;
    expect_order(modules, 4, "spf dkim dmarc arc");
}

static void ignores_modules_that_are_absent(void **state)
{
    const struct am_module *modules[] = {&arc, &spf};
    (void)state;
    expect_order(modules, 2, "arc spf");
}

static void names_a_circle(void **state)
{
    static const struct am_module a = {.name = "dmarc", .after = after_arc};
    static const struct am_module b = {.name = "arc", .after = after_dmarc};
    const struct am_module *modules[] = {&spf, &a, &b};
    const struct am_module *sorted[AM_MODULES_MAX];
    struct am_problem problem;
    (void)state;
    assert_false(am_order_sort(modules, 3, sorted, &problem));
    assert_string_equal(problem.text,
                        "the modules wait for each other in a circle: dmarc after arc, "
                        "arc after dmarc");
}

static void names_only_the_circle_not_the_way_to_it(void **state)
{
    static const char *const after_x[] = {"x", NULL}, *const after_y[] = {"y", NULL};
    static const struct am_module w = {.name = "w", .after = after_x};
    static const struct am_module x = {.name = "x", .after = after_y};
    static const struct am_module y = {.name = "y", .after = after_y};
    const struct am_module *modules[] = {&w, &x, &y};
    const struct am_module *sorted[AM_MODULES_MAX];
    struct am_problem problem;
    (void)state;
    assert_false(am_order_sort(modules, 3, sorted, &problem));
    assert_string_equal(problem.text, "the modules wait for each other in a circle: y after y");
}

static void refuses_two_of_one_name(void **state)
{
    const struct am_module *modules[] = {&spf, &dkim, &spf};
    const struct am_module *sorted[AM_MODULES_MAX];
    struct am_problem problem;
    (void)state;
    assert_false(am_order_sort(modules, 3, sorted, &problem));
    assert_non_null(strstr(problem.text, "\"spf\""));
}

static void refuses_too_many(void **state)
{
    const struct am_module *modules[AM_MODULES_MAX + 1];
    const struct am_module *sorted[AM_MODULES_MAX];
    struct am_problem problem;
    (void)state;
    for (size_t i = 0; i <= AM_MODULES_MAX; i++)
        modules[i] = &spf;
    assert_false(am_order_sort(modules, AM_MODULES_MAX + 1, sorted, &problem));
    assert_non_null(strstr(problem.text, "33 modules"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_given_order_where_nothing_is_said),
        cmocka_unit_test(puts_each_after_what_it_names),
        cmocka_unit_test(ignores_modules_that_are_absent),
        cmocka_unit_test(names_a_circle),
        cmocka_unit_test(names_only_the_circle_not_the_way_to_it),
        cmocka_unit_test(refuses_two_of_one_name),
        cmocka_unit_test(refuses_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
