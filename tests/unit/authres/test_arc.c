#include "support.h"

/* ARC-Authentication-Results (RFC 8617 section 4.1.1; AR-11), and telling the two fields apart. */

static struct ar_header *read_as(enum ar_kind kind, const char *value, struct ar_parse_error *error)
{
    struct ar_parse_options options = {.kind = kind};

    return ar_header_parse(NULL, value, strlen(value), &options, error);
}

/* instance = [CFWS] "i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS] ";" */
static void instance_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *read;
        unsigned instance;
        const char *written;
    } rows[] = {
        {"i=1; mx; none", 1, "i=1; mx; none"},
        {"i=50;mx 1;m=r", 50, "i=50; mx 1; m=r"},
        {" i=07 ; mx; m=r", 7, "i=7; mx; m=r"},
        {"(a) i (b) =\n (c) 3 (d) ; (e) mx (f); none", 3, "i=3; (a) (b) (c) (d) (e) mx (f); none"},
        {"i=1; i; m=r", 1, "i=1; i; m=r"},
        {"i=1; \"i\"; i=r", 1, "i=1; i; i=r"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int kind = 0; kind < 2; kind++) {
            struct ar_parse_error error;
            struct ar_header *header =
                read_as(kind == 0 ? AR_KIND_ANY : AR_KIND_ARC, rows[i].read, &error);
            assert_non_null(header);
            assert_int_equal(ar_header_instance(header), rows[i].instance);
            assert_written(header, rows[i].written);
        }
}

static void instance_errors(void **state)
{
    (void)state;
    static const struct {
        enum ar_kind kind;
        const char *read;
        size_t offset;
        const char *expected;
    } rows[] = {
        {AR_KIND_AR, "i=1; mx; none", 0, "an authserv-id and no instance"},
        {AR_KIND_AR, "(a) i = 1; mx; none", 4, "an authserv-id and no instance"},
        {AR_KIND_ARC, "mx; none", 0, "an instance, \"i=\""},
        {AR_KIND_ARC, "", 0, "an instance, \"i=\""},
        {AR_KIND_ARC, "i; none", 0, "an instance, \"i=\""},
        {AR_KIND_ARC, "\"i\"=1; mx; none", 0, "an instance, \"i=\""},
        {AR_KIND_ARC, "I=1; mx; none", 0, "an instance, \"i=\""},
        {AR_KIND_ANY, "i=0; mx; none", 2, "an instance from 1 to 50"},
        {AR_KIND_ANY, "i=51; mx; none", 2, "an instance from 1 to 50"},
        {AR_KIND_ANY, "i=001; mx; none", 2, "an instance from 1 to 50"},
        {AR_KIND_ANY, "i=99999999999999999999; mx; none", 2, "an instance from 1 to 50"},
        {AR_KIND_ANY, "i=; mx; none", 2, "an instance from 1 to 50"},
        {AR_KIND_ANY, "i=1 mx; none", 4, "a semicolon after the instance"},
        {AR_KIND_ANY, "i=1x; mx; none", 3, "a semicolon after the instance"},
        {AR_KIND_ANY, "i=1;", 4, "an authserv-id"},
        {AR_KIND_ANY, "i=1;; none", 4, "an authserv-id"},
        {AR_KIND_ANY, "i=1; i=2; mx; none", 6, "a semicolon"},
        {AR_KIND_ANY, "I=1; mx; none", 1, "a semicolon"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ar_parse_error error = {AR_OK, 0, NULL};
        assert_null(read_as(rows[i].kind, rows[i].read, &error));
        assert_int_equal(error.status, AR_SYNTAX);
        assert_string_equal(error.expected, rows[i].expected);
        assert_int_equal(error.offset, rows[i].offset);
    }
}

static void instance_is_optional_elsewhere(void **state)
{
    (void)state;
    struct ar_header *header = read_as(AR_KIND_AR, "mx; none", NULL);
    assert_int_equal(ar_header_instance(header), 0);
    ar_header_free(header);
    header = read_as(AR_KIND_ANY, "i; i=1", NULL);
    assert_int_equal(ar_header_instance(header), 0);
    assert_text(ar_header_id(header), LIT("i"));
    assert_int_equal(ar_header_result_count(header), 1);
    ar_header_free(header);
}

static void instance_is_written(void **state)
{
    (void)state;
    struct ar_header *header = new_header();
    assert_int_equal(ar_header_set_instance(header, 51), AR_BAD_VALUE);
    assert_int_equal(ar_header_instance(header), 0);
    assert_int_equal(ar_header_set_instance(header, 2), AR_OK);
    assert_int_equal(ar_header_set_instance(header, 12), AR_OK);
    assert_int_equal(ar_header_instance(header), 12);
    assert_int_equal(ar_header_add_result(header, "arc", "pass"), AR_OK);
    assert_written(header, "i=12; mx.example.org; arc=pass");
    header = new_header();
    assert_int_equal(ar_header_set_instance(header, 2), AR_OK);
    assert_int_equal(ar_header_set_instance(header, 0), AR_OK);
    assert_written(header, "mx.example.org; none");
}

/* The longer name of the field leaves less room in the first line. */
static void first_line_has_room_for_the_name(void **state)
{
    (void)state;
    struct ar_header *header = new_header();
    char *plain, *arc;
    /* "Authentication-Results: " and the value are 24 + 54 columns. */
    assert_int_equal(ar_header_add_result(header, "m", "r"), AR_OK);
    assert_int_equal(
        ar_header_add_property(header, "p", "n", LIT("123456789012345678901234567890")), AR_OK);
    assert_int_equal(ar_header_format(header, NULL, &plain, NULL), AR_OK);
    assert_null(strchr(plain, '\n'));
    assert_int_equal(strlen(plain), 54);
    /* With "ARC-" and "i=1; " before it, it is folded, and the id stays beside the name. */
    assert_int_equal(ar_header_set_instance(header, 1), AR_OK);
    assert_int_equal(ar_header_format(header, NULL, &arc, NULL), AR_OK);
    assert_string_equal(arc, "i=1; mx.example.org;\n m=r p.n=123456789012345678901234567890");
    ar_free(NULL, plain);
    ar_free(NULL, arc);
    ar_header_free(header);
}

static void comments_stand_at_every_place(void **state)
{
    (void)state;
    struct ar_header *header = new_header();
    assert_int_equal(ar_header_add_comment_at(header, AR_BEFORE_METHOD, LIT("x")), AR_NO_RESULT);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_RESULT, LIT("x")), AR_BAD_VALUE);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_REASON, LIT("x")), AR_BAD_VALUE);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_PROPERTY, LIT("x")), AR_BAD_VALUE);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_ID, LIT("a\nb")), AR_BAD_VALUE);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_NONE, LIT("none")), AR_OK);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_VERSION, LIT("ver")), AR_OK);
    assert_int_equal(ar_header_add_comment_at(header, AR_AFTER_ID, LIT("id")), AR_OK);
    assert_int_equal(ar_header_add_comment_at(header, AR_BEFORE_ID, LIT("b(e")), AR_OK);
    char *text;
    /* No version: its comment waits. */
    assert_int_equal(ar_header_format(header, NULL, &text, NULL), AR_OK);
    assert_string_equal(text, "(b\\(e) mx.example.org (id); none (none)");
    ar_free(NULL, text);
    assert_int_equal(ar_header_set_version(header, 1), AR_OK);
    assert_int_equal(ar_header_format(header, NULL, &text, NULL), AR_OK);
    assert_string_equal(text, "(b\\(e) mx.example.org (id) 1 (ver); none (none)");
    ar_free(NULL, text);
    /* A result in place of "none". */
    assert_int_equal(ar_header_add_result(header, "m", "r"), AR_OK);
    assert_int_equal(ar_header_add_comment_at(header, AR_BEFORE_METHOD, LIT("early")), AR_OK);
    assert_int_equal(ar_header_comment_count(header), 4);
    assert_written(header, "(b\\(e) mx.example.org (id) 1 (ver); (early) m=r");
}

