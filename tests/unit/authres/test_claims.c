#include "support.h"

#include "authres/ar_idna.h"

static const char *const ids[] = {"mx.example.org", "b\xc3\xbc"
                                                    "cher.example"};

#define CLAIMS(text) ar_claims_id(LIT(text), ids, 2)

static void disguises(void **state)
{
    (void)state;
    assert_true(CLAIMS("mx.example.org; spf=pass"));
    assert_true(CLAIMS("mx.example.org"));
    assert_true(CLAIMS("MX.Example.ORG;none"));
    assert_true(CLAIMS("mx.example.org.; none"));
    assert_true(CLAIMS("mx.example.org...; none"));
    assert_true(CLAIMS("mx..example.org; none"));
    assert_true(CLAIMS("mx.example.org. 1; none"));
    assert_true(CLAIMS("mx.example.org 1; none"));
    assert_true(CLAIMS("mx.example.org\t1"));
    assert_true(CLAIMS("mx.example.org(1)"));
    assert_true(CLAIMS(" \r\n\tmx.example.org\r\n ;"));
    assert_true(CLAIMS("(c) (nested (c) \\) ;) mx.example.org;"));
    assert_true(CLAIMS("( mx.example.org;"));
    /* Comments as read without nesting and escapes */
    assert_true(CLAIMS("(a(b) mx.example.org;"));
    assert_true(CLAIMS("(a\\) mx.example.org;"));
    assert_true(CLAIMS("(a\\) mx.example.org; (b)) other.example;"));
    assert_true(CLAIMS("(a(b) mx.example.org; c) other.example;"));
    assert_true(CLAIMS("\"mx.example.org\"; none"));
    assert_true(CLAIMS("\"mx.example.org\" 1; none"));
    assert_true(CLAIMS("\"mx.ex\\ample.\\o\\r\\g\";"));
    assert_true(CLAIMS("\" mx.example.org \";"));
    assert_true(CLAIMS("\"mx.example.org"));
    assert_true(CLAIMS("\"mx.example.org; spf=pass"));
    assert_true(CLAIMS("\"mx.exam\r\nple.org\";"));
    assert_true(CLAIMS("mx\\.example\\.org;"));
    assert_true(CLAIMS(";;; mx.example.org;"));
    assert_true(CLAIMS("\"\"; mx.example.org;"));
    assert_true(CLAIMS("=?,<mx.example.org>;"));
    assert_true(CLAIMS("\0mx.example.org\0;"));
    assert_true(CLAIMS("mx.example.org\0.evil.example;"));
    assert_true(CLAIMS("mx.exa\0mple.org;"));
    assert_true(CLAIMS("mx.example.org\x7f;"));
    assert_true(CLAIMS("mx.example.org=fail junk junk ((("));
    assert_true(CLAIMS("mx.example.org/7; dkim=pass"));
    assert_true(CLAIMS("mx.example.org, spf=pass"));
    assert_true(CLAIMS("mx . (x) example .org 1; none"));
    assert_true(CLAIMS("\"mx\".example.\"org\"; none"));
    assert_true(CLAIMS("\xef\xbb\xbfmx.example.org;"));
    assert_true(CLAIMS("mx.exa\xc2\xadmple.org;"));
    assert_true(CLAIMS("mx.example.org\xc2\xa0"
                       "1;"));
    assert_true(CLAIMS("\xef\xbd\x8d\xef\xbc\xb8.example\xe3\x80\x82org;"));
}

static void international(void **state)
{
    (void)state;
    assert_true(CLAIMS("b\xc3\xbc"
                       "cher.example;"));
    assert_true(CLAIMS("B\xc3\xbc"
                       "Cher.EXAMPLE;"));
    assert_true(CLAIMS("xn--bcher-kva.example;"));
    assert_true(CLAIMS("\"XN--Bcher-KVA.example\" 1;"));
    assert_false(CLAIMS("xn--bcher-kvb.example;"));
    assert_false(CLAIMS("bucher.example;"));
    const char *const a_label[] = {"xn--bcher-kva.example"};
    assert_true(ar_claims_id(LIT("b\xc3\xbc"
                                 "cher.example;"),
                             a_label, 1));
}

