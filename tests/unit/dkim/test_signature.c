#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_signature.h"
#include "tests/support/failing_alloc.h"

#define BH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

static struct am_arena *arena;
static struct dkim_signature sig;

static int make_arena(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 1 << 22);
    return arena == NULL;
}

static int free_arena(void **state)
{
    (void)state;
    am_arena_free(arena);
    return 0;
}

static enum dkim_reason parse(const char *text)
{
    am_arena_reset(arena);
    return dkim_signature_parse(&sig, arena, am_span_str(text));
}

/* The tags of a good signature; a test names those it wants to be otherwise. */
static const char *const good[][2] = {
    {"v", "1"},       {"a", "rsa-sha256"}, {"d", "example.com"}, {"s", "sel"},
    {"h", "From:To"}, {"bh", BH},          {"b", "QUJD"},
};

/* Parses a good signature with one tag replaced or added; `value` NULL leaves it out. */
static enum dkim_reason parse_with(const char *name, const char *value)
{
    static char text[200000];
    size_t len = 0;
    bool found = false;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        bool is_it = strcmp(good[i][0], name) == 0;
        found = found || is_it;
        if (is_it && value == NULL)
            continue;
        len += (size_t)snprintf(text + len, sizeof(text) - len, " %s=%s;", good[i][0],
                                is_it ? value : good[i][1]);
    }
    if (!found && value != NULL)
        snprintf(text + len, sizeof(text) - len, " %s=%s;", name, value);
    return parse(text);
}

static void assert_span(struct am_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.ptr, text, strlen(text));
}

/* RFC 6376 appendix A.2, as it stands in the message. */
static void rfc6376_example(void **state)
{
    (void)state;
    assert_int_equal(parse(" v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
                           "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
                           "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
                           "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                           "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"
                           "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"
                           "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"
                           "      4bmp/YzhwvcubU4=;"),
                     DKIM_REASON_NONE);
    assert_int_equal(sig.key_type, DKIM_KEY_RSA);
    assert_int_equal(sig.header_canon, DKIM_CANON_SIMPLE);
    assert_int_equal(sig.body_canon, DKIM_CANON_SIMPLE);
    assert_span(sig.domain, "example.com");
    assert_span(sig.selector, "brisbane");
    assert_span(sig.identity, "joe@football.example.com");
    assert_span(sig.identity_local, "joe");
    assert_span(sig.identity_domain, "football.example.com");
    assert_true(sig.has_identity && sig.identity_is_below);
    assert_int_equal(sig.name_count, 6);
    assert_span(sig.names[0], "Received");
    assert_span(sig.names[5], "Message-ID");
    assert_int_equal(sig.signature.len, 128);
    assert_int_equal(sig.signature_text.len, 172);
    assert_memory_equal(sig.signature_text.ptr, "AuUoFEfD", 8);
    assert_int_equal(sig.signature_raw.ptr[0], 'A');
    assert_int_equal(sig.signature_raw.ptr[sig.signature_raw.len], ';');
    assert_int_equal(sig.body_hash[0], 0xda);
    assert_int_equal(sig.body_hash[31], 0xff);
    assert_false(sig.has_length || sig.has_timestamp || sig.has_expiry);
}

static void required_tags(void **state)
{
    static const struct {
        const char *name;
        enum dkim_reason missing, empty;
    } rows[] = {
        {"v", DKIM_REASON_MISSING_V, DKIM_REASON_VERSION_UNKNOWN},
        {"a", DKIM_REASON_MISSING_A, DKIM_REASON_ALGORITHM_UNKNOWN},
        {"d", DKIM_REASON_MISSING_D, DKIM_REASON_BAD_D},
        {"s", DKIM_REASON_MISSING_S, DKIM_REASON_BAD_S},
        {"h", DKIM_REASON_MISSING_H, DKIM_REASON_BAD_H},
        {"bh", DKIM_REASON_MISSING_BH, DKIM_REASON_BAD_BH},
        {"b", DKIM_REASON_MISSING_B, DKIM_REASON_BAD_B},
    };
    (void)state;
    assert_int_equal(parse_with("none", NULL), DKIM_REASON_NONE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse_with(rows[i].name, NULL), rows[i].missing);
        assert_int_equal(parse_with(rows[i].name, ""), rows[i].empty);
    }
}

