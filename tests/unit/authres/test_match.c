#include "support.h"

/* AR-06, AR-07: finding properties, and the result that speaks of a signature. */

static struct ar_header *read_header(const char *value)
{
    struct ar_header *header = ar_header_parse(NULL, value, strlen(value), NULL, NULL);

    assert_non_null(header);
    return header;
}

static struct ar_text view(const char *text)
{
    return text == NULL ? (struct ar_text){NULL, 0} : (struct ar_text){text, strlen(text)};
}

/* How many results agree; the number of the one found must be `index` unless none is. */
static size_t match(const struct ar_header *header, const char *b, const char *s, const char *d,
                    size_t index)
{
    const struct ar_signature signature = {view(b), view(s), view(d)};
    const struct ar_result *found = ar_header_result(header, 0);
    size_t count = ar_match_signature(header, &signature, &found);

    if (count == 0)
        assert_null(found);
    else
        assert_ptr_equal(found, ar_header_result(header, index));
    return count;
}

static void method_and_word(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; DKIM=Pass; spf=softfail");
    const struct ar_result *dkim = ar_header_result(h, 0), *spf = ar_header_result(h, 1);
    assert_true(ar_result_is(dkim, "dkim", "pass"));
    assert_true(ar_result_is(dkim, "Dkim", NULL));
    assert_false(ar_result_is(dkim, "dkim", "fail"));
    assert_false(ar_result_is(dkim, "dkim-atps", "pass"));
    assert_false(ar_result_is(dkim, "dki", NULL));
    assert_false(ar_result_is(dkim, "", NULL));
    assert_false(ar_result_is(spf, "spf", "fail"));
    assert_false(ar_result_is(spf, "spf", ""));
    assert_false(ar_result_is(spf, "spf", "softfailed"));
    ar_header_free(h);
}

static void properties_by_name(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; dkim=pass header.i=@a.example header.d=d.example"
                                      " Header.I=@b.example smtp.i=c");
    const struct ar_result *r = ar_header_result(h, 0);
    assert_ptr_equal(ar_result_find(r, "header", "i", 0), ar_result_property(r, 0));
    assert_ptr_equal(ar_result_find(r, "HEADER", "I", 1), ar_result_property(r, 2));
    assert_null(ar_result_find(r, "header", "i", 2));
    assert_null(ar_result_find(r, "header", "i", SIZE_MAX));
    assert_ptr_equal(ar_result_find(r, "header", "d", 0), ar_result_property(r, 1));
    assert_ptr_equal(ar_result_find(r, "smtp", "i", 0), ar_result_property(r, 3));
    assert_null(ar_result_find(r, "smtp", "d", 0));
    assert_null(ar_result_find(r, "", "", 0));
    assert_null(ar_result_find(r, "header", "ii", 0));
    ar_header_free(h);
}

static void beginning_of_a_signature(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; spf=pass smtp.helo=a; dkim=fail header.b=abcdefgh;"
                                      " dkim=pass header.b=\"abcd/fgh+ij\"");
    assert_int_equal(match(h, "abcdefghijkl", NULL, NULL, 1), 1);
    assert_int_equal(match(h, "abcdefgh", NULL, NULL, 1), 1);
    assert_int_equal(match(h, " a b c\r\n\td e f g h i ", NULL, NULL, 1), 1);
    assert_int_equal(match(h, "abcd/fgh+ijkl==", NULL, NULL, 2), 1);
    /* One octet of header.b more than the signature has, other case, other octets. */
    assert_int_equal(match(h, "abcdefg", NULL, NULL, 0), 0);
    assert_int_equal(match(h, "Abcdefghijkl", NULL, NULL, 0), 0);
    assert_int_equal(match(h, "abcd/fgh+i", NULL, NULL, 0), 0);
    assert_int_equal(match(h, "", NULL, NULL, 0), 0);
    assert_int_equal(match(h, NULL, NULL, NULL, 0), 0);
    ar_header_free(h);
}

/* Fewer than eight octets mean a signature only when they are all of it (RFC 6008 section 4). */
static void short_header_b(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; dkim=pass header.b=abcdefg; dkim=fail header.b=\"\"");
    assert_int_equal(match(h, "abcdefgh", NULL, NULL, 0), 0);
    assert_int_equal(match(h, "abcdefg", NULL, NULL, 0), 1);
    assert_int_equal(match(h, "abcde\n fg", NULL, NULL, 0), 1);
    assert_int_equal(match(h, " ", NULL, NULL, 1), 1);
    ar_header_free(h);
}