static void others(void **state)
{
    (void)state;
    assert_false(CLAIMS(""));
    assert_false(CLAIMS("(mx.example.org)"));
    assert_false(CLAIMS("(mx.example.org) other.example;"));
    assert_false(CLAIMS("\\"));
    assert_false(CLAIMS("\""));
    assert_false(CLAIMS("\"\\"));
    assert_false(CLAIMS("("));
    assert_false(CLAIMS("(not closed mx.example.org;"));
    assert_false(CLAIMS("((mx.example.org)) other.example;"));
    assert_false(CLAIMS("sub.mx.example.org; none"));
    assert_false(CLAIMS("mx.example.org.evil.example; none"));
    assert_false(CLAIMS("mx.example.or; none"));
    assert_false(CLAIMS("mx.example.orgx; none"));
    assert_false(CLAIMS("mx-example.org; none"));
    assert_false(CLAIMS("example.org; none"));
    assert_false(CLAIMS("other.example; x=mx.example.org"));
    assert_false(CLAIMS("other mx.example.org; none"));
    assert_false(CLAIMS("\"other\" mx.example.org; none"));
    assert_false(ar_claims_id(LIT("mx.example.org;"), NULL, 0));
    const char *const empty[] = {"", ".", ";"};
    assert_false(ar_claims_id(LIT(";"), empty, 3));
    assert_false(ar_claims_id(NULL, 0, empty, 3));
    const char *const odd[] = {"[192.0.2.1]", "host/job", "my host"};
    assert_true(ar_claims_id(LIT("\"[192.0.2.1]\";"), odd, 3));
    assert_true(ar_claims_id(LIT("[192.0.2.1] ;"), odd, 3));
    assert_true(ar_claims_id(LIT("\"host/job\";"), odd, 3));
    assert_true(ar_claims_id(LIT("host/job;"), odd, 3));
    assert_true(ar_claims_id(LIT("\"my host\";"), odd, 3));
    assert_false(ar_claims_id(LIT("host;"), odd, 3));
}

static void equality(void **state)
{
    (void)state;
    assert_true(ar_id_equal(LIT("A.b."), LIT("a.B")));
    assert_true(ar_id_equal(LIT("xn--bcher-kva"), LIT("b\xc3\xbc"
                                                      "cher")));
    assert_false(ar_id_equal(LIT("a.b"), LIT("a.b.c")));
    assert_false(ar_id_equal(LIT(""), LIT("")));
    assert_true(ar_id_equal(LIT("a\xff"), LIT("A\xff")));
    char big[AR_ID_MAX + 1];
    memset(big, 'a', sizeof(big));
    assert_true(ar_id_equal(big, AR_ID_MAX, big, AR_ID_MAX));
    assert_false(ar_id_equal(big, AR_ID_MAX + 1, big, AR_ID_MAX + 1));
}

/* Samples of RFC 3492 section 7.1. */
static void punycode(void **state)
{
    (void)state;
    static const uint32_t chinese[] = {0x4ed6, 0x4eec, 0x4e3a, 0x4ec0, 0x4e48,
                                       0x4e0d, 0x8bf4, 0x4e2d, 0x6587};
    static const uint32_t arabic[] = {0x644, 0x64a, 0x647, 0x645, 0x627, 0x628, 0x62a, 0x643, 0x644,
                                      0x645, 0x648, 0x634, 0x639, 0x631, 0x628, 0x64a, 0x61f};
    char out[64];
    assert_int_equal(ar_punycode(chinese, 9, out, sizeof(out)), 24);
    assert_memory_equal(out, "ihqwcrb4cv8a8dqg056pqjye", 24);
    assert_int_equal(ar_punycode(arabic, 17, out, sizeof(out)), 22);
    assert_memory_equal(out, "egbpdaj6bu4bxfgehfvwxn", 22);
    assert_int_equal(ar_punycode(arabic, 17, out, 10), 0);
}

/* Long hostile values end; every octet string is allowed. */
static void hostile(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(",
                                         "(()",
                                         ")",
                                         "\"",
                                         "\\",
                                         ".",
                                         " .",
                                         "a. ",
                                         "a.b.c ",
                                         ";",
                                         "\"a\"",
                                         "\xc2\xad",
                                         "mx.example.org ",
                                         "mx.example.or\0",
                                         "\xe3\x80\x82",
                                         "x",
                                         "((((x)"};
    size_t len = 1 << 18;
    char *big = malloc(len);
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        size_t step = strlen(pieces[p]);
        for (size_t i = 0; i < len; i++)
            big[i] = pieces[p][i % step];
        bool claimed = ar_claims_id(big, len, ids, 2);
        assert_int_equal(claimed, strcmp(pieces[p], "mx.example.org ") == 0);
        for (size_t cut = 0; cut < 64; cut++) {
            char *exact = malloc(cut + 1);
            memcpy(exact, big, cut);
            ar_claims_id(exact, cut, ids, 2);
            free(exact);
        }
    }
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disguises), cmocka_unit_test(international), cmocka_unit_test(others),
        cmocka_unit_test(equality),  cmocka_unit_test(punycode),      cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