/* Each row: a tag, its value, and what comes of it. */
static const struct {
    const char *name, *value;
    enum dkim_reason reason;
} values[] = {
    {"v", "2", DKIM_REASON_VERSION_UNKNOWN},
    {"v", "01", DKIM_REASON_VERSION_UNKNOWN},
    {"v", "1.0", DKIM_REASON_VERSION_UNKNOWN},
    {"v", "0.5", DKIM_REASON_VERSION_UNKNOWN},
    {"a", "ed25519-sha256", DKIM_REASON_NONE},
    {"a", "rsa-sha1", DKIM_REASON_ALGORITHM_SHA1},
    {"a", "rsa-sha512", DKIM_REASON_ALGORITHM_UNKNOWN},
    {"a", "RSA-SHA256", DKIM_REASON_ALGORITHM_UNKNOWN},
    {"a", "rsa", DKIM_REASON_ALGORITHM_UNKNOWN},
    {"c", "relaxed", DKIM_REASON_NONE},
    {"c", "simple/relaxed", DKIM_REASON_NONE},
    {"c", "", DKIM_REASON_CANON_UNKNOWN},
    {"c", "nowsp", DKIM_REASON_CANON_UNKNOWN},
    {"c", "relaxed/", DKIM_REASON_CANON_UNKNOWN},
    {"c", "/relaxed", DKIM_REASON_CANON_UNKNOWN},
    {"c", "relaxed/relaxed/relaxed", DKIM_REASON_CANON_UNKNOWN},
    {"c", "relaxed / relaxed", DKIM_REASON_CANON_UNKNOWN},
    {"c", "Relaxed", DKIM_REASON_CANON_UNKNOWN},
    {"q", "dns/txt", DKIM_REASON_NONE},
    {"q", "carrier-pigeon : dns/txt", DKIM_REASON_NONE},
    {"q", "dns/txt:x/y", DKIM_REASON_NONE},
    {"q", "dns", DKIM_REASON_QUERY_UNKNOWN},
    {"q", "http", DKIM_REASON_QUERY_UNKNOWN},
    {"q", "", DKIM_REASON_BAD_Q},
    {"q", "dns/txt:", DKIM_REASON_BAD_Q},
    {"q", "dns / txt", DKIM_REASON_BAD_Q},
    {"d", "com", DKIM_REASON_BAD_D},
    {"d", "example.com.", DKIM_REASON_BAD_D},
    {"d", ".example.com", DKIM_REASON_BAD_D},
    {"d", "exa mple.com", DKIM_REASON_BAD_D},
    {"d", "exa\n mple.com", DKIM_REASON_BAD_D},
    {"d", "example..com", DKIM_REASON_BAD_D},
    {"d", "example.com(.evil.example", DKIM_REASON_BAD_D},
    {"d", "example.com/evil", DKIM_REASON_BAD_D},
    {"d", "@example.com", DKIM_REASON_BAD_D},
    {"d", "[192.0.2.1]", DKIM_REASON_BAD_D},
    {"d", "-a.example", DKIM_REASON_BAD_D},
    {"d", "a-.example", DKIM_REASON_BAD_D},
    {"d", "a.example-", DKIM_REASON_BAD_D},
    {"d", "a_b.example", DKIM_REASON_NONE},
    {"d", "xn--bcher-kva.example", DKIM_REASON_NONE},
    {"d",
     "b\xc3\xbc"
     "cher.example",
     DKIM_REASON_NONE},
    {"d", "\xe2\x80\xae.example", DKIM_REASON_BAD_D},
    {"s", "a.b.c", DKIM_REASON_NONE},
    {"s", "s_1-2", DKIM_REASON_NONE},
    {"s", "a..b", DKIM_REASON_BAD_S},
    {"s", "a.", DKIM_REASON_BAD_S},
    {"s", "a b", DKIM_REASON_BAD_S},
    {"s", "*", DKIM_REASON_BAD_S},
    {"h", "FROM", DKIM_REASON_NONE},
    {"h", "to:from:from", DKIM_REASON_NONE},
    {"h", "from : to\n :\r\n cc", DKIM_REASON_NONE},
    {"h", "from:dkim-signature", DKIM_REASON_NONE},
    {"h", "to:cc", DKIM_REASON_FROM_UNSIGNED},
    {"h", "xfrom:from_", DKIM_REASON_FROM_UNSIGNED},
    {"h", "from:", DKIM_REASON_BAD_H},
    {"h", ":from", DKIM_REASON_BAD_H},
    {"h", "from::to", DKIM_REASON_BAD_H},
    {"h", "from to", DKIM_REASON_BAD_H},
    {"h", "from:t\xc3\xa4", DKIM_REASON_BAD_H},
    {"bh", "QUJD", DKIM_REASON_BAD_BH},
    {"bh", "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8", DKIM_REASON_NONE},
    {"bh", "2jUSOH9N htVGCQWNr9BrIAPreKQ\n jO6Sn7XIkfJVOzv8\r\n\t=", DKIM_REASON_NONE},
    {"bh", BH "=", DKIM_REASON_BAD_BH},
    {"bh", "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8AAAA=", DKIM_REASON_BAD_BH},
    {"bh", "2jUSOH9Nht*GCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", DKIM_REASON_BAD_BH},
    {"b", "Q U\n J D", DKIM_REASON_NONE},
    {"b", "QUJD!", DKIM_REASON_BAD_B},
    {"b", "A", DKIM_REASON_BAD_B},
    {"l", "0", DKIM_REASON_NONE},
    {"l", "007", DKIM_REASON_NONE},
    {"l", "18446744073709551614", DKIM_REASON_NONE},
    {"l", "18446744073709551616", DKIM_REASON_LENGTH_BEYOND},
    {"l", "184467440737095516150000000000", DKIM_REASON_LENGTH_BEYOND},
    {"l", "0000000000000000000000000000000000000000000000000000000000000000000000000005",
     DKIM_REASON_NONE}, /* 76 digits */
    {"l", "00000000000000000000000000000000000000000000000000000000000000000000000000005",
     DKIM_REASON_BAD_L},
    {"l", "", DKIM_REASON_BAD_L},
    {"l", "-1", DKIM_REASON_BAD_L},
    {"l", "1 0", DKIM_REASON_BAD_L},
    {"l", "0x10", DKIM_REASON_BAD_L},
    {"l", "1e3", DKIM_REASON_BAD_L},
    {"t", "0", DKIM_REASON_NONE},
    {"t", "253402300800", DKIM_REASON_NONE},
    {"t", "99999999999999999999", DKIM_REASON_NONE},
    {"t", "999999999999999999999", DKIM_REASON_BAD_T},
    {"t", "", DKIM_REASON_BAD_T},
    {"t", "-5", DKIM_REASON_BAD_T},
    {"t", "12345.6", DKIM_REASON_BAD_T},
    {"x", "0", DKIM_REASON_NONE},
    {"x", "1", DKIM_REASON_NONE},
    {"x", "", DKIM_REASON_BAD_X},
    {"x", "+1", DKIM_REASON_BAD_X},
    {"x", "1; t=0", DKIM_REASON_NONE},
    {"x", "5; t=5", DKIM_REASON_EXPIRY_ORDER},
    {"x", "4; t=5", DKIM_REASON_EXPIRY_ORDER},
    {"x", "0; t=0", DKIM_REASON_EXPIRY_ORDER},
    {"x", "6; t=bad", DKIM_REASON_BAD_T},
    {"z", "From:a@b|To:c=20d", DKIM_REASON_NONE},
    {"z", "", DKIM_REASON_NONE},
    {"unknown", "", DKIM_REASON_NONE},
    {"unknown", "\xc3\xa4 \xf0\x9f\x93\xa7", DKIM_REASON_NONE},
    {"B", "is another tag than b", DKIM_REASON_NONE},
    {"r", "y; v=1", DKIM_REASON_DUPLICATE_TAG},
    {"q", "dns/txt; q=dns/txt", DKIM_REASON_DUPLICATE_TAG},
    {"zz", "1; zz=1", DKIM_REASON_DUPLICATE_TAG},
    {"zz", "1;; y=1", DKIM_REASON_SIGNATURE_SYNTAX},
    {"zz", "\x01", DKIM_REASON_SIGNATURE_SYNTAX},
    {"zz", "a\rb", DKIM_REASON_SIGNATURE_SYNTAX},
    {"i", "@example.com", DKIM_REASON_NONE},
    {"i", "@EXAMPLE.COM", DKIM_REASON_NONE},
    {"i", "a@sub.example.com", DKIM_REASON_NONE},
    {"i", "a.b@example.com", DKIM_REASON_NONE},
    {"i", "a=2Eb@example.com", DKIM_REASON_NONE},
    {"i", "a@exampl=65.com", DKIM_REASON_NONE},
    {"i", "a@exam\n ple.com", DKIM_REASON_NONE}, /* white space counts for nothing in it */
    {"i", "\"a@b\"@example.com", DKIM_REASON_NONE},
    {"i", "\"a=20b=3Bc\"@example.com", DKIM_REASON_NONE},
    {"i", "\"a\\\"@other.example\"@example.com", DKIM_REASON_NONE},
    {"i", "\"\"@example.com", DKIM_REASON_NONE},
    {"i", "j\xc3\xbcrgen@example.com", DKIM_REASON_NONE},
    {"i", "j=C3=BCrgen@example.com", DKIM_REASON_NONE},
    {"i", "@xample.com", DKIM_REASON_IDENTITY_OUTSIDE},
    {"i", "@badexample.com", DKIM_REASON_IDENTITY_OUTSIDE},
    {"i", "@com", DKIM_REASON_IDENTITY_OUTSIDE},
    {"i", "@example.com.evil.example", DKIM_REASON_IDENTITY_OUTSIDE},
    {"i", "\"@example.com\"@evil.example", DKIM_REASON_IDENTITY_OUTSIDE},
    {"i", "", DKIM_REASON_BAD_I},
    {"i", "example.com", DKIM_REASON_BAD_I},
    {"i", "@", DKIM_REASON_BAD_I},
    {"i", "a@", DKIM_REASON_BAD_I},
    {"i", "@example.com.", DKIM_REASON_BAD_I},
    {"i", "a@b@example.com", DKIM_REASON_BAD_I},
    {"i", "a=40b@example.com", DKIM_REASON_BAD_I},
    {"i", ".a@example.com", DKIM_REASON_BAD_I},
    {"i", "a.@example.com", DKIM_REASON_BAD_I},
    {"i", "a..b@example.com", DKIM_REASON_BAD_I},
    {"i", "a=20b@example.com", DKIM_REASON_BAD_I},
    {"i", "a=@example.com", DKIM_REASON_BAD_I},
    {"i", "a=4@example.com", DKIM_REASON_BAD_I},
    {"i", "a=G0@example.com", DKIM_REASON_BAD_I},
    {"i", "@example.com=", DKIM_REASON_BAD_I},
    {"i", "a=00@example.com", DKIM_REASON_BAD_I},
    {"i", "a=0D=0A@example.com", DKIM_REASON_BAD_I},
    {"i", "\"a=0D=0Ab\"@example.com", DKIM_REASON_BAD_I},
    {"i", "\"a=07\"@example.com", DKIM_REASON_BAD_I},
    {"i", "\"a@example.com", DKIM_REASON_BAD_I},
    {"i", "\"a\\\"@example.com", DKIM_REASON_BAD_I},
    {"i", "\"a\"b@example.com", DKIM_REASON_BAD_I},
    {"i", "\"", DKIM_REASON_BAD_I},
    {"i", "\"\\", DKIM_REASON_BAD_I},
    {"i", "a=FF@example.com", DKIM_REASON_BAD_I},
    {"i", "a=C2=85@example.com", DKIM_REASON_BAD_I}, /* a line end to some terminals */
    {"i", "a@example.com=3B=20dkim=3Dpass", DKIM_REASON_BAD_I},
    {"i", "a@example.com dkim=pass", DKIM_REASON_BAD_I},
};

