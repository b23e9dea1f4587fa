#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "dkim-milter/dkim_selection.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/dkim/random_text.h"

/* Header fields and the selection of RFC 6376 section 5.4.2. */

#define TEXT(text) am_span_of(text, sizeof(text) - 1)

static struct am_arena *arena;
static struct dkim_fields fields;

static int set_up(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    dkim_fields_init(&fields, arena, false);
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static const struct dkim_field *add(const char *name, const char *value)
{
    const struct dkim_field *field =
        dkim_fields_add(&fields, am_span_str(name), am_span_str(value));

    assert_non_null(field);
    return field;
}

static struct dkim_selection *select_all(void)
{
    assert_true(dkim_fields_prepare(&fields));
    struct dkim_selection *selection = dkim_selection_new(arena, &fields);
    assert_non_null(selection);
    return selection;
}

static void expect_taken(struct dkim_selection *selection, const char *name, const char *value)
{
    const struct dkim_field *field = dkim_selection_take(selection, am_span_str(name));

    if (value == NULL) {
        assert_null(field);
        return;
    }
    assert_non_null(field);
    assert_int_equal(field->value.len, strlen(value));
    assert_memory_equal(field->value.ptr, value, strlen(value));
}

static void kept_as_they_came(void **state)
{
    (void)state;
    const struct dkim_field *field =
        dkim_fields_add(&fields, TEXT("Sub\tJect \t"), TEXT(" a\n\0b\r\n c "));

    assert_true(am_span_equal(field->name, TEXT("Sub\tJect")));
    assert_true(am_span_equal(field->lower, TEXT("sub\tject:")));
    assert_true(am_span_equal(field->value, TEXT(" a\n\0b\r\n c ")));
    assert_true(am_span_equal(field->raw, TEXT("Sub\tJect \t: a\n\0b\r\n c ")));
    assert_true(dkim_field_is(field, "sub\tject"));
    assert_false(dkim_field_is(field, "sub\tjec"));
    assert_int_equal(fields.count, 1);
    assert_int_equal(fields.bytes, field->raw.len + 2);
    const struct dkim_field *next = add("", "");
    assert_ptr_equal(fields.first, field);
    assert_ptr_equal(field->below, next);
    assert_null(next->below);
    assert_int_equal(next->position, 1);
    assert_true(am_span_equal(next->raw, TEXT(":")));
    assert_true(dkim_field_is(next, ""));
}

static void blank_supplied(void **state)
{
    (void)state;
    dkim_fields_init(&fields, arena, true);
    const struct dkim_field *field = add("To", "x");
    assert_true(am_span_equal(field->value, TEXT(" x")));
    assert_true(am_span_equal(field->raw, TEXT("To: x")));
    assert_true(am_span_equal(add("To", " x")->raw, TEXT("To:  x")));
    assert_true(am_span_equal(add("To", "\tx")->raw, TEXT("To:\tx")));
    assert_true(am_span_equal(add("To", "")->raw, TEXT("To: ")));
}

static void from_the_bottom(void **state)
{
    (void)state;
    add("Received", "1");
    add("From", "f");
    add("RECEIVED ", "2");
    add("received", "3");
    add("Receive", "other");
    add("Received-SPF", "other");
    struct dkim_selection *selection = select_all();
    /* Twice: a signature leaves nothing behind for the next one. */
    for (int i = 0; i < 2; i++) {
        dkim_selection_begin(selection, NULL);
        expect_taken(selection, "Received", "3");
        expect_taken(selection, "FROM", "f");
        expect_taken(selection, "received", "2");
        expect_taken(selection, "From", NULL);
        expect_taken(selection, "rEceived", "1");
        expect_taken(selection, "Received", NULL);
        expect_taken(selection, "Received", NULL);
        expect_taken(selection, "Absent", NULL);
        expect_taken(selection, "", NULL);
        expect_taken(selection, "From ", NULL);
    }
}

static void never_itself(void **state)
{
    (void)state;
    add("DKIM-Signature", "1");
    const struct dkim_field *self = add("DKIM-Signature", "2");
    add("DKIM-Signature", "3");
    struct dkim_selection *selection = select_all();
    dkim_selection_begin(selection, self);
    expect_taken(selection, "DKIM-Signature", "3");
    expect_taken(selection, "DKIM-Signature", "1");
    expect_taken(selection, "DKIM-Signature", NULL);
    dkim_selection_begin(selection, NULL);
    expect_taken(selection, "DKIM-Signature", "3");
    expect_taken(selection, "DKIM-Signature", "2");
}

static void found_by_name(void **state)
{
    size_t count;
    (void)state;
    assert_true(dkim_fields_prepare(&fields));
    assert_null(dkim_fields_find(&fields, TEXT("From"), &count));
    assert_int_equal(count, 0);
    const struct dkim_field *first = add("From", "1");
    add("To", "x");
    const struct dkim_field *second = add("FROM", "2");
    assert_true(dkim_fields_prepare(&fields));
    const struct dkim_field *const *found = dkim_fields_find(&fields, TEXT("fRom"), &count);
    assert_int_equal(count, 2);
    assert_ptr_equal(found[0], first);
    assert_ptr_equal(found[1], second);
    assert_null(dkim_fields_find(&fields, TEXT("Fro"), &count));
}

static void no_fields(void **state)
{
    (void)state;
    struct dkim_selection *selection = select_all();
    dkim_selection_begin(selection, NULL);
    expect_taken(selection, "From", NULL);
}

/* What h= means, by going through all fields again and again. */
static const struct dkim_field *take_slowly(const struct dkim_field **left, size_t count,
                                            struct am_span name)
{
    for (size_t i = count; i > 0; i--) {
        const struct dkim_field *field = left[i - 1];
        if (field != NULL && am_span_equal_nocase(field->name, name)) {
            left[i - 1] = NULL;
            return field;
        }
    }
    return NULL;
}

static void random_selections(void **state)
{
    /* Equal in the first eight octets, or one the beginning of the other, or not in letters only.
     */
    static const char *const names[] = {
        "Received", "received", "Received-SPF",  "Received-",    "RECEIVEE",     "X",
        "x",        "",         "X-ABCDEFG",     "X-abcdefghij", "X-abcdefghiJ", "Subject",
        "\xc3\xa4", "From",     "X-abcdefghijk", "X-abcdefghik"};
    struct random_source source = {3};
    (void)state;

    for (size_t round = 0; round < 2000; round++) {
        const struct dkim_field *all[40], *left[40];
        am_arena_reset(arena);
        dkim_fields_init(&fields, arena, false);
        size_t count = random_below(&source, 40);
        for (size_t i = 0; i < count; i++)
            all[i] = add(names[random_below(&source, 16)], "");
        struct dkim_selection *selection = select_all();
        for (int signature = 0; signature < 3; signature++) {
            memcpy(left, all, sizeof(left));
            size_t self = random_below(&source, 41);
            if (self < count)
                left[self] = NULL;
            dkim_selection_begin(selection, self < count ? all[self] : NULL);
            for (int i = 0; i < 60; i++) {
                struct am_span name = am_span_str(names[random_below(&source, 16)]);
                assert_ptr_equal(dkim_selection_take(selection, name),
                                 take_slowly(left, count, name));
            }
        }
    }
}

/* Thousands of fields and names; with a walk for each name this would not end. */
static void many(void **state)
{
    enum { MANY = 20000 };
    char name[32];
    (void)state;

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "X-Field-%d", i % (MANY / 2));
        add(name, "");
        add("Same", "");
    }
    struct dkim_selection *selection = select_all();
    for (int signature = 0; signature < 20; signature++) {
        dkim_selection_begin(selection, NULL);
        size_t taken = 0;
        for (int i = 0; i < MANY; i++) {
            taken += dkim_selection_take(selection, TEXT("same")) != NULL;
            taken += dkim_selection_take(selection, TEXT("x-field-7")) != NULL;
            taken += dkim_selection_take(selection, TEXT("x-field-absent")) != NULL;
        }
        assert_int_equal(taken, MANY + 2);
    }
}

static void memory_short(void **state)
{
    bool failed = true;
    (void)state;

    for (size_t successes = 0; failed; successes++) {
        failing_alloc_start(successes);
        struct am_arena *small = am_arena_new(64, 0);
        if (small != NULL) {
            struct dkim_fields some;
            bool good = true;
            dkim_fields_init(&some, small, false);
            for (int i = 0; i < 40 && good; i++)
                good =
                    dkim_fields_add(&some, TEXT("Subject"), TEXT(" text of some length")) != NULL;
            if (good && dkim_fields_prepare(&some)) {
                struct dkim_selection *selection = dkim_selection_new(small, &some);
                if (selection != NULL) {
                    dkim_selection_begin(selection, NULL);
                    assert_non_null(dkim_selection_take(selection, TEXT("subject")));
                }
            }
        }
        failed = failing_alloc_stop();
        am_arena_free(small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kept_as_they_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blank_supplied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_the_bottom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(never_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(found_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_selections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many, set_up, tear_down),
        cmocka_unit_test(memory_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
