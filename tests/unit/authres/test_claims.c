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
    assert_true(CLAIMS("(c)\xc2\x80\r\n mx.example.org;"));
    assert_true(CLAIMS("mx.example.org\xc2\x9f.evil.example;"));
    assert_true(CLAIMS("mx.exa\xc2\x80mple.org;"));
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

/* As programs read that are no strict readers; none of these may get past. */
static void habits(void **state)
{
    (void)state;
    /* The parser of Perl's Mail::AuthenticationResults: comments nest, nothing is escaped. */
    assert_true(CLAIMS("(\\() other.example; ) mx.example.org; spf=pass"));
    /* Escapes, but no nesting */
    assert_true(CLAIMS("(a\\)b(c) mx.example.org; ) other.example; none"));
    /* It takes the name of the field off a value that still has it. */
    assert_true(CLAIMS("Authentication-Results: mx.example.org; spf=pass"));
    assert_true(CLAIMS(" (c) authentication-results :(c)\"mx.example.org\"; spf=pass"));
    assert_true(CLAIMS("ARC-Authentication-Results: i=1; mx.example.org; spf=pass"));
    assert_true(CLAIMS("Authentication-Results:Authentication-Results: mx.example.org;"));
    assert_false(CLAIMS("Authentication-Results: other.example; spf=pass"));
    assert_false(CLAIMS("Authentication-Results"));
    /* Our own lenient reader takes an instance for one in any field. */
    assert_true(CLAIMS("i=1; mx.example.org; spf=pass"));
    assert_true(CLAIMS("I (c) = \x01 99mx.example.org; spf=pass"));
    assert_true(CLAIMS("i \x01)) = 07 (c) ; mx.example.org; spf=pass"));
    assert_true(CLAIMS("i=mx.example.org; spf=pass"));
    assert_false(CLAIMS("i; mx.example.org; spf=pass"));
    assert_false(CLAIMS("i=1; other.example; spf=pass"));
    assert_false(CLAIMS("i=1"));
    /* Folds and comments removed with nothing in their place */
    assert_true(CLAIMS("mx.exam\r\n ple.org; spf=pass"));
    assert_true(CLAIMS("mx.exam\rple.org; spf=pass"));
    assert_true(CLAIMS("\"mx.exam\n\tple.org\"; spf=pass"));
    assert_true(CLAIMS("mx.exam(c)ple.org; spf=pass"));
    assert_false(CLAIMS("mx.exam ple.org; spf=pass"));
    assert_false(CLAIMS("mx.exam (c) ple.org; spf=pass"));
    /* Octets that are no UTF-8, or no ASCII, ignored; no-break space of ISO 8859-1 as a blank */
    assert_true(CLAIMS("mx.exa\xffmple.org; spf=pass"));
    assert_true(CLAIMS("\xa0mx.example.org; spf=pass"));
    assert_true(CLAIMS("mx.example.org\xa0; spf=pass"));
    assert_true(CLAIMS("\xe2\x80\xaemx.exa\xc3\xbcmple.org; spf=pass"));
    assert_true(CLAIMS("\x01m\x02x.example.org\x03.evil.example; spf=pass"));
    /* A blank of Unicode behind the Latin ones */
    assert_true(CLAIMS("mx.example.org\xe1\x9a\x80x; spf=pass"));
}