static void each_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        enum dkim_reason reason = parse_with(values[i].name, values[i].value);
        if (reason != values[i].reason)
            fail_msg("%s=%s: %s, not %s", values[i].name, values[i].value, dkim_reason_word(reason),
                     dkim_reason_word(values[i].reason));
    }
}

static void numbers(void **state)
{
    (void)state;
    parse_with("l", "18446744073709551614");
    assert_true(sig.has_length && sig.length == UINT64_MAX - 1);
    parse_with("t", "9223372036854775806");
    assert_true(sig.has_timestamp && sig.timestamp == INT64_MAX - 1);
    parse_with("x", "99999999999999999999");
    assert_true(sig.has_expiry && sig.expiry == INT64_MAX);
    parse_with("c", "relaxed");
    assert_int_equal(sig.header_canon, DKIM_CANON_RELAXED);
    assert_int_equal(sig.body_canon, DKIM_CANON_SIMPLE);
    parse_with("c", "simple/relaxed");
    assert_int_equal(sig.header_canon, DKIM_CANON_SIMPLE);
    assert_int_equal(sig.body_canon, DKIM_CANON_RELAXED);
    parse_with("a", "ed25519-sha256");
    assert_int_equal(sig.key_type, DKIM_KEY_ED25519);
}

static void identities(void **state)
{
    (void)state;
    parse_with("i", "\"a\\\"@x\"@sub.example.com");
    assert_span(sig.identity_local, "\"a\\\"@x\"");
    assert_span(sig.identity_domain, "sub.example.com");
    assert_true(sig.identity_is_below);
    parse_with("i", "@Example.com");
    assert_span(sig.identity, "@Example.com");
    assert_int_equal(sig.identity_local.len, 0);
    assert_false(sig.identity_is_below);
    parse_with("i", "x\n\ty@exam ple.com");
    assert_span(sig.identity, "xy@example.com");
    /* U-labels and A-labels are the same domain (RFC 8616). */
    assert_int_equal(parse_with("d", "b\xc3\xbc"
                                     "cher.example; i=a@x.xn--bcher-kva.example"),
                     DKIM_REASON_NONE);
    assert_true(sig.identity_is_below);
    assert_string_equal(sig.ascii_domain, "xn--bcher-kva.example");
    assert_span(sig.domain, "b\xc3\xbc"
                            "cher.example");
    assert_int_equal(parse_with("d", "EXAMPLE.com"), DKIM_REASON_NONE);
    assert_string_equal(sig.ascii_domain, "example.com");
    assert_int_equal(parse_with("s", "Se\xc3\xa4l"), DKIM_REASON_NONE);
    assert_string_equal(sig.ascii_selector, "xn--sel-rla");
}

