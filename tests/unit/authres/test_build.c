#include "support.h"

static void none(void **state)
{
    (void)state;
    assert_written(new_header(), "mx.example.org; none");

    struct ar_header *header = ar_header_new(NULL);
    char *text = NULL;
    assert_int_equal(ar_header_format(header, NULL, &text, NULL), AR_NO_ID);
    assert_null(text);
    ar_header_free(header);
    ar_header_free(NULL);
}

static void whole_header(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_set_version(h, 1), AR_OK);
    assert_int_equal(ar_header_add_result(h, "spf", "pass"), AR_OK);
    assert_int_equal(ar_header_add_comment(h, LIT("sender is authorised")), AR_OK);
    assert_int_equal(ar_header_add_property(h, "smtp", "mailfrom", LIT("user@example.com")), AR_OK);
    assert_int_equal(ar_header_add_result(h, "dkim", "fail"), AR_OK);
    assert_int_equal(ar_header_set_method_version(h, 2), AR_OK);
    assert_int_equal(ar_header_add_property(h, "header", "d", LIT("example.com")), AR_OK);
    assert_int_equal(ar_header_add_comment(h, LIT("a")), AR_OK);
    assert_int_equal(ar_header_add_property(h, "header", "b", LIT("ab/c+=")), AR_OK);
    assert_int_equal(ar_header_add_comment(h, LIT("b")), AR_OK);
    assert_int_equal(ar_header_set_reason(h, LIT("body hash")), AR_OK);
    assert_int_equal(ar_header_add_comment(h, LIT("c")), AR_OK);
    assert_written(
        h, "mx.example.org 1; spf=pass (sender is authorised) smtp.mailfrom=user@example.com; "
           "dkim/2=fail reason=\"body hash\" (c) header.d=example.com (a) header.b=\"ab/c+=\" (b)");
}

static void ids(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_set_id(h, "", 0), AR_BAD_VALUE);
    assert_int_equal(ar_header_set_id(h, LIT("a\nb")), AR_BAD_VALUE);
    char *big = calloc(1, AR_ID_MAX + 2);
    memset(big, 'x', AR_ID_MAX + 1);
    assert_int_equal(ar_header_set_id(h, big, AR_ID_MAX + 1), AR_TOO_LONG);
    assert_text(ar_header_id(h), LIT("mx.example.org"));
    assert_int_equal(ar_header_set_id(h, big, AR_ID_MAX), AR_OK);
    free(big);
    assert_int_equal(ar_header_set_id(h, LIT("host/7 \"x\"")), AR_OK);
    assert_int_equal(ar_header_set_version(h, -2), AR_BAD_VALUE);
    assert_int_equal(ar_header_set_version(h, 1000000000), AR_BAD_VALUE);
    assert_written(h, "\"host/7 \\\"x\\\"\"; none");
}

static void keywords(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "a-", "a b",    "a=b",      "a.b",
                                      "a_b", "a;", "a\r\nb", "\xc3\xa9", "a/1"};
    struct ar_header *h = new_header();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ar_header_add_result(h, bad[i], "pass"), AR_BAD_TOKEN);
        assert_int_equal(ar_header_add_result(h, "spf", bad[i]), AR_BAD_TOKEN);
    }
    assert_int_equal(ar_header_result_count(h), 0);
    assert_int_equal(ar_header_add_result(h, "x-own-1", "SoftFail"), AR_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ar_header_add_property(h, bad[i], "p", LIT("v")), AR_BAD_TOKEN);
        assert_int_equal(ar_header_add_property(h, "smtp", bad[i], LIT("v")), AR_BAD_TOKEN);
    }
    assert_written(h, "mx.example.org; x-own-1=SoftFail");
}

static void without_result(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_set_reason(h, LIT("r")), AR_NO_RESULT);
    assert_int_equal(ar_header_add_comment(h, LIT("c")), AR_NO_RESULT);
    assert_int_equal(ar_header_add_property(h, "a", "b", LIT("c")), AR_NO_RESULT);
    assert_int_equal(ar_header_set_method_version(h, 1), AR_NO_RESULT);
    assert_written(h, "mx.example.org; none");
}

/* Each value and how it has to stand in the field. */
static void value_forms(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"example.com", "example.com"},
        {"100", "100"},
        {"a+b_c!#$%&'*^`{|}~", "a+b_c!#$%&'*^`{|}~"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"\ta", "\"\ta\""},
        {"a/b", "\"a/b\""},
        {"a=b", "\"a=b\""},
        {"2001:db8::1", "\"2001:db8::1\""},
        {"a;b", "\"a;b\""},
        {"(a)", "\"(a)\""},
        {"say \"hi\" \\o/", "\"say \\\"hi\\\" \\\\o/\""},
        {"\\", "\"\\\\\""},
        {"\"", "\"\\\"\""},
        {"@example.com", "@example.com"},
        {"user@example.com", "user@example.com"},
        {"us/er=x@example.com", "us/er=x@example.com"},
        {"user@localhost", "\"user@localhost\""},
        {"user@[192.0.2.1]", "\"user@[192.0.2.1]\""},
        {"user@exa_mple.com", "\"user@exa_mple.com\""},
        {"user@-x.example.com", "\"user@-x.example.com\""},
        {"user@x-.example.com", "\"user@x-.example.com\""},
        {"user@example.com.", "\"user@example.com.\""},
        {"a..b@example.com", "\"a..b@example.com\""},
        {".a@example.com", "\".a@example.com\""},
        {"a.@example.com", "\"a.@example.com\""},
        {"a b@example.com", "\"a b@example.com\""},
        {"\"a b\"@example.com", "\"a b\"@example.com"},
        {"\"a@b\"@example.com", "\"a@b\"@example.com"},
        {"\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com"},
        {"\"a\"b\"@example.com", "\"\\\"a\\\"b\\\"@example.com\""},
        {"\"a\\\"@example.com", "\"\\\"a\\\\\\\"@example.com\""},
        {"\"a\\ b\"@example.com", "\"\\\"a\\\\ b\\\"@example.com\""},
        {"a@b@example.com", "\"a@b@example.com\""},
        {"@", "\"@\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ar_header *h = new_header();
        char expected[200];
        assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
        assert_int_equal(ar_header_add_property(h, "p", "n", rows[i].value, strlen(rows[i].value)),
                         AR_OK);
        snprintf(expected, sizeof(expected), "mx.example.org; m=r p.n=%s", rows[i].written);
        assert_written(h, expected);
    }
}