static void field_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        enum ar_kind kind;
        size_t offset;
    } rows[] = {
        {"Authentication-Results: mx; none", AR_KIND_AR, 23},
        {"authentication-RESULTS:mx", AR_KIND_AR, 23},
        {"Authentication-Results \t: mx", AR_KIND_AR, 25},
        {"Authentication-Results:", AR_KIND_AR, 23},
        {"ARC-Authentication-Results: i=1; mx", AR_KIND_ARC, 27},
        {"arc-authentication-results :", AR_KIND_ARC, 28},
        {"Authentication-Results", AR_KIND_ANY, 0},
        {"Authentication-Results mx: none", AR_KIND_ANY, 0},
        {"Authentication-Results-Original: mx", AR_KIND_ANY, 0},
        {"X-Authentication-Results: mx", AR_KIND_ANY, 0},
        {" Authentication-Results: mx", AR_KIND_ANY, 0},
        {"mx.example.org; none", AR_KIND_ANY, 0},
        {"Authentication-Result", AR_KIND_ANY, 0},
        {"", AR_KIND_ANY, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t offset = 99;
        assert_int_equal(ar_field_kind(rows[i].field, strlen(rows[i].field), &offset),
                         rows[i].kind);
        assert_int_equal(offset, rows[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instance_is_read),
        cmocka_unit_test(instance_errors),
        cmocka_unit_test(instance_is_optional_elsewhere),
        cmocka_unit_test(instance_is_written),
        cmocka_unit_test(first_line_has_room_for_the_name),
        cmocka_unit_test(comments_stand_at_every_place),
        cmocka_unit_test(field_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