/* A report names what could be read. */
static void parts_of_a_bad_one(void **state)
{
    (void)state;
    assert_int_equal(parse_with("a", "rsa-sha1"), DKIM_REASON_ALGORITHM_SHA1);
    assert_span(sig.algorithm, "rsa-sha1");
    assert_span(sig.domain, "example.com");
    assert_span(sig.selector, "sel");
    assert_int_equal(parse("v=1; a=rsa-sha256; d=example.com; s=sel; ;"),
                     DKIM_REASON_SIGNATURE_SYNTAX);
    assert_span(sig.domain, "example.com");
    assert_int_equal(parse("d=example.com; i=@evil.example; v=1"), DKIM_REASON_MISSING_A);
    assert_true(sig.has_identity);
    assert_int_equal(parse("d=exa\"mple.com; s=x y"), DKIM_REASON_MISSING_V);
    assert_int_equal(sig.domain.len, 0);
    assert_null(sig.ascii_domain);
    assert_int_equal(sig.selector.len, 0);
    assert_int_equal(parse(""), DKIM_REASON_SIGNATURE_SYNTAX);
}

static void b_is_left_out_with_its_blanks(void **state)
{
    (void)state;
    static const char text[] = "v=1; b \t=\r\n QUJD \n ; d=x.example";
    parse(text);
    assert_ptr_equal(sig.signature_raw.ptr, strstr(text, "\r\n QUJD"));
    assert_ptr_equal(sig.signature_raw.ptr + sig.signature_raw.len, strstr(text, "; d="));
    assert_span(sig.signature_text, "QUJD");
    assert_span(sig.signature, "ABC");
    parse("v=1; b=");
    assert_non_null(sig.signature_raw.ptr);
    assert_int_equal(sig.signature_raw.len, 0);
    /* Whatever stands in it. */
    parse("v=1; b= no! ;");
    assert_span(sig.signature_raw, " no! ");
    assert_int_equal(sig.signature.len, 0);
}