static void domains_and_selectors(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; dkim=pass header.d=Example.COM header.s=One;"
                                      " dkim=fail header.d=xn--bcher-kva.example header.s=two");
    assert_int_equal(match(h, NULL, "one", "example.com", 0), 1);
    assert_int_equal(match(h, NULL, "one.", "EXAMPLE.com.", 0), 1);
    assert_int_equal(match(h, NULL, NULL, "example.com", 0), 1);
    assert_int_equal(match(h, NULL, "two", "example.com", 0), 0);
    assert_int_equal(match(h, NULL, "one", "sub.example.com", 0), 0);
    assert_int_equal(match(h, NULL, "one", "", 0), 0);
    assert_int_equal(match(h, NULL, "two", "b\303\274cher.example", 1), 1);
    /* A selector alone tells nothing. */
    assert_int_equal(match(h, NULL, "one", NULL, 0), 0);
    /* Signatures that the results do not speak of: nothing to compare. */
    assert_int_equal(match(h, "abcdefghijkl", NULL, NULL, 0), 0);
    assert_int_equal(match(h, "abcdefghijkl", NULL, "example.com", 0), 1);
    ar_header_free(h);
}

/* One that agrees in one thing and contradicts in another is not meant. */
static void contradictions(void **state)
{
    (void)state;
    struct ar_header *h =
        read_header("mx; dkim=pass header.d=a.example header.s=one header.b=abcdefgh;"
                    " dkim=fail header.d=b.example header.b=abcdefgh;"
                    " dkim=fail header.d=b.example header.d=c.example");
    assert_int_equal(match(h, "abcdefghi", "one", "a.example", 0), 1);
    assert_int_equal(match(h, "abcdefghi", "one", "b.example", 1), 1);
    assert_int_equal(match(h, "abcdefghi", "two", "a.example", 0), 0);
    assert_int_equal(match(h, "ABCDefghi", "one", "a.example", 0), 0);
    /* Two domains: it cannot speak of a signature of one of them. */
    assert_int_equal(match(h, "xxxxxxxxx", NULL, "b.example", 0), 0);
    assert_int_equal(match(h, "xxxxxxxxx", NULL, "c.example", 0), 0);
    ar_header_free(h);
}

/* RFC 6008 section 6.2: a copied signature gives two results; the caller hears of it. */
static void ambiguous(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; dkim=fail header.b=abcdefgh header.d=a.example;"
                                      " dkim=pass header.b=abcdefgh header.d=a.example;"
                                      " dkim=pass header.b=abcdefghi header.s=one");
    assert_int_equal(match(h, "abcdefghijk", "one", "a.example", 0), 3);
    assert_int_equal(match(h, "abcdefghXjk", "one", "a.example", 0), 2);
    assert_int_equal(match(h, "abcdefghijk", NULL, "b.example", 2), 1);
    ar_header_free(h);
}

static void only_dkim_of_version_one(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; domainkeys=pass header.d=a.example;"
                                      " dkim/2=pass header.d=a.example;"
                                      " dkim-atps=pass header.d=a.example;"
                                      " dkim=none;"
                                      " dkim=pass smtp.d=a.example policy.b=abcdefgh;"
                                      " dkim/1=pass header.d=a.example");
    assert_int_equal(match(h, "abcdefghi", NULL, "a.example", 5), 1);
    ar_header_free(h);
    h = read_header("mx; none");
    assert_int_equal(match(h, "abcdefghi", "s", "a.example", 0), 0);
    ar_header_free(h);
}

/* Octets of any kind on either side are compared, not believed. */
static void hostile_octets(void **state)
{
    (void)state;
    struct ar_header *h = read_header("mx; dkim=pass header.b=\"abc def gh\" header.d=\"\"");
    static const char nuls[] = "abcdefgh\0\0\xff";
    const struct ar_signature signature = {.signature = {nuls, sizeof(nuls) - 1}};
    const struct ar_result *found;
    assert_int_equal(ar_match_signature(h, &signature, &found), 1);
    const struct ar_signature before = {.signature = {"\0abcdefgh", 9}};
    assert_int_equal(ar_match_signature(h, &before, &found), 0);
    assert_null(found);
    static char big[5000];
    memset(big, 'a', sizeof(big));
    const struct ar_signature huge = {.signature = {"abcdefgh", 8}, .domain = {big, sizeof(big)}};
    assert_int_equal(ar_match_signature(h, &huge, &found), 0);
    assert_int_equal(match(h, "abcdefgh", NULL, "", 0), 0);
    ar_header_free(h);
}

/* Every signature finds the result that was made for it, and no other. */
static void what_each_wrote_is_found(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    static char signatures[COUNT][32];
    struct ar_dkim dkims[COUNT];
    struct ar_header *h = new_header();
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(signatures[i], sizeof(signatures[i]), "abcdef\r\n\tghijkl%02zumnop==", i);
        dkims[i] =
            (struct ar_dkim){.result = "pass", .domain = "a.example", .signature = signatures[i]};
    }
    assert_int_equal(ar_add_dkim_each(h, dkims, COUNT), AR_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(match(h, signatures[i], NULL, "A.example", i), 1);
    ar_header_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_and_word),
        cmocka_unit_test(properties_by_name),
        cmocka_unit_test(beginning_of_a_signature),
        cmocka_unit_test(short_header_b),
        cmocka_unit_test(domains_and_selectors),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(ambiguous),
        cmocka_unit_test(only_dkim_of_version_one),
        cmocka_unit_test(hostile_octets),
        cmocka_unit_test(what_each_wrote_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
