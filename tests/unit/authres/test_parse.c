#include "support.h"

static struct ar_header *parse(const char *value)
{
    struct ar_parse_error error;
    struct ar_header *header = ar_header_parse(NULL, value, strlen(value), NULL, &error);

    if (header == NULL)
        print_error("octet %zu: expected %s\nin %s\n", error.offset, error.expected, value);
    assert_non_null(header);
    assert_int_equal(error.status, AR_OK);
    return header;
}

/* What is read and written again, both in one line. */
static void normalised(void **state)
{
    (void)state;
    static const struct {
        const char *read, *written;
    } rows[] = {
        {"mx.example.org; none", "mx.example.org; none"},
        {" mx.example.org ; NONE \r\n", "mx.example.org; none"},
        {"(a) mx.example.org (b) 1 (c) ; (d) none (e)",
         "(a) mx.example.org (b) 1 (c); none (d) (e)"},
        {"mx 1;none", "mx 1; none"},
        {"\"mx\";m=r", "mx; m=r"},
        {"\"m\\x y\" ;m=r", "\"mx y\"; m=r"},
        {"mx;m/1=r", "mx; m/1=r"},
        {"mx; (x) m (a) / (b) 1 (c) = (d) r (e)", "mx; (x) m/1=r (a) (b) (c) (d) (e)"},
        {"mx; m=r reason=\"a\\\"b\"", "mx; m=r reason=\"a\\\"b\""},
        {"mx; m=r reason = token p.n=v", "mx; m=r reason=\"token\" p.n=v"},
        {"mx; m=r (1) reason (2) = (3) x (4) p (5) . (6) n (7) = (8) v (9) ; o=k",
         "mx; m=r (1) (2) (3) reason=\"x\" (4) (5) (6) (7) (8) p.n=v (9); o=k"},
        {"mx; m=r reason.n=v", "mx; m=r reason.n=v"},
        {"mx; m=r p.n=\"a\"q.o=b", "mx; m=r p.n=a q.o=b"},
        {"mx; m=r p.n=\"a b\"@c.d", "mx; m=r p.n=\"a b\"@c.d"},
        {"mx; m=r p.n=@c.d p.n=a/b=c@d.e", "mx; m=r p.n=@c.d p.n=a/b=c@d.e"},
        {"mx; none=r", "mx; none=r"},
        {"mx; none/1=r; none=q", "mx; none/1=r; none=q"},
        {"mx;\n\tm=r\r\n p.n=\"a\n b\"", "mx; m=r p.n=\"a b\""},
        {"mx; m=r (a (b (c)) \\) ;=\n d)", "mx; m=r (a \\(b \\(c\\)\\) \\) ;= d)"},
        {"b\xc3\xbc.example; m=r p.n=b\xc3\xbc.example",
         "\"b\xc3\xbc.example\"; m=r p.n=b\xc3\xbc.example"},
        {"mx;m=r;m=r;m=q", "mx; m=r; m=r; m=q"},
        {"mx 999999999; m=r", "mx 999999999; m=r"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_written(parse(rows[i].read), rows[i].written);
}

/* Errors, and the octet at which each is found. */
static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *read;
        size_t offset;
        const char *expected;
    } rows[] = {
        {"", 0, "an authserv-id"},
        {"; m=r", 0, "an authserv-id"},
        {"mx", 2, "a semicolon"},
        {"mx;", 3, "a method or \"none\""},
        {"mx; m=r;", 8, "a method"},
        {"mx;;m=r", 3, "a method or \"none\""},
        {"mx; none; m=r", 8, "the end after \"none\""},
        {"mx; m=r; none", 13, "an equals sign after the method"},
        {"mx x; m=r", 3, "a semicolon"},
        {"mx1 1x; m=r", 5, "a semicolon"},
        {"mx 1234567890; m=r", 12, "a version of at most nine digits"},
        {"mx; m", 5, "an equals sign after the method"},
        {"mx; m=", 6, "a result"},
        {"mx; m-=r", 6, "a method or \"none\""},
        {"mx; m/=r", 6, "a version number"},
        {"mx; m=r x", 9, "a dot between ptype and property"},
        {"mx; m=r,", 7, "a blank or a semicolon"},
        {"mx; m=r ,", 8, "a reason, a property or a semicolon"},
        {"mx; m=r p.n", 11, "an equals sign after the property"},
        {"mx; m=r p.n=", 12, "a value: token, quoted string or address"},
        {"mx; m=r p.=v", 10, "a property name"},
        {"mx; m=r p.n=a/b", 12, "a value: token, quoted string or address"},
        {"mx; m=r p.n=a@", 14, "a domain name"},
        {"mx; m=r p.n=user@localhost", 17, "a domain name"},
        {"mx; m=r p.n=a..b@c.d", 12, "a local part"},
        {"mx; m=r p.n=v reason=x", 20, "a dot between ptype and property"},
        {"mx; m=r reason=", 15, "the reason"},
        {"mx; m=r reason=x reason=y", 23, "a dot between ptype and property"},
        {"mx; m=r reason=\"x\"p.n=v", 18, "a blank or a semicolon"},
        {"mx; m=r (a", 10, "a closing parenthesis"},
        {"mx; m=r (a\\", 11, "a character after the backslash"},
        {"mx; m=r reason=\"a", 17, "a closing quote"},
        {"mx; m=r reason=\"a\\", 18, "a character after the backslash"},
        {"mx; m=r\nX: y", 8, "a blank after a line end"},
        {"mx; m=r\r p.n=v", 7, "a line feed after a carriage return"},
        {"mx; m=r (\x01)", 9, "text without control characters"},
        {"mx; m=r (\xff)", 9, "well-formed UTF-8"},
        {"mx; m=r (\xc2\x85)", 9, "text without control characters"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ar_parse_error error = {AR_OK, 0, NULL};
        assert_null(ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), NULL, &error));
        assert_int_equal(error.status, AR_SYNTAX);
        assert_string_equal(error.expected, rows[i].expected);
        assert_int_equal(error.offset, rows[i].offset);
        assert_null(ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), NULL, NULL));
    }
}