static void many_names(void **state)
{
    static char names[5 * (DKIM_SIGNATURE_NAMES_MAX + 2)];
    (void)state;
    strcpy(names, "from");
    size_t len = 4;
    for (size_t i = 1; i < DKIM_SIGNATURE_NAMES_MAX; i++) {
        memcpy(names + len, ":x", 3);
        len += 2;
    }
    assert_int_equal(parse_with("h", names), DKIM_REASON_NONE);
    assert_int_equal(sig.name_count, DKIM_SIGNATURE_NAMES_MAX);
    strcpy(names + len, ":y");
    assert_int_equal(parse_with("h", names), DKIM_REASON_TOO_MANY_NAMES);
    assert_int_equal(sig.name_count, 0);
}

/* Folded anywhere the grammar lets it be folded, a signature stays what it is. */
static void folded_between_all_parts(void **state)
{
    static const char *const parts[] = {"v",
                                        "=",
                                        "1",
                                        ";",
                                        "a",
                                        "=",
                                        "rsa-sha256",
                                        ";",
                                        "d",
                                        "=",
                                        "example.com",
                                        ";",
                                        "s",
                                        "=",
                                        "sel",
                                        ";",
                                        "h",
                                        "=",
                                        "From",
                                        ":",
                                        "To",
                                        ";",
                                        "bh",
                                        "=",
                                        "2jUSOH9NhtVGCQWNr9BrIAPre",
                                        "KQjO6Sn7XIkfJVOzv8",
                                        "=",
                                        ";",
                                        "b",
                                        "=",
                                        "QU",
                                        "JD",
                                        ";",
                                        "i",
                                        "=",
                                        "a",
                                        "@",
                                        "exam",
                                        "ple.com",
                                        ";"};
    static const char *const folds[] = {"\n ", "\r\n\t", " \r\n  ", "\t"};
    char text[2000];
    (void)state;
    for (size_t fold = 0; fold < 4; fold++) {
        size_t len = 0;
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", folds[fold], parts[i]);
        assert_int_equal(parse(text), DKIM_REASON_NONE);
        assert_span(sig.identity, "a@example.com");
        assert_span(sig.signature, "ABC");
    }
}