/* Encoded words that are decoded before the field is read (as Python's email package does). */
static void encoded_words(void **state)
{
    (void)state;
    assert_true(CLAIMS("=?utf-8?q?mx.example.org?=; spf=pass"));
    assert_true(CLAIMS("=?UTF-16?B?/v8AbQB4?=; spf=pass"));
    assert_true(CLAIMS("mx.=?us-ascii*en?Q?example?=.org; spf=pass"));
    assert_true(CLAIMS("\"=?utf-8?q?mx?=.example.org\"; spf=pass"));
    assert_true(CLAIMS("(=?utf-8?q?=29_mx.example.org=3B_=28?=) other.example; none"));
    assert_true(CLAIMS("(other.example =?utf-8?q?=29_?= mx.example.org; none"));
    /* Too late to change the id, or none at all */
    assert_false(CLAIMS("other.example=?utf-8?q?mx.example.org?=; spf=pass"));
    assert_false(CLAIMS("other.example; spf=pass (=?utf-8?q?mx.example.org?=)"));
    assert_false(CLAIMS("other.example (=?utf-8?q?mx.example.org?=); spf=pass"));
    assert_false(CLAIMS("=?utf-8?x?mx.example.org?=; spf=pass"));
    assert_false(CLAIMS("=?"));
    assert_false(CLAIMS("=?a?q"));
    assert_false(CLAIMS("=??q?"));
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
    assert_true(CLAIMS("B\xc3\x9c"
                       "CHER.example;"));
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const before[] = {
    "",
    " ",
    "\r\n\t",
    "(c)",
    " (nested (c) \\) ; mx.example.net;)\r\n ",
    "(a)(b)\n (\r\n c)\r\n\t",
    ";",
};
static const char *const after[] = {
    "",
    ";",
    "; none",
    " 1; none",
    "\t1 ; spf=pass",
    "(c)1;",
    "\r\n (c)\r\n 1\r\n ; spf=pass",
    " 99; spf=pass",
    " one; spf=pass",
    "; spf=",
    ";;; \"never closed",
    " (never closed",
    "/1",
    "=pass; spf=pass",
};

/* Each way to write an id between all that may stand around it. */
static void every_combination(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        bool ours;
    } written[] = {
        {"mx.example.org", true},
        {"Mx.eXAMPLE.ORG", true},
        {"mx.example.org.", true},
        {"MX.EXAMPLE.ORG..", true},
        {"\"mx.example.org\"", true},
        {"\"MX.example.org.\"", true},
        {"\"m\\x.\\example.or\\g\"", true},
        {"b\303\274cher.example", true},
        {"B\303\274cher.EXAMPLE.", true},
        {"\"b\303\274cher.example\"", true},
        {"xn--bcher-kva.example", true},
        {"XN--BCHER-KVA.Example.", true},
        {"\"Xn--Bcher-Kva.example.\"", true},
        {"sub.mx.example.org", false},
        {"\"sub.mx.example.org\"", false},
        {"amx.example.org", false},
        {"mx.example.org.example", false},
        {"\"mx.example.organic\"", false},
        {"example.org.", false},
        {"bcher-kva.example", false},
        {"xn--bcher-kva", false},
        {"a.xn--bcher-kva.example", false},
        {"b\303\266cher.example", false},
    };
    char value[256];

    for (size_t b = 0; b < COUNT(before); b++) {
        for (size_t a = 0; a < COUNT(after); a++) {
            for (size_t w = 0; w < COUNT(written); w++) {
                snprintf(value, sizeof(value), "%s%s%s", before[b], written[w].id, after[a]);
                if (ar_claims_id(value, strlen(value), ids, 2) != written[w].ours)
                    fail_msg("%s: expected %d", value, written[w].ours);
            }
        }
    }
}

/* What the reader takes for ours in one way or another. */
static bool read_as_ours(const char *value, size_t len)
{
    bool ours = false;

    for (int way = 0; way < 4; way++) {
        const struct ar_parse_options options = {.kind = way % 2 == 0 ? AR_KIND_AR : AR_KIND_ANY,
                                                 .lenient = way >= 2};
        struct ar_header *header = ar_header_parse(NULL, value, len, &options, NULL);
        struct ar_text id = header == NULL ? (struct ar_text){NULL, 0} : ar_header_id(header);
        for (size_t i = 0; id.ptr != NULL && i < 2; i++)
            ours = ours || ar_id_equal(id.ptr, id.len, ids[i], strlen(ids[i]));
        ar_header_free(header);
    }
    return ours;
}