static void escapes(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
    assert_int_equal(ar_header_add_comment(h, LIT(") m=pass (\\")), AR_OK);
    assert_int_equal(ar_header_set_reason(h, LIT("\"; spf=pass \\")), AR_OK);
    assert_written(h, "mx.example.org; m=r (\\) m=pass \\(\\\\) reason=\"\\\"; spf=pass \\\\\"");
}

/* Octets that would end the field or a line, or that no field may hold. */
static void refused_octets(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        bool allowed = c == '\t' || (c >= 0x20 && c < 0x7f);
        enum ar_status expected = allowed ? AR_OK : AR_BAD_VALUE;
        assert_int_equal(ar_header_set_reason(h, text, 3), expected);
        assert_int_equal(ar_header_set_id(h, text, 3), expected);
        if (!allowed) {
            assert_int_equal(ar_header_add_property(h, "p", "n", text, 3), AR_BAD_VALUE);
            assert_int_equal(ar_header_add_comment(h, text, 3), AR_BAD_VALUE);
        }
    }
    assert_written(h, "a~b; m=r reason=\"a~b\"");
}

/* A space beyond ASCII is no blank to the grammar, but it is to Perl and Python. */
static void spaces_of_unicode_stand_in_quotes(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    ar_header_allow_utf8(h, true);
    assert_int_equal(ar_header_add_result(h, "spf", "fail"), AR_OK);
    assert_int_equal(
        ar_header_add_property(h, "smtp", "mailfrom", LIT("a\xe3\x80\x80header.d=x@evil.example")),
        AR_OK);
    assert_int_equal(ar_header_add_property(h, "smtp", "helo",
                                            LIT("a\xc2\xa0"
                                                "b.example")),
                     AR_OK);
    assert_int_equal(ar_header_add_property(h, "header", "d",
                                            LIT("b\xc3\xbc"
                                                "cher.example")),
                     AR_OK);
    assert_written(
        h, "mx.example.org; spf=fail smtp.mailfrom=\"a\xe3\x80\x80header.d=x@evil.example\" "
           "smtp.helo=\"a\xc2\xa0"
           "b.example\" header.d=b\xc3\xbc"
           "cher.example");

    /* A field that has one outside quotes is read, and written with quotes. */
    h = ar_header_parse(NULL,
                        LIT("mx.example.org; spf=fail smtp.helo=a\xc2\xa0"
                            "b.example"),
                        NULL, NULL);
    assert_non_null(h);
    assert_written(h, "mx.example.org; spf=fail smtp.helo=\"a\xc2\xa0"
                      "b.example\"");
}

static void utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xc2\x85",
                                      "\xe2\x82",
                                      "\xff"};
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
    assert_int_equal(ar_header_set_reason(h, LIT("gr\xc3\xbc\xc3\x9f")), AR_BAD_VALUE);
    ar_header_allow_utf8(h, true);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ar_header_set_reason(h, bad[i], strlen(bad[i])), AR_BAD_VALUE);
    assert_int_equal(ar_header_set_reason(h, LIT("gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xa7")), AR_OK);
    assert_int_equal(ar_header_add_property(h, "p", "a", LIT("j\xc3\xb6@b\xc3\xbc.example")),
                     AR_OK);
    assert_int_equal(ar_header_add_property(h, "p", "b", LIT("b\xc3\xbc.example")), AR_OK);
    assert_int_equal(ar_header_add_property(h, "p", "c", LIT("b\xc3\xbc")), AR_OK);
    ar_header_allow_utf8(h, false);
    assert_int_equal(ar_header_add_comment(h, LIT("\xc3\xbc")), AR_BAD_VALUE);
    assert_written(h, "mx.example.org; m=r reason=\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xa7\" "
                      "p.a=j\xc3\xb6@b\xc3\xbc.example "
                      "p.b=b\xc3\xbc.example p.c=\"b\xc3\xbc\"");
}

static void status_texts(void **state)
{
    (void)state;
    for (int i = 0; i <= AR_NO_ID; i++)
        assert_true(strlen(ar_status_text((enum ar_status)i)) > 5);
    assert_string_equal(ar_status_text((enum ar_status)999), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(whole_header),
        cmocka_unit_test(ids),
        cmocka_unit_test(keywords),
        cmocka_unit_test(without_result),
        cmocka_unit_test(value_forms),
        cmocka_unit_test(escapes),
        cmocka_unit_test(refused_octets),
        cmocka_unit_test(utf8),
        cmocka_unit_test(spaces_of_unicode_stand_in_quotes),
        cmocka_unit_test(status_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