/* Whichever piece of memory is missing: it is said so, and nothing else. */
static void each_allocation_fails(void **state)
{
    static const char text[] =
        "v=1; a=rsa-sha256; d=example.com; s=sel; h=from:to; i=a@example.com; "
        "bh=" BH "; b=QUJD";
    (void)state;
    bool fired = true;
    for (size_t given = 0; fired; given++) {
        struct am_arena *small = am_arena_new(0, 0);
        failing_alloc_start(given);
        enum dkim_reason reason = dkim_signature_parse(&sig, small, am_span_str(text));
        fired = failing_alloc_stop();
        assert_int_equal(reason, fired ? DKIM_REASON_MEMORY : DKIM_REASON_NONE);
        am_arena_free(small);
        assert_true(given < 100);
    }
    for (size_t limit = 16; limit < 800; limit += 16) {
        struct am_arena *small = am_arena_new(1024, limit);
        enum dkim_reason reason = dkim_signature_parse(&sig, small, am_span_str(text));
        assert_true(reason == DKIM_REASON_MEMORY || reason == DKIM_REASON_NONE);
        am_arena_free(small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6376_example),
        cmocka_unit_test(required_tags),
        cmocka_unit_test(each_value),
        cmocka_unit_test(numbers),
        cmocka_unit_test(identities),
        cmocka_unit_test(parts_of_a_bad_one),
        cmocka_unit_test(b_is_left_out_with_its_blanks),
        cmocka_unit_test(many_names),
        cmocka_unit_test(folded_between_all_parts),
        cmocka_unit_test(each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