/* A field that ar_claims_id leaves is never read as ours behind it, however it is damaged. */
static void whatever_is_read_as_ours_is_claimed(void **state)
{
    (void)state;
    static const char *const start[] = {
        "mx.example.org; spf=pass smtp.mailfrom=a@example.com",
        " (c) \"mx.example.org\" 1; dkim=pass header.d=example.com",
        "b\303\274cher.example; none",
        "xn--bcher-kva.example. 1; spf=pass",
        "i=1; mx.example.org; spf=pass",
        "(a (b) c)\r\n mx.example.org\r\n (d) ;\r\n spf=pass",
    };
    static const struct ar_text pieces[] = {
        {LIT(" ")},
        {LIT("\t")},
        {LIT("\r\n ")},
        {LIT("\n")},
        {LIT("\r")},
        {LIT(";")},
        {LIT("(")},
        {LIT(")")},
        {LIT("(c)")},
        {LIT("\"")},
        {LIT("\\")},
        {LIT(".")},
        {LIT(",")},
        {LIT("=")},
        {LIT("/")},
        {LIT("@")},
        {LIT("<")},
        {LIT("]")},
        {LIT(":")},
        {LIT("?")},
        {LIT("1")},
        {LIT("i=1;")},
        {LIT("x")},
        {LIT("none")},
        {LIT("\0")},
        {LIT("\x01")},
        {LIT("\x7f")},
        {LIT("\xc2\x80")},
        {LIT("\xad")},
        {LIT("\xff")},
        {LIT("\xc2\xa0")},
        {LIT("\xc2\xad")},
        {LIT("\xc2\x85")},
        {LIT("-")},
        {LIT("\xc3")},
        {LIT("\xe2\x80\x8b")},
        {LIT("\xe2\x80\xa8")},
        {LIT("\xe3\x80\x82")},
        {LIT("\xef\xbb\xbf")},
    };
    uint64_t random = 8601;
    char value[256];
    unsigned read = 0;

    for (unsigned round = 0; round < 60000; round++) {
        const char *text = start[round % COUNT(start)];
        size_t len = strlen(text);
        memcpy(value, text, len);
        for (unsigned change = 0; change <= round % 4; change++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(random >> 33) % (len < 40 ? len : 40), gone = (random >> 60) % 2;
            struct ar_text piece = pieces[(random >> 16 & 0xffff) % COUNT(pieces)];
            if ((random >> 61) % 4 == 0)
                piece.len = 0;
            memmove(value + at + piece.len, value + at + gone, len - at - gone);
            memcpy(value + at, piece.ptr, piece.len);
            len = len - gone + piece.len;
        }
        if (read_as_ours(value, len)) {
            read++;
            if (!ar_claims_id(value, len, ids, 2))
                fail_msg("read as ours, not claimed: %.*s", (int)len, value);
        }
    }
    assert_in_range(read, 1000, 60000);
}

static void equality(void **state)
{
    (void)state;
    assert_true(ar_id_equal(LIT("A.b."), LIT("a.B")));
    assert_true(ar_id_equal(LIT("xn--bcher-kva"), LIT("b\xc3\xbc"
                                                      "cher")));
    assert_true(ar_id_equal(LIT("\xc3\x89\xc5\xbb\xce\x8f\xd0\x96\xd4\xb1\xe1\xba\xbe\xc8\x98"),
                            LIT("\xc3\xa9\xc5\xbc\xcf\x8e\xd0\xb6\xd5\xa1\xe1\xba\xbf\xc8\x99")));
    assert_true(ar_id_equal(LIT("\xe2\x84\xaa\xc5\xbf"), LIT("ks")));
    assert_false(ar_id_equal(LIT("\xc3\x97"), LIT("\xc3\xb7"))); /* signs, no letters */
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
                                         "((((x)",
                                         "i=",
                                         "=?q",
                                         "\r\n ",
                                         "\xff",
                                         "\xc3\xbc(\\",
                                         "Authentication-Results:"};
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
        cmocka_unit_test(disguises),
        cmocka_unit_test(habits),
        cmocka_unit_test(encoded_words),
        cmocka_unit_test(international),
        cmocka_unit_test(others),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(whatever_is_read_as_ours_is_claimed),
        cmocka_unit_test(equality),
        cmocka_unit_test(punycode),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