static void nul_is_an_error(void **state)
{
    (void)state;
    struct ar_parse_error error;
    assert_null(ar_header_parse(NULL, LIT("mx; none\0"), NULL, &error));
    assert_int_equal(error.offset, 8);
    assert_null(ar_header_parse(NULL, LIT("mx; m=r reason=\"\0\""), NULL, &error));
    assert_int_equal(error.offset, 16);
}

/* The examples of RFC 8601 appendix B, in their shape. */
static void accessors(void **state)
{
    (void)state;
    struct ar_header *h =
        parse(" foo.example.net (foobar) 1 (baz);\r\n"
              "  dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
              "   policy (A dot can go here) . (like that) expired\r\n"
              "  (this surprised me) = (as I wasn't expecting it) 1362471462\r\n");
    assert_text(ar_header_id(h), LIT("foo.example.net"));
    assert_int_equal(ar_header_version(h), 1);
    assert_int_equal(ar_header_comment_count(h), 2);
    assert_text(ar_comment_text(ar_header_comment(h, 1)), LIT("baz"));
    assert_int_equal(ar_comment_place(ar_header_comment(h, 0)), AR_AFTER_ID);
    assert_int_equal(ar_comment_place(ar_header_comment(h, 1)), AR_AFTER_VERSION);
    assert_null(ar_header_comment(h, 2));
    assert_int_equal(ar_header_result_count(h), 1);
    assert_null(ar_header_result(h, 1));
    const struct ar_result *r = ar_header_result(h, 0);
    assert_string_equal(ar_result_method(r), "dkim");
    assert_int_equal(ar_result_method_version(r), 1);
    assert_string_equal(ar_result_word(r), "fail");
    assert_null(ar_result_reason(r).ptr);
    assert_int_equal(ar_result_comment_count(r), 7);
    assert_null(ar_result_comment(r, 7));
    assert_int_equal(ar_result_property_count(r), 1);
    assert_null(ar_result_property(r, 1));
    const struct ar_property *p = ar_result_property(r, 0);
    assert_string_equal(ar_property_ptype(p), "policy");
    assert_string_equal(ar_property_name(p), "expired");
    assert_text(ar_property_value(p), LIT("1362471462"));
    ar_header_free(h);

    h = parse("mx; m=r p.a=1 (x) p.b=2 (y)");
    r = ar_header_result(h, 0);
    assert_int_equal(ar_result_method_version(r), -1);
    assert_int_equal(ar_header_version(h), -1);
    assert_int_equal(ar_comment_place(ar_result_comment(r, 1)), AR_AFTER_PROPERTY);
    assert_int_equal(ar_comment_property(ar_result_comment(r, 1)), 1);
    ar_header_free(h);
}

static void limits(void **state)
{
    (void)state;
    struct ar_parse_error error;
    char *big = malloc(AR_PARSE_MAX + 1);
    memset(big, '(', AR_PARSE_MAX + 1);
    assert_null(ar_header_parse(NULL, big, AR_PARSE_MAX + 1, NULL, &error));
    assert_int_equal(error.status, AR_TOO_LONG);
    assert_null(ar_header_parse(NULL, big, AR_PARSE_MAX, NULL, &error));
    assert_int_equal(error.status, AR_SYNTAX);
    memcpy(big, "m", 1);
    for (size_t i = 1; i + 6 <= AR_PARSE_MAX; i += 6)
        memcpy(big + i, ";a=b()", 6);
    size_t len = 1 + (AR_PARSE_MAX - 1) / 6 * 6;
    struct ar_header *h = ar_header_parse(NULL, big, len, NULL, &error);
    assert_non_null(h);
    assert_int_equal(ar_header_result_count(h), len / 6);
    char *text;
    assert_int_equal(ar_header_format(h, NULL, &text, NULL), AR_OK);
    ar_free(NULL, text);
    ar_header_free(h);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalised), cmocka_unit_test(errors), cmocka_unit_test(nul_is_an_error),
        cmocka_unit_test(accessors),  cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
