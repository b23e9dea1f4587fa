#include "support.h"

/*
 * What real headers do wrong, what becomes of it and what is noted (AR-05, AR-08, AR-09).
 * A header is shown as one line: "i=N id|VERSION" and, after each ";", a result in the form
 * "method/version=word", "r<reason>", "ptype.name<value>" and "(comment)" in its order of lists.
 */

struct row {
    const char *read, *values;
    struct ar_forgiven forgiven[8]; /* ends with a pardon of 0 */
};

#define P(pardon) AR_PARDON_##pardon

/* A growing line. */
struct line {
    char text[4096];
    size_t len;
};

static void put(struct line *line, const char *before, const char *ptr, size_t len,
                const char *after)
{
    int n = snprintf(line->text + line->len, sizeof(line->text) - line->len, "%s%.*s%s", before,
                     (int)len, ptr, after);
    assert_true(n >= 0 && (size_t)n < sizeof(line->text) - line->len);
    line->len += (size_t)n;
}

static void put_comment(struct line *line, const struct ar_comment *comment)
{
    struct ar_text text = ar_comment_text(comment);
    put(line, " (", text.ptr, text.len, ")");
}

static void put_number(struct line *line, const char *before, long number)
{
    char digits[24];
    if (number >= 0)
        put(line, before, digits, (size_t)snprintf(digits, sizeof(digits), "%ld", number), "");
}

static void put_result(struct line *line, const struct ar_result *result)
{
    put(line, "; ", ar_result_method(result), strlen(ar_result_method(result)), "");
    put_number(line, "/", ar_result_method_version(result));
    put(line, "=", ar_result_word(result), strlen(ar_result_word(result)), "");
    struct ar_text reason = ar_result_reason(result);
    if (reason.ptr != NULL)
        put(line, " r<", reason.ptr, reason.len, ">");
    for (size_t i = 0; i < ar_result_property_count(result); i++) {
        const struct ar_property *property = ar_result_property(result, i);
        struct ar_text value = ar_property_value(property);
        put(line, " ", ar_property_ptype(property), strlen(ar_property_ptype(property)), ".");
        put(line, "", ar_property_name(property), strlen(ar_property_name(property)), "");
        put(line, "<", value.ptr, value.len, ">");
    }
    for (size_t i = 0; i < ar_result_comment_count(result); i++)
        put_comment(line, ar_result_comment(result, i));
}

static void show(struct line *line, const struct ar_header *header)
{
    struct ar_text id = ar_header_id(header);

    line->len = 0;
    if (ar_header_instance(header) > 0) {
        put_number(line, "i=", (long)ar_header_instance(header));
        put(line, " ", "", 0, "");
    }
    put(line, "", id.ptr == NULL ? "-" : id.ptr, id.ptr == NULL ? 1 : id.len, "");
    put_number(line, "|", ar_header_version(header));
    for (size_t i = 0; i < ar_header_comment_count(header); i++)
        put_comment(line, ar_header_comment(header, i));
    for (size_t i = 0; i < ar_header_result_count(header); i++)
        put_result(line, ar_header_result(header, i));
}

static void assert_forgiven(const struct ar_header *header, const struct ar_forgiven *expected)
{
    size_t i = 0;

    for (; expected[i].pardon != 0; i++) {
        struct ar_forgiven one = ar_header_forgiven(header, i);
        if (one.pardon != expected[i].pardon || one.offset != expected[i].offset)
            print_error("note %zu: %s at %zu\n", i, ar_pardon_text(one.pardon), one.offset);
        assert_int_equal(one.pardon, expected[i].pardon);
        assert_int_equal(one.offset, expected[i].offset);
    }
    assert_int_equal(ar_header_forgiven_count(header), i);
    assert_int_equal(ar_header_forgiven(header, i).pardon, 0);
}

/* Reads each row, with `kind`, and asserts values and notes; strict refuses what has notes. */
static void assert_rows(const struct row *rows, size_t count, enum ar_kind kind)
{
    struct line line;

    for (size_t i = 0; i < count; i++) {
        struct ar_parse_options options = {.kind = kind, .lenient = true};
        struct ar_header *header =
            ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), &options, NULL);
        if (header == NULL)
            print_error("refused: %s\n", rows[i].read);
        assert_non_null(header);
        show(&line, header);
        assert_string_equal(line.text, rows[i].values);
        assert_forgiven(header, rows[i].forgiven);
        bool fine =
            rows[i].forgiven[0].pardon == 0 || rows[i].forgiven[0].pardon == P(UNREGISTERED);
        options.lenient = false;
        struct ar_header *strict =
            ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), &options, NULL);
        assert_int_equal(strict != NULL, fine);
        ar_header_free(strict);
        ar_header_free(header);
    }
}

