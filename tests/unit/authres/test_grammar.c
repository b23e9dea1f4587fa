#include "support.h"

/*
 * Each production of RFC 8601 section 2.2, of what it borrows (RFC 2045 section 5.1, RFC 5321
 * section 4.1.2, RFC 5322 section 3.2, RFC 6376 section 3.5, RFC 6532 section 3.1) and of
 * RFC 8617 section 4.1: what it takes, written again in one line, and what it refuses (AR-01).
 */

static void takes_as(enum ar_kind kind, const char *read, const char *written)
{
    struct ar_parse_options options = {.kind = kind};
    struct ar_parse_error error;
    struct ar_header *header = ar_header_parse(NULL, read, strlen(read), &options, &error);

    if (header == NULL)
        print_error("octet %zu: expected %s\nin %s\n", error.offset, error.expected, read);
    assert_non_null(header);
    assert_written(header, written);
    /* The lenient reader has the same grammar. */
    options.lenient = true;
    header = ar_header_parse(NULL, read, strlen(read), &options, NULL);
    assert_non_null(header);
    for (size_t i = 0; i < ar_header_forgiven_count(header); i++)
        assert_int_equal(ar_header_forgiven(header, i).pardon, AR_PARDON_UNREGISTERED);
    assert_written(header, written);
}

static void takes(const char *read, const char *written)
{
    takes_as(AR_KIND_ANY, read, written);
}

static void refuses_as(enum ar_kind kind, const char *read, size_t offset, const char *expected)
{
    struct ar_parse_options options = {.kind = kind};
    struct ar_parse_error error = {AR_OK, 0, NULL};

    assert_null(ar_header_parse(NULL, read, strlen(read), &options, &error));
    assert_int_equal(error.status, AR_SYNTAX);
    assert_string_equal(error.expected, expected);
    assert_int_equal(error.offset, offset);
}

static void refuses(const char *read, size_t offset, const char *expected)
{
    refuses_as(AR_KIND_ANY, read, offset, expected);
}

/* [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS] */
static void authres_payload(void **state)
{
    (void)state;
    takes("mx;none", "mx; none");
    takes("(a)\r\n mx (b) 1 (c) ; none (d) \r\n", "(a) mx (b) 1 (c); none (d)");
    takes("mx; m=r; n=s; o=t", "mx; m=r; n=s; o=t");
    refuses("mx", 2, "a semicolon");
    refuses("mx;", 3, "a method or \"none\"");
    refuses("mx; m=r;", 8, "a method");
    refuses("mx m=r", 3, "a semicolon");
}

/* authserv-id = value */
static void authserv_id(void **state)
{
    (void)state;
    takes("mx.example.org; none", "mx.example.org; none");
    takes("\"mx.example.org\"; none", "mx.example.org; none");
    takes("\"a b;c\"; none", "\"a b;c\"; none");
    takes("\"\"; none", "\"\"; none");
    takes("b\xc3\xbc.example; none", "\"b\xc3\xbc.example\"; none");
    refuses("", 0, "an authserv-id");
    refuses("; none", 0, "an authserv-id");
    refuses("[192.0.2.1]; none", 0, "an authserv-id");
    refuses("host:25; none", 4, "a semicolon");
    refuses("a b; none", 2, "a semicolon");
    refuses("\"a\"b; none", 3, "a semicolon");
}

/* authres-version = 1*DIGIT [CFWS] */
static void authres_version(void **state)
{
    (void)state;
    takes("mx 1; none", "mx 1; none");
    takes("mx(a)0(b); none", "mx (a) 0 (b); none");
    takes("mx 012; none", "mx 12; none");
    takes("mx 999999999; none", "mx 999999999; none");
    refuses("mx 1234567890; none", 12, "a version of at most nine digits");
    refuses("mx 1.0; none", 4, "a semicolon");
    refuses("mx -1; none", 3, "a semicolon");
    refuses("mx 1 1; none", 5, "a semicolon");
    refuses("\"mx\"1; none", 4, "a semicolon");
}

/* no-result = [CFWS] ";" [CFWS] "none" */
static void no_result(void **state)
{
    (void)state;
    takes("mx ;none", "mx; none");
    takes("mx (a) ; (b) NonE", "mx (a); none (b)");
    refuses("mx; none; m=r", 8, "the end after \"none\"");
    refuses("mx; none;", 8, "the end after \"none\"");
    refuses("mx; none p.n=v", 9, "the end after \"none\"");
    refuses("mx; m=r; none", 13, "an equals sign after the method");
    takes("mx; none=r", "mx; none=r");
}

/* resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ] */
static void resinfo(void **state)
{
    (void)state;
    takes("mx;m=r", "mx; m=r");
    takes("mx (a); m=r (b) reason=x (c) p.n=v (d)", "mx (a); m=r (b) reason=\"x\" (c) p.n=v (d)");
    takes("mx; m=r(a)p.n=v", "mx; m=r (a) p.n=v");
    takes("mx; m=r p.n=v q.o=w", "mx; m=r p.n=v q.o=w");
    takes("mx; m=r reason=x", "mx; m=r reason=\"x\"");
    refuses("mx; m=r reason=\"x\"p.n=v", 18, "a blank or a semicolon");
    refuses("mx; m=r,p.n=v", 7, "a blank or a semicolon");
    refuses("mx; m=r\"x\"", 7, "a blank or a semicolon");
    refuses("mx; m=r p.n=v reason=x", 20, "a dot between ptype and property");
    refuses("mx; m=r reason=x reason=y", 23, "a dot between ptype and property");
    refuses("mx, m=r", 2, "a semicolon");
}

/* methodspec = [CFWS] method [CFWS] "=" [CFWS] result */
static void methodspec(void **state)
{
    (void)state;
    takes("mx; m=r", "mx; m=r");
    takes("mx; (a) m (b) = (c) r", "mx; (a) m=r (b) (c)");
    takes("mx;\n m\n =\n r", "mx; m=r");
    refuses("mx; m", 5, "an equals sign after the method");
    refuses("mx; m r", 6, "an equals sign after the method");
    refuses("mx; =r", 4, "a method or \"none\"");
    refuses("mx; m=", 6, "a result");
    refuses("mx; m==r", 6, "a result");
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value */
static void reasonspec(void **state)
{
    (void)state;
    takes("mx; m=r reason=x", "mx; m=r reason=\"x\"");
    takes("mx; m=r REASON (a) = (b) \"x y\"", "mx; m=r (a) (b) reason=\"x y\"");
    takes("mx; m=r reason=\"\"", "mx; m=r reason=\"\"");
    takes("mx; m=r reason=100", "mx; m=r reason=\"100\"");
    takes("mx; m=r reason.x=y", "mx; m=r reason.x=y");
    refuses("mx; m=r reason=", 15, "the reason");
    refuses("mx; m=r reason=;", 15, "the reason");
    refuses("mx; m=r reason", 14, "a dot between ptype and property");
    refuses("mx; m=r reason=a/b", 16, "a blank or a semicolon");
    refuses("mx; m=r reason=\xc3\xbc", 15, "the reason");
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue */
static void propspec(void **state)
{
    (void)state;
    takes("mx; m=r p.n=v", "mx; m=r p.n=v");
    takes("mx; m=r p (a) . (b) n (c) =v", "mx; m=r (a) (b) (c) p.n=v");
    refuses("mx; m=r p", 9, "a dot between ptype and property");
    refuses("mx; m=r p=v", 9, "a dot between ptype and property");
    refuses("mx; m=r p..n=v", 10, "a property name");
    refuses("mx; m=r p.n", 11, "an equals sign after the property");
    refuses("mx; m=r p.n.o=v", 11, "an equals sign after the property");
    refuses("mx; m=r .n=v", 8, "a reason, a property or a semicolon");
    refuses("mx; m=r reason=x .n=v", 17, "a property or a semicolon");
}

/* method = Keyword [ [CFWS] "/" [CFWS] method-version ] */
static void method(void **state)
{
    (void)state;
    takes("mx; x-m/1=r", "mx; x-m/1=r");
    takes("mx; m (a) / (b) 1=r", "mx; m/1=r (a) (b)");
    refuses("mx; m_n=r", 5, "an equals sign after the method");
    refuses("mx; m.n=r", 5, "an equals sign after the method");
    refuses("mx; \"m\"=r", 4, "a method or \"none\"");
    refuses("mx; m=r; \"m\"=r", 9, "a method");
}

/* method-version = 1*DIGIT [CFWS] */
static void method_version(void **state)
{
    (void)state;
    takes("mx; m/0=r", "mx; m/0=r");
    takes("mx; m/23 (a) =r", "mx; m/23=r (a)");
    refuses("mx; m/=r", 6, "a version number");
    refuses("mx; m/x=r", 6, "a version number");
    refuses("mx; m/1x=r", 7, "an equals sign after the method");
    refuses("mx; m/1234567890=r", 15, "a version of at most nine digits");
}

/* result = Keyword */
static void result(void **state)
{
    (void)state;
    takes("mx; m=Pass", "mx; m=Pass");
    takes("mx; m=1", "mx; m=1");
    takes("mx; m=-x-1", "mx; m=-x-1");
    refuses("mx; m=\"r\"", 6, "a result");
    refuses("mx; m=r_s", 7, "a blank or a semicolon");
    refuses("mx; m=r-", 8, "a result");
}

/* ptype = Keyword */
static void ptype(void **state)
{
    (void)state;
    takes("mx; m=r x-p9.n=v", "mx; m=r x-p9.n=v");
    refuses("mx; m=r p_q.n=v", 9, "a dot between ptype and property");
    refuses("mx; m=r p-.n=v", 10, "a reason, a property or a semicolon");
    refuses("mx; m=r \"p\".n=v", 8, "a reason, a property or a semicolon");
}

/* property = special-smtp-verb / Keyword; special-smtp-verb = "mailfrom" / "rcptto" */
static void property(void **state)
{
    (void)state;
    takes("mx; m=r smtp.mailfrom=v smtp.rcptto=w smtp.8bitmime=x",
          "mx; m=r smtp.mailfrom=v smtp.rcptto=w smtp.8bitmime=x");
    refuses("mx; m=r p.n_o=v", 11, "an equals sign after the property");
    refuses("mx; m=r p.n-=v", 12, "a property name");
    refuses("mx; m=r p.=v", 10, "a property name");
}

/* pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) ) [CFWS] */
static void pvalue(void **state)
{
    (void)state;
    takes("mx; m=r p.n= (a) v (b)", "mx; m=r (a) p.n=v (b)");
    takes("mx; m=r p.n=\"v w\"", "mx; m=r p.n=\"v w\"");
    takes("mx; m=r p.n=\"\"", "mx; m=r p.n=\"\"");
    takes("mx; m=r p.n=\"a\"q.o=b", "mx; m=r p.n=a q.o=b");
    takes("mx; m=r p.n=example.com", "mx; m=r p.n=example.com");
    takes("mx; m=r p.n=@example.com", "mx; m=r p.n=@example.com");
    takes("mx; m=r p.n=u@example.com", "mx; m=r p.n=u@example.com");
    refuses("mx; m=r p.n=", 12, "a value: token, quoted string or address");
    refuses("mx; m=r p.n=;", 12, "a value: token, quoted string or address");
    refuses("mx; m=r p.n=<u@example.com>", 12, "a value: token, quoted string or address");
    refuses("mx; m=r p.n=2001:db8::1", 16, "a property or a semicolon");
    refuses("mx; m=r p.n=u@example.com@x", 25, "a property or a semicolon");
}

/* Keyword = Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig */
static void keyword(void **state)
{
    (void)state;
    takes("mx; a-9=0Z", "mx; a-9=0Z");
    takes("mx; ---a=b", "mx; ---a=b");
    refuses("mx; a-=b", 6, "a method or \"none\"");
    refuses("mx; -=b", 5, "a method or \"none\"");
    refuses("mx; a+=b", 5, "an equals sign after the method");
    refuses("mx; \xc3\xa4=b", 4, "a method or \"none\"");
}

/* value = token / quoted-string; token is all of ASCII but blanks, controls and tspecials */
static void value_and_token(void **state)
{
    (void)state;
    takes("mx; m=r p.n=!#$%&'*+-.^_`{|}~09azAZ", "mx; m=r p.n=!#$%&'*+-.^_`{|}~09azAZ");
    for (const char *special = "()<>@,;:\\/[]?="; *special != '\0'; special++) {
        char text[] = "?; none";
        text[0] = *special;
        struct ar_parse_error error;
        assert_null(ar_header_parse(NULL, text, strlen(text), NULL, &error));
        assert_int_equal(error.status, AR_SYNTAX);
        assert_int_equal(error.offset, *special == '(' ? strlen(text) : 0);
    }
}

/* quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE; qcontent = qtext / quoted-pair */
static void quoted_string(void **state)
{
    (void)state;
    takes("mx; m=r p.n=\"; x=y (\"", "mx; m=r p.n=\"; x=y (\"");
    takes("mx; m=r p.n=\"a\r\n\tb\n c\"", "mx; m=r p.n=\"a\tb c\"");
    takes("mx; m=r p.n=\" \xe2\x82\xac \"", "mx; m=r p.n=\" \xe2\x82\xac \"");
    refuses("mx; m=r p.n=\"a", 14, "a closing quote");
    refuses("mx; m=r p.n=\"a\nb\"", 15, "a blank after a line end");
    refuses("mx; m=r p.n=\"a\rb\"", 14, "a line feed after a carriage return");
    refuses("mx; m=r p.n=\"a\x7f\"", 14, "text without control characters");
}

/* quoted-pair = "\" (VCHAR / WSP) */
static void quoted_pair(void **state)
{
    (void)state;
    takes("mx; m=r p.n=\"\\\"\\\\\\a\\ \\\xc3\xa9\"", "mx; m=r p.n=\"\\\"\\\\a \xc3\xa9\"");
    takes("mx; m=r (\\(\\)\\\\\\a)", "mx; m=r (\\(\\)\\\\a)");
    refuses("mx; m=r p.n=\"\\", 14, "a character after the backslash");
    refuses("mx; m=r p.n=\"\\\n \"", 14, "a character after the backslash");
    refuses("mx; m=r (\\\r\n )", 10, "a character after the backslash");
    refuses("mx; m=r (\\\x01)", 10, "text without control characters");
    refuses("mx; m=r p.n=\\a", 12, "a value: token, quoted string or address");
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; ccontent = ctext / quoted-pair / comment */
static void comment(void **state)
{
    (void)state;
    takes("mx; m=r ()", "mx; m=r ()");
    takes("mx; m=r (a(b(c)d)e)(f)", "mx; m=r (a\\(b\\(c\\)d\\)e) (f)");
    takes("mx; m=r (\"\n ;)", "mx; m=r (\" ;)");
    takes("mx; m=r (\xf0\x9f\x93\xa7)", "mx; m=r (\xf0\x9f\x93\xa7)");
    refuses("mx; m=r (a(b)", 13, "a closing parenthesis");
    refuses("mx; m=r (\"a)\")", 12, "a reason, a property or a semicolon");
    refuses("mx; m=r )", 8, "a reason, a property or a semicolon");
}

/* CFWS = (1*([FWS] comment) [FWS]) / FWS; FWS = ([*WSP CRLF] 1*WSP), here LF as well */
static void cfws_and_fws(void **state)
{
    (void)state;
    takes("\t mx\t \r\n\t1\n \n ;\tnone\n", "mx 1; none");
    takes("\r\n mx(a)\r\n (b)\r\n ; none", "mx (a) (b); none");
    refuses("mx\n; none", 3, "a blank after a line end");
    refuses("mx\r\n\r\n ; none", 4, "a blank after a line end");
    refuses("mx \r; none", 3, "a line feed after a carriage return");
    refuses("mx; none\r", 8, "a line feed after a carriage return");
    refuses("mx\f; none", 2, "a semicolon");
}

/* local-part = dot-string / quoted-string, with UTF-8 (RFC 6531 section 3.3) */
static void local_part(void **state)
{
    (void)state;
    takes("mx; m=r p.n=a.b+c=d/e@f.gh", "mx; m=r p.n=a.b+c=d/e@f.gh");
    takes("mx; m=r p.n=\"a b\\\"\"@c.de", "mx; m=r p.n=\"a b\\\"\"@c.de");
    takes("mx; m=r p.n=j\xc3\xb6@c.de", "mx; m=r p.n=j\xc3\xb6@c.de");
    refuses("mx; m=r p.n=.a@c.de", 12, "a local part");
    refuses("mx; m=r p.n=a.@c.de", 12, "a local part");
    refuses("mx; m=r p.n=a..b@c.de", 12, "a local part");
    refuses("mx; m=r p.n=a=b", 12, "a value: token, quoted string or address");
}

/* domain-name = sub-domain 1*("." sub-domain), with U-labels (RFC 8616 section 4) */
static void domain_name(void **state)
{
    (void)state;
    takes("mx; m=r p.n=@a-b.c9", "mx; m=r p.n=@a-b.c9");
    takes("mx; m=r p.n=b\xc3\xbc.de", "mx; m=r p.n=b\xc3\xbc.de");
    takes("mx; m=r p.n=u@b\xc3\xbc.de", "mx; m=r p.n=u@b\xc3\xbc.de");
    refuses("mx; m=r p.n=u@", 14, "a domain name");
    refuses("mx; m=r p.n=u@localhost", 14, "a domain name");
    refuses("mx; m=r p.n=u@a..b", 14, "a domain name");
    refuses("mx; m=r p.n=u@a.b.", 14, "a domain name");
    refuses("mx; m=r p.n=u@-a.b", 14, "a domain name");
    refuses("mx; m=r p.n=u@a_b.c", 14, "a domain name");
    refuses("mx; m=r p.n=u@[192.0.2.1]", 14, "a domain name");
}

/* UTF8-non-ascii (RFC 6532 section 3.1), well formed and without C1 controls */
static void utf8_non_ascii(void **state)
{
    (void)state;
    takes("\xf4\x8f\xbf\xbf; none", "\"\xf4\x8f\xbf\xbf\"; none");
    refuses("\xff; none", 0, "well-formed UTF-8");
    refuses("mx; m=r (\xc0\xaf)", 9, "well-formed UTF-8");
    refuses("mx; m=r (\xed\xa0\x80)", 9, "well-formed UTF-8");
    refuses("mx; m=r (\xf4\x90\x80\x80)", 9, "well-formed UTF-8");
    refuses("mx; m=r (\xe2\x82", 9, "well-formed UTF-8");
    refuses("mx; m=r p.n=\"\xc2\x9f\"", 13, "text without control characters");
}

/* arc-info = instance [CFWS] ";" authres-payload */
static void arc_info(void **state)
{
    (void)state;
    takes_as(AR_KIND_ARC, "i=1; mx 1; m=r p.n=v; o=s", "i=1; mx 1; m=r p.n=v; o=s");
    takes_as(AR_KIND_ARC, "i=1;\n mx; none", "i=1; mx; none");
    takes_as(AR_KIND_AR, "mx; none", "mx; none");
    refuses_as(AR_KIND_ARC, "mx; none", 0, "an instance, \"i=\"");
    refuses_as(AR_KIND_AR, "i=1; mx; none", 0, "an authserv-id and no instance");
    refuses("i=1 mx; none", 4, "a semicolon after the instance");
    refuses("i=1; none", 9, "a semicolon");
}

/* instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position */
static void instance(void **state)
{
    (void)state;
    takes("(a) i (b) = (c) 1 (d) ; (e) mx; none", "i=1; (a) (b) (c) (d) (e) mx; none");
    refuses_as(AR_KIND_ARC, "I=1; mx; none", 0, "an instance, \"i=\"");
    refuses_as(AR_KIND_ARC, "ii=1; mx; none", 0, "an instance, \"i=\"");
    refuses_as(AR_KIND_ARC, "\"i\"=1; mx; none", 0, "an instance, \"i=\"");
}

/* position = 1*2DIGIT, 1 to 50 */
static void position(void **state)
{
    (void)state;
    takes("i=1; mx; none", "i=1; mx; none");
    takes("i=09; mx; none", "i=9; mx; none");
    takes("i=50; mx; none", "i=50; mx; none");
    refuses("i=0; mx; none", 2, "an instance from 1 to 50");
    refuses("i=51; mx; none", 2, "an instance from 1 to 50");
    refuses("i=001; mx; none", 2, "an instance from 1 to 50");
    refuses("i=; mx; none", 2, "an instance from 1 to 50");
    refuses("i=x; mx; none", 2, "an instance from 1 to 50");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authres_payload), cmocka_unit_test(authserv_id),
        cmocka_unit_test(authres_version), cmocka_unit_test(no_result),
        cmocka_unit_test(resinfo),         cmocka_unit_test(methodspec),
        cmocka_unit_test(reasonspec),      cmocka_unit_test(propspec),
        cmocka_unit_test(method),          cmocka_unit_test(method_version),
        cmocka_unit_test(result),          cmocka_unit_test(ptype),
        cmocka_unit_test(property),        cmocka_unit_test(pvalue),
        cmocka_unit_test(keyword),         cmocka_unit_test(value_and_token),
        cmocka_unit_test(quoted_string),   cmocka_unit_test(quoted_pair),
        cmocka_unit_test(comment),         cmocka_unit_test(cfws_and_fws),
        cmocka_unit_test(local_part),      cmocka_unit_test(domain_name),
        cmocka_unit_test(utf8_non_ascii),  cmocka_unit_test(arc_info),
        cmocka_unit_test(instance),        cmocka_unit_test(position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