#define ROWS(rows) (rows), (sizeof(rows) / sizeof((rows)[0]))

/* Nothing to forgive, though some readers stumble over it. */
static void legal_ones(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"mx.microsoft.com 1; spf=pass", "mx.microsoft.com|1; spf=pass", {{0}}},
        {"host; none", "host", {{0}}},
        {"h; spf=pass (a;b \"c) smtp.helo=x", "h; spf=pass smtp.helo<x> (a;b \"c)", {{0}}},
        {"h; compauth=pass reason=100", "h; compauth=pass r<100>", {{0}}},
        {"h; x=y a.b=c", "h; x=y a.b<c>", {{0}}},
        {"h; spf=odd smtp.helo=x", "h; spf=odd smtp.helo<x>", {{0}}},
        {"h. 1; spf=pass", "h.|1; spf=pass", {{0}}},
        {"h; spf=pass smtp.mailfrom=\"a\"smtp.helo=b",
         "h; spf=pass smtp.mailfrom<a> smtp.helo<b>",
         {{0}}},
        {"h; spf=pass smtp.mailfrom= a=b@c.de", "h; spf=pass smtp.mailfrom<a=b@c.de>", {{0}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void without_id(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=a.com; dkim=none (message not signed)"
         " header.d=none;dmarc=pass action=none header.from=a.com;compauth=pass reason=100",
         "-; spf=pass smtp.mailfrom<a.com> (sender IP is 1.2.3.4);"
         " dkim=none header.d<none> (message not signed);"
         " dmarc=pass .action<none> header.from<a.com>; compauth=pass r<100>",
         {{P(NO_ID), 0}, {P(NO_PTYPE), 109}}},
        {" dkim / 1 = pass", "-; dkim/1=pass", {{P(NO_ID), 1}}},
        {"dkim(a)=(b)pass", "-; dkim=pass (a) (b)", {{P(NO_ID), 0}}},
        {"none", "-", {{P(NO_ID), 0}}},
        {"x.y=z; spf=pass", "-; spf=pass", {{P(NO_ID), 0}, {P(SKIPPED), 0}}},
        {"\"spf\"=fail; dkim=pass", "-; dkim=pass", {{P(NO_ID), 0}, {P(SKIPPED), 0}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void ids(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[192.0.2.1]; spf=pass", "[192.0.2.1]; spf=pass", {{P(ID_FORM), 0}}},
        {"host:25; spf=pass", "host:25; spf=pass", {{P(ID_FORM), 0}}},
        {"a@b.example; spf=pass", "a@b.example; spf=pass", {{P(ID_FORM), 0}}},
        {"\"mx\".example; spf=pass", "\"mx\".example; spf=pass", {{P(ID_FORM), 0}}},
        {"mx\"; spf=fail\"x; spf=pass", "mx\"; spf=fail\"x; spf=pass", {{P(ID_FORM), 0}}},
        {"m\\x; spf=pass", "m\\x; spf=pass", {{P(ID_FORM), 0}}},
        {"a)b; spf=pass", "a)b; spf=pass", {{P(ID_FORM), 0}}},
        {"mx); spf=pass", "mx; spf=pass", {{P(STRAY), 2}}},
        {"(a)) mx; spf=pass", "mx (a); spf=pass", {{P(STRAY), 3}}},
        {"mx\xff; spf=pass", "mx\xef\xbf\xbd; spf=pass", {{P(ENCODING), 2}}},
        {"mx\x01; spf=pass", "mx; spf=pass", {{P(CONTROL), 2}}},
        {"\"mx", "mx", {{P(OPEN_QUOTE), 0}, {P(NO_RESULT), 3}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void versions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"mx foo; spf=pass", "mx; spf=pass", {{P(VERSION), 3}}},
        {"mx foo \";\" (c); spf=pass", "mx (c); spf=pass", {{P(VERSION), 3}}},
        {"mx 1 foo; spf=pass", "mx|1; spf=pass", {{P(VERSION), 5}}},
        {"mx 2.0; spf=pass", "mx|2; spf=pass", {{P(VERSION), 3}}},
        {"mx 1x; spf=pass", "mx|1; spf=pass", {{P(VERSION), 3}}},
        {"mx 1234567890; spf=pass", "mx|999999999; spf=pass", {{P(VERSION), 3}}},
        {"mta  from=a.com; domainkeys=neutral (no sig); from=a.com; dkim=neutral",
         "mta; domainkeys=neutral (no sig); from=a.com; dkim=neutral",
         {{P(VERSION), 5}, {P(NAME_FORM), 51}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void instances(void **state)
{
    (void)state;
    static const struct row any[] = {
        {"i=51; mx; spf=pass", "mx; spf=pass", {{P(INSTANCE), 2}}},
        {"i=0; mx; spf=pass", "mx; spf=pass", {{P(INSTANCE), 2}}},
        {"i=007; mx; spf=pass", "i=7 mx; spf=pass", {{P(INSTANCE), 2}}},
        {"i=; mx; spf=pass", "mx; spf=pass", {{P(INSTANCE), 2}}},
        {"I=2; mx; spf=pass", "i=2 mx; spf=pass", {{P(INSTANCE), 0}}},
        {"i=1 mx; spf=pass", "i=1 mx; spf=pass", {{P(INSTANCE), 4}}},
        {"i=1;; mx; spf=pass", "i=1 mx; spf=pass", {{P(EMPTY), 4}}},
        {"i=1; spf=pass", "i=1 -; spf=pass", {{P(NO_ID), 5}}},
        {"i=1; none", "i=1 -", {{P(NO_ID), 5}}},
    };
    static const struct row ar[] = {
        {"i=1; mx; spf=pass", "i=1 mx; spf=pass", {{P(INSTANCE), 0}}},
    };
    static const struct row arc[] = {
        {"mx; spf=pass", "mx; spf=pass", {{P(INSTANCE), 0}}},
        {"i; spf=pass", "i; spf=pass", {{P(INSTANCE), 0}}},
        {"spf=pass", "-; spf=pass", {{P(NO_ID), 0}, {P(INSTANCE), 0}}},
        {"i=1; mx.microsoft.com 1; spf=pass (sender ip is 1.2.3.4) smtp.rcpttodomain=b.com"
         " smtp.mailfrom=a.com; arc=none (0)",
         "i=1 mx.microsoft.com|1; spf=pass smtp.rcpttodomain<b.com> smtp.mailfrom<a.com>"
         " (sender ip is 1.2.3.4); arc=none (0)",
         {{P(UNREGISTERED), 57}}},
    };
    assert_rows(ROWS(any), AR_KIND_ANY);
    assert_rows(ROWS(ar), AR_KIND_AR);
    assert_rows(ROWS(arc), AR_KIND_ARC);
}

static void parts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"host", "host", {{P(NO_RESULT), 4}}},
        {"host;", "host", {{P(NO_RESULT), 5}}},
        {"host; (c)", "host (c)", {{P(NO_RESULT), 9}}},
        {"h; ;", "h", {{P(EMPTY), 1}, {P(NO_RESULT), 4}}},
        {"; h;; a=b ;;", "h; a=b", {{P(EMPTY), 0}, {P(EMPTY), 3}, {P(EMPTY), 10}, {P(EMPTY), 11}}},
        {"h; (c); (d) a=b; (e)", "h; a=b (c) (d) (e)", {{P(EMPTY), 1}, {P(EMPTY), 15}}},
        {"h; a=b; none; c=d", "h; a=b; c=d", {{P(NONE), 8}}},
        {"h; none (x); a=b", "h (x); a=b", {{P(NONE), 3}}},
        {"h; none; none", "h", {{P(NONE), 9}}},
        {"h; none;", "h", {{P(EMPTY), 7}}},
        {"h; none a=b; c=d", "h; c=d", {{P(NONE), 3}, {P(STRAY), 8}}},
        {"h; junk; a=b", "h; a=b", {{P(SKIPPED), 3}}},
        {"h; junk \";c=d\" (;e=f) x; a=b", "h; a=b", {{P(SKIPPED), 3}}},
        {"h; junk", "h", {{P(SKIPPED), 3}, {P(NO_RESULT), 7}}},
        {"h; a=; =b; a/x=c; c.d=e; f=g",
         "h; f=g",
         {{P(SKIPPED), 3}, {P(SKIPPED), 7}, {P(SKIPPED), 11}, {P(SKIPPED), 18}}},
        {"h; \"spf\"=pass; spf=\"pass\"; spf=pass\"x\"; a=b",
         "h; a=b",
         {{P(SKIPPED), 3}, {P(SKIPPED), 15}, {P(SKIPPED), 27}}},
        {"h; spf/1234567890=pass; a=b", "h; a=b", {{P(SKIPPED), 3}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void names(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"h; x_y=p_q a_b.c_d=e",
         "h; x_y=p_q a_b.c_d<e>",
         {{P(NAME_FORM), 3}, {P(NAME_FORM), 7}, {P(NAME_FORM), 11}, {P(NAME_FORM), 15}}},
        {"h; spf=pass- a-.b-=c",
         "h; spf=pass- a-.b-<c>",
         {{P(NAME_FORM), 7}, {P(NAME_FORM), 13}, {P(NAME_FORM), 16}}},
        {"h; spf=pass=fail", "h; spf=pass=fail", {{P(NAME_FORM), 7}}},
        {"h; spf=pass, dkim=fail",
         "h; spf=pass, .dkim<fail>",
         {{P(NAME_FORM), 7}, {P(NO_PTYPE), 13}}},
        {"h; spf=pass\xc3\xa9", "h; spf=pass\xc3\xa9", {{P(NAME_FORM), 7}}},
        {"h; spf=pass\xff", "h; spf=pass\xef\xbf\xbd", {{P(NAME_FORM), 7}, {P(ENCODING), 11}}},
        {"h; x=y a.b.c=d", "h; x=y a.b.c<d>", {{P(NAME_FORM), 9}}},
        {"h; spf=pass smtp.foo=1 x-a.b=2",
         "h; spf=pass smtp.foo<1> x-a.b<2>",
         {{P(UNREGISTERED), 12}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"h; dkim=pass header.b=ab/cd+== header.d=x",
         "h; dkim=pass header.b<ab/cd+==> header.d<x>",
         {{P(VALUE_FORM), 22}}},
        {"h; arc=pass smtp.remote-ip=2001:db8::1",
         "h; arc=pass smtp.remote-ip<2001:db8::1>",
         {{P(VALUE_FORM), 27}}},
        {"h; spf=pass smtp.mailfrom=<a@b>",
         "h; spf=pass smtp.mailfrom<<a@b>>",
         {{P(VALUE_FORM), 26}}},
        {"h; spf=pass smtp.mailfrom=a@b@c",
         "h; spf=pass smtp.mailfrom<a@b@c>",
         {{P(VALUE_FORM), 26}}},
        {"h; spf=pass smtp.mailfrom=\"a b\"@",
         "h; spf=pass smtp.mailfrom<\"a b\"@>",
         {{P(VALUE_FORM), 26}}},
        {"h; spf=pass smtp.mailfrom=", "h; spf=pass smtp.mailfrom<>", {{P(EMPTY_VALUE), 26}}},
        {"h; spf=pass smtp.mailfrom=; x=y",
         "h; spf=pass smtp.mailfrom<>; x=y",
         {{P(EMPTY_VALUE), 26}}},
        {"h; dkim=pass header.d= header.s=x header.b= y=z",
         "h; dkim=pass header.d<> header.s<x> header.b<> .y<z>",
         {{P(EMPTY_VALUE), 23}, {P(EMPTY_VALUE), 44}, {P(NO_PTYPE), 44}}},
        {"h; x=y reason= a.b=c", "h; x=y r<> a.b<c>", {{P(EMPTY_VALUE), 15}}},
        {"h; x=y reason=a/b:c", "h; x=y r<a/b:c>", {{P(VALUE_FORM), 14}}},
        {"h; x=y reason=\"x\"a.b=c", "h; x=y r<x> a.b<c>", {{P(NO_BLANK), 17}}},
        {"h; x=y a.b=c reason=d", "h; x=y r<d> a.b<c>", {{P(REASON), 13}}},
        {"h; x=y reason=a a.b=c reason=\"d e\"",
         "h; x=y r<a> a.b<c> .reason<d e>",
         {{P(REASON), 22}}},
        {"h; x=y reason=a Reason=b", "h; x=y r<a> .Reason<b>", {{P(REASON), 16}}},
        {"h; x=y a=b c", "h; x=y .a<b>", {{P(NO_PTYPE), 7}, {P(STRAY), 11}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void characters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"h; x=y reason=\"a; b=c", "h; x=y r<a; b=c>", {{P(OPEN_QUOTE), 14}}},
        {"h; x=y a.b=\"c; b=c", "h; x=y a.b<c; b=c>", {{P(OPEN_QUOTE), 11}}},
        {"h; x=y \"c; b=c", "h; x=y", {{P(OPEN_QUOTE), 7}, {P(STRAY), 7}}},
        {"h; x=y (a (b) ; b=c", "h; x=y (a (b) ; b=c)", {{P(OPEN_COMMENT), 7}}},
        {"h; x=y foo (a", "h; x=y (a)", {{P(STRAY), 7}, {P(OPEN_COMMENT), 11}}},
        {"h; x (a; b=c", "h", {{P(SKIPPED), 3}, {P(OPEN_COMMENT), 5}, {P(NO_RESULT), 12}}},
        {"h; x=y) a.b=c) ; d=e)",
         "h; x=y a.b<c>; d=e",
         {{P(STRAY), 6}, {P(STRAY), 13}, {P(STRAY), 20}}},
        {"h; x=y ,,, <> a.b=c", "h; x=y a.b<c>", {{P(STRAY), 7}, {P(STRAY), 11}}},
        {"h; x=y one two three", "h; x=y", {{P(STRAY), 7}}},
        {"h; x=y\ra.b=c\nd.e=f\r\ng.h=i",
         "h; x=y a.b<c> d.e<f> g.h<i>",
         {{P(LINE_END), 6}, {P(LINE_END), 12}, {P(LINE_END), 18}}},
        {"h; x=y reason=\"a\rb\nc\r\nd\n e\"",
         "h; x=y r<a b c d e>",
         {{P(LINE_END), 16}, {P(LINE_END), 18}, {P(LINE_END), 20}}},
        {"h;\x01\x02x=y (a\x7f\xc2\x85z)\x1f",
         "h; x=y (a  z)",
         {{P(CONTROL), 2}, {P(CONTROL), 10}, {P(CONTROL), 15}}},
        {"h; x=y a.b=c\xffz (\xc3\xc3\xa9\xe2\x82)",
         "h; x=y a.b<c\xef\xbf\xbdz> (\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd)",
         {{P(VALUE_FORM), 11}, {P(ENCODING), 12}, {P(ENCODING), 16}, {P(ENCODING), 19}}},
        {"h; x=y (a\\\n b)", "h; x=y (a b)", {{P(STRAY), 9}}},
        {"h; x=y (a\\", "h; x=y (a)", {{P(OPEN_COMMENT), 7}, {P(STRAY), 9}}},
    };
    assert_rows(ROWS(rows), AR_KIND_ANY);
}

static void nul_is_a_blank(void **state)
{
    (void)state;
    struct ar_parse_options options = {.lenient = true};
    struct line line;
    struct ar_header *header = ar_header_parse(NULL, LIT("h; x=y\0a.b=\"c\0d\"\0"), &options, NULL);
    assert_non_null(header);
    show(&line, header);
    assert_string_equal(line.text, "h; x=y a.b<c d>");
    static const struct ar_forgiven expected[] = {
        {P(CONTROL), 6}, {P(CONTROL), 13}, {P(CONTROL), 16}, {0}};
    assert_forgiven(header, expected);
    ar_header_free(header);
}

/* What gives neither id nor result, and ids that others may read differently. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *read;
        size_t offset;
        const char *expected;
    } rows[] = {
        {"", 0, "an authserv-id"},
        {" \r\n", 3, "an authserv-id"},
        {";;;", 3, "an authserv-id"},
        {"(mx; spf=pass", 13, "an authserv-id"},
        {")", 1, "an authserv-id"},
        {"=; x", 0, "an authserv-id"},
        {"\"a\"=; x", 0, "an authserv-id or a result"},
        {"mx.example.org .evil.example; spf=pass", 15, "a semicolon"},
        {"mx.example.org. evil.example; spf=pass", 16, "a semicolon"},
        {"mx.example.org(c).evil.example; spf=pass", 17, "a semicolon"},
        {"mx.example.org @evil.example; spf=pass", 15, "a semicolon"},
        {"mx.example.org\x01.evil.example; spf=pass", 15, "a semicolon"},
        {"mx.example.org\x01-evil; spf=pass", 15, "a semicolon"},
        {"mx.example.org\r-evil; spf=pass", 15, "a semicolon"},
        {"mx.example.org\r -evil; spf=pass", 16, "a semicolon"},
        {"mx.example.org\r\n-evil; spf=pass", 16, "a semicolon"},
        {"mx.example.org\x01"
         "1; spf=pass",
         15, "a semicolon"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ar_parse_options options = {.lenient = true};
        struct ar_parse_error error;
        assert_null(ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), &options, &error));
        assert_int_equal(error.status, AR_SYNTAX);
        assert_string_equal(error.expected, rows[i].expected);
        assert_int_equal(error.offset, rows[i].offset);
    }
}

/* What was read leniently is written where the grammar can carry it, and refused where not. */
static void written_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *read, *written;
        enum ar_status status;
    } rows[] = {
        {"[::1] x;; x=y reason=a/b a.b=c/d (e\x01\xff",
         "\"[::1]\"; x=y reason=\"a/b\""
         " a.b=\"c/d\" (e \xef\xbf\xbd)",
         AR_OK},
        {"h; none; a=b", "h; a=b", AR_OK},
        {"h", "h; none", AR_OK},
        {"spf=pass", NULL, AR_NO_ID},
        {"h; a_b=c", NULL, AR_BAD_TOKEN},
        {"h; a=b.c", NULL, AR_BAD_TOKEN},
        {"h; a=b c_d.e=f", NULL, AR_BAD_TOKEN},
        {"h; a=b c.d_e=f", NULL, AR_BAD_TOKEN},
        {"h; a=b action=none", NULL, AR_BAD_TOKEN},
        {"h; a=b reason=a reason=b", NULL, AR_BAD_TOKEN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ar_parse_options options = {.lenient = true};
        struct ar_header *header =
            ar_header_parse(NULL, rows[i].read, strlen(rows[i].read), &options, NULL);
        char *text = NULL;
        assert_non_null(header);
        if (rows[i].status == AR_OK) {
            assert_written(header, rows[i].written);
            continue;
        }
        assert_int_equal(ar_header_format(header, NULL, &text, NULL), rows[i].status);
        assert_null(text);
        ar_header_free(header);
    }
}

static void pardons_have_texts(void **state)
{
    (void)state;
    const char *unknown = ar_pardon_text(0);
    for (int i = AR_PARDON_NO_ID; i <= AR_PARDON_UNREGISTERED; i++)
        assert_string_not_equal(ar_pardon_text((enum ar_pardon)i), unknown);
    assert_string_equal(ar_pardon_text((enum ar_pardon)(AR_PARDON_UNREGISTERED + 1)), unknown);
    assert_string_equal(ar_pardon_text((enum ar_pardon) - 1), unknown);
}

/* Many notes, and notes far apart: memory and time stay linear, no note is lost. */
static void many_notes(void **state)
{
    (void)state;
    struct ar_parse_options options = {.lenient = true};
    char *big = malloc(AR_PARSE_MAX);
    memset(big, ';', AR_PARSE_MAX);
    big[0] = 'h';
    struct ar_header *header = ar_header_parse(NULL, big, AR_PARSE_MAX, &options, NULL);
    assert_non_null(header);
    /* All but the last one, behind which "none" is missing. */
    assert_int_equal(ar_header_forgiven_count(header), AR_PARSE_MAX - 1);
    ar_header_free(header);
    memcpy(big, "h;a=b ", 6);
    for (size_t i = 6; i + 2 <= AR_PARSE_MAX; i += 2)
        memcpy(big + i, i % 512 == 0 ? "\"," : "\x01,", 2);
    header = ar_header_parse(NULL, big, AR_PARSE_MAX, &options, NULL);
    assert_non_null(header);
    ar_header_free(header);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legal_ones),
        cmocka_unit_test(without_id),
        cmocka_unit_test(ids),
        cmocka_unit_test(versions),
        cmocka_unit_test(instances),
        cmocka_unit_test(parts),
        cmocka_unit_test(names),
        cmocka_unit_test(values),
        cmocka_unit_test(characters),
        cmocka_unit_test(nul_is_a_blank),
        cmocka_unit_test(refused),
        cmocka_unit_test(written_or_refused),
        cmocka_unit_test(pardons_have_texts),
        cmocka_unit_test(many_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
