#include "tests/unit/dkim/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"

static struct rig rig;
static bool reached[DKIM_REASON_COUNT];

static int make_rig(void **state)
{
    (void)state;
    rig_init(&rig);
    return 0;
}

static int free_rig(void **state)
{
    (void)state;
    rig_fini(&rig);
    return 0;
}

/* --- the messages of the RFCs --- */

static void add_rfc_fields(void)
{
    rig_add(&rig, "From", " Joe SixPack <joe@football.example.com>");
    rig_add(&rig, "To", " Suzie Q <suzie@shopping.example.net>");
    rig_add(&rig, "Subject", " Is dinner ready?");
    rig_add(&rig, "Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)");
    rig_add(&rig, "Message-ID", " <20030712040037.46341.5F8J@football.example.com>");
}

/* RFC 6376 appendix A.2, simple/simple, its key from appendix C. */
static void rfc6376_message(void **state)
{
    (void)state;
    rig_publish(&rig, "brisbane", "example.com", AM_DNS_OK,
                "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ"
                "KBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
                "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v"
                "/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi"
                "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB");
    rig_add(&rig, "DKIM-Signature",
            " v=1; a=rsa-sha256; s=brisbane; d=example.com;\n"
            "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\n"
            "      h=Received : From : To : Subject : Date : Message-ID;\n"
            "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
            "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\n"
            "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\n"
            "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\n"
            "      4bmp/YzhwvcubU4=;");
    rig_add(&rig, "Received",
            " from client1.football.example.com  [192.0.2.1]\n"
            "      by submitserver.example.com with SUBMISSION;\n"
            "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)");
    add_rfc_fields();
    rig_body(&rig, "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->outcomes[0].key_bits, 1024);
    assert_true(report->outcomes[0].aligned && report->aligned_pass);
    assert_int_equal(report->best, DKIM_PASS);
    rig_body(&rig, "Hi.\r\n\r\nWe won the game. Are you hungry yet?\r\n\r\nJoe.\r\n");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_BODY_HASH_MISMATCH);
}

/* RFC 8463 appendix A: Ed25519 and RSA on one message, relaxed/relaxed. */
static void rfc8463_message(void **state)
{
    (void)state;
    rig_publish(&rig, "brisbane", "football.example.com", AM_DNS_OK,
                "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    rig_publish(&rig, "test", "football.example.com", AM_DNS_OK,
                "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
                "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
                "Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
    rig_add(&rig, "DKIM-Signature",
            " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
            " d=football.example.com; i=@football.example.com;\n"
            " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
            " subject : date : message-id : from : subject : date;\n"
            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
            " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
            " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
    rig_add(&rig, "DKIM-Signature",
            " v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
            " d=football.example.com; i=@football.example.com;\n"
            " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
            " date : message-id : from : subject : date;\n"
            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
            " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
            " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
            " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
    add_rfc_fields();
    rig_body(&rig, "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    assert_int_equal(rig_reason(&rig, 1), DKIM_REASON_NONE);
    assert_int_equal(rig.queries, 4);
    rig.fields[2].value[1] = 'j'; /* joe SixPack */
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_SIGNATURE_MISMATCH);
    assert_int_equal(rig_reason(&rig, 1), DKIM_REASON_SIGNATURE_MISMATCH);
}

/* --- each reason --- */

/* What is done to a good message, and what comes of it. */
struct reason_case {
    enum dkim_reason reason;
    const char *changes[3]; /* of the tags */
    const char *record;     /* of the key, in place of the good one; NULL: that; "": none */
    const char *key_extra;  /* tags added to the good record */
    enum am_dns_outcome dns;
    const char *add_field; /* at the top, after signing: "Name: value" */
    int drop_field;        /* after signing; the signature is number 0 */
    const char *body;      /* after signing */
    const char *raw;       /* the whole signature */
};

#define BASE " v=1; a=rsa-sha256; d=example.org; s=sel; h=From; b=QUJD; bh="
#define GOOD_BH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
#define SIXTEEN(TEXT)                                                                              \
    TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT
#define NAMES "x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:"

static const struct reason_case cases[] = {
    {DKIM_REASON_NONE, .body = NULL},
    {DKIM_REASON_SIGNATURE_SYNTAX, .raw = " nonsense"},
    {DKIM_REASON_SIGNATURE_SYNTAX, .raw = ""},
    {DKIM_REASON_DUPLICATE_TAG, .raw = BASE GOOD_BH "; d=example.org"},
    {DKIM_REASON_MISSING_V, .changes = {"!v"}},
    {DKIM_REASON_MISSING_A, .changes = {"!a"}},
    {DKIM_REASON_MISSING_B, .raw = " v=1; a=rsa-sha256; d=example.org; s=sel; h=From; bh=" GOOD_BH},
    {DKIM_REASON_MISSING_BH, .raw = " v=1; a=rsa-sha256; d=example.org; s=sel; h=From; b=QUJD"},
    {DKIM_REASON_MISSING_D, .changes = {"!d"}},
    {DKIM_REASON_MISSING_H, .changes = {"!h"}},
    {DKIM_REASON_MISSING_S, .changes = {"!s"}},
    {DKIM_REASON_VERSION_UNKNOWN, .changes = {"v=2"}},
    {DKIM_REASON_ALGORITHM_UNKNOWN, .changes = {"a=rsa-sha512"}},
    {DKIM_REASON_ALGORITHM_SHA1, .changes = {"a=rsa-sha1"}},
    {DKIM_REASON_CANON_UNKNOWN, .changes = {"c=relaxed/nofws"}},
    {DKIM_REASON_QUERY_UNKNOWN, .changes = {"q=http"}},
    {DKIM_REASON_BAD_B, .changes = {"b=-"}},
    {DKIM_REASON_BAD_BH, .changes = {"bh=QUJD"}},
    {DKIM_REASON_BAD_D, .changes = {"d=org"}},
    {DKIM_REASON_BAD_D, .changes = {"d=example.org\"; x=\""}},
    {DKIM_REASON_BAD_H, .changes = {"h=From::To"}},
    {DKIM_REASON_BAD_I, .changes = {"i=example.org"}},
    {DKIM_REASON_BAD_L, .changes = {"l=-1"}},
    {DKIM_REASON_BAD_Q, .changes = {"q=dns/txt:"}},
    {DKIM_REASON_BAD_S, .changes = {"s=a..b"}},
    {DKIM_REASON_BAD_T, .changes = {"t=now"}},
    {DKIM_REASON_BAD_X, .changes = {"x=1e9"}},
    {DKIM_REASON_FROM_UNSIGNED, .changes = {"h=To:Subject"}},
    {DKIM_REASON_IDENTITY_OUTSIDE, .changes = {"i=@example.com"}},
    {DKIM_REASON_IDENTITY_OUTSIDE, .changes = {"i=@badexample.org"}},
    {DKIM_REASON_IDENTITY_STRICT, .changes = {"i=@sub.example.org"}, .key_extra = "t=y:s;"},
    {DKIM_REASON_NONE, .changes = {"i=@sub.example.org"}},
    {DKIM_REASON_NONE, .changes = {"i=a@example.org"}, .key_extra = "t=s;"},
    {DKIM_REASON_EXPIRY_ORDER, .changes = {"t=20", "x=20"}},
    {DKIM_REASON_EXPIRED, .changes = {"x=1767225599"}},
    {DKIM_REASON_NONE, .changes = {"x=1767225600"}},
    {DKIM_REASON_NONE, .changes = {"x=99999999999999999999"}},
    {DKIM_REASON_FUTURE, .changes = {"t=1767225901"}},
    {DKIM_REASON_FUTURE, .changes = {"t=99999999999999999999"}},
    {DKIM_REASON_NONE, .changes = {"t=1767225900"}},
    {DKIM_REASON_NONE, .changes = {"t=0"}},
    {DKIM_REASON_LENGTH_BEYOND, .changes = {"l=100000"}},
    {DKIM_REASON_LENGTH_BEYOND,
     .changes = {"l=999999999999999999999999999999999999999999999999999999999999999999999"}},
    {DKIM_REASON_LENGTH_INCOMPLETE, .changes = {"l=4"}},
    {DKIM_REASON_LENGTH_INCOMPLETE, .changes = {"l=0"}},
    {DKIM_REASON_NONE, .changes = {"l=27"}},
    {DKIM_REASON_LENGTH_INCOMPLETE, .changes = {"l=27"},
     .body = "Good day,\r\n\r\nthis is  all. \r\nAnd more.\r\n"},
    {DKIM_REASON_BODY_HASH_MISMATCH, .body = "Good day,\r\n\r\nthis was  all. \r\n"},
    {DKIM_REASON_NONE, .body = "Good   day,\r\n\r\nthis is \t all.\r\n\r\n\r\n\r\n"},
    {DKIM_REASON_SIGNATURE_MISMATCH, .drop_field = 2},
    {DKIM_REASON_SIGNATURE_MISMATCH, .changes = {"h=From:Reply-To"},
     .add_field = "Reply-To: attacker@example.com"},
    {DKIM_REASON_NO_FROM, .drop_field = 1},
    {DKIM_REASON_SEVERAL_FROM, .add_field = "From: attacker@example.com"},
    {DKIM_REASON_SEVERAL_FROM, .changes = {"h=From:From:To"},
     .add_field = "from : attacker@example.com"},
    {DKIM_REASON_KEY_NONE, .record = ""},
    {DKIM_REASON_KEY_NONE, .record = "", .dns = AM_DNS_NODATA},
    {DKIM_REASON_KEY_SYNTAX, .record = "v=DKIM1; p"},
    {DKIM_REASON_KEY_SYNTAX, .record = "v=DKIM1; p=; p="},
    {DKIM_REASON_KEY_VERSION, .record = "v=DKIM2; p=QUJD"},
    {DKIM_REASON_KEY_VERSION, .record = "p=QUJD; v=DKIM1"},
    {DKIM_REASON_KEY_NO_P, .record = "v=DKIM1"},
    {DKIM_REASON_KEY_REVOKED, .record = "v=DKIM1; p="},
    {DKIM_REASON_KEY_TYPE_UNKNOWN, .record = "k=dsa; p=QUJD"},
    {DKIM_REASON_KEY_TYPE_MISMATCH,
     .record = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
    {DKIM_REASON_KEY_HASH, .key_extra = "h=sha1;"},
    {DKIM_REASON_NONE, .key_extra = "h=sha1:sha256;"},
    {DKIM_REASON_KEY_SERVICE, .key_extra = "s=tlsrpt;"},
    {DKIM_REASON_NONE, .key_extra = "s=tlsrpt:email;"},
    {DKIM_REASON_KEY_MALFORMED, .record = "p=QUJD"},
    {DKIM_REASON_DNS_TIMEOUT, .record = "", .dns = AM_DNS_TIMEOUT},
    {DKIM_REASON_DNS_FAILURE, .record = "", .dns = AM_DNS_SERVFAIL},
    {DKIM_REASON_DNS_BAD, .record = "", .dns = AM_DNS_BAD},
    /* What the body says is final; a DNS that does not answer only means that we do not know. */
    {DKIM_REASON_BODY_HASH_MISMATCH, .record = "", .dns = AM_DNS_TIMEOUT, .body = "Other\r\n"},
    {DKIM_REASON_KEY_REVOKED, .record = "p=", .body = "Other\r\n"},
};

static void publish_case(const struct reason_case *row, const struct dkim_private_key *key)
{
    if (row->record == NULL)
        rig_publish_key(&rig, "sel", "example.org", key,
                        row->key_extra == NULL ? "" : row->key_extra);
    else if (row->record[0] != '\0')
        rig_publish(&rig, "sel", "example.org", AM_DNS_OK, row->record);
    else
        rig_publish(&rig, "sel", "example.org", row->dns == AM_DNS_OK ? AM_DNS_NXDOMAIN : row->dns,
                    NULL);
}

static void add_field_of(const char *text)
{
    char name[64];
    size_t len = strcspn(text, ":");
    snprintf(name, sizeof(name), "%.*s", (int)len, text);
    rig_add_top(&rig, name, text + len + 1);
}

/* Makes the message of a case; the signature is the only one. */
static void prepare(const struct reason_case *row, const struct dkim_private_key *key)
{
    rig_usual(&rig);
    publish_case(row, key);
    if (row->raw != NULL)
        rig_add_top(&rig, "DKIM-Signature", row->raw);
    else
        rig_add_signature(&rig, key, row->changes);
    if (row->drop_field > 0) {
        free(rig.fields[row->drop_field].name);
        rig.fields[row->drop_field].name = strdup("X-Gone");
    }
    if (row->add_field != NULL)
        add_field_of(row->add_field);
    if (row->body != NULL)
        rig_body(&rig, row->body);
}

static void each_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        prepare(&cases[i], rig_key(1024));
        enum dkim_reason reason = rig_reason(&rig, 0);
        if (reason != cases[i].reason)
            fail_msg("case %zu: %s, expected %s", i, dkim_reason_word(reason),
                     dkim_reason_word(cases[i].reason));
        reached[reason] = true;
        const struct dkim_report *report = rig_verify(&rig, 0);
        assert_int_equal(report->count, 1);
        assert_int_equal(report->best, dkim_reason_result(reason));
        assert_int_equal(report->aligned_pass, reason == DKIM_REASON_NONE);
        assert_int_equal(report->outcomes[0].testing, reason == DKIM_REASON_IDENTITY_STRICT);
    }
}

static void too_many_tags(void **state)
{
    struct am_buf text;
    (void)state;
    rig_usual(&rig);
    am_buf_init(&text, 0);
    am_buf_add_str(&text, BASE GOOD_BH);
    for (int i = 0; i < 200; i++)
        am_buf_printf(&text, "; n%d=", i);
    rig_add_top(&rig, "DKIM-Signature", am_buf_str(&text));
    am_buf_fini(&text);
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_TOO_MANY_TAGS);
    reached[DKIM_REASON_TOO_MANY_TAGS] = true;
}

static void too_many_names(void **state)
{
    static const char *const many[] = {"h=" SIXTEEN(NAMES) SIXTEEN(NAMES) "From", NULL};
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), "");
    rig_add_signature(&rig, rig_key(1024), many);
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    rig.limits.max_signed_names = 512;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_TOO_MANY_NAMES);
    rig.limits.max_signed_names = 513;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    reached[DKIM_REASON_TOO_MANY_NAMES] = true;
}

/* Fields that we were not shown may be signed ones, or a second From. */
static void header_cut(void **state)
{
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), "");
    rig_add_signature(&rig, rig_key(1024), NULL);
    rig.env.headers_cut = true;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_HEADER_TOO_LARGE);
    rig.fields[1].name[0] = 'X'; /* no From that we can see */
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_HEADER_TOO_LARGE);
    assert_int_equal(rig.queries, 0);
    reached[DKIM_REASON_HEADER_TOO_LARGE] = true;
}

static void too_many_signatures_and_keys(void **state)
{
    static const char *const selectors[] = {"s=s1", "s=s2", "s=s3"};
    (void)state;
    rig_usual(&rig);
    for (size_t i = 0; i < 3; i++) {
        rig_publish_key(&rig, selectors[i] + 2, "example.org", rig_key(1024), "");
        rig_add_signature(&rig, rig_key(1024), (const char *const[]){selectors[i], NULL});
    }
    rig.limits.max_signatures = 2;
    assert_int_equal(rig_reason(&rig, 1), DKIM_REASON_NONE);
    assert_int_equal(rig_reason(&rig, 2), DKIM_REASON_TOO_MANY_SIGNATURES);
    rig.limits = dkim_limits_default;
    rig.limits.max_keys = 1;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    assert_int_equal(rig_reason(&rig, 1), DKIM_REASON_TOO_MANY_KEYS);
    reached[DKIM_REASON_TOO_MANY_SIGNATURES] = reached[DKIM_REASON_TOO_MANY_KEYS] = true;
}

static void several_records(void **state)
{
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), "");
    rig_publish_again(&rig, "v=spf1 -all");
    rig_add_signature(&rig, rig_key(1024), NULL);
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_KEY_SEVERAL);
    reached[DKIM_REASON_KEY_SEVERAL] = true;
}

/* A record with an RSA key of any size; nobody has its other half. */
static void publish_modulus(unsigned bits)
{
    uint8_t der[2600] = {0x30, 0x82, 0, 0, 0x02, 0x82, 0, 0, 0};
    static const uint8_t exponent[] = {0x02, 0x03, 0x01, 0x00, 0x01};
    size_t octets = bits / 8, len = 9 + octets;
    struct am_buf text;
    memset(der + 9, 0xC3, octets);
    memcpy(der + len, exponent, sizeof(exponent));
    len += sizeof(exponent);
    der[2] = (uint8_t)((len - 4) >> 8), der[3] = (uint8_t)(len - 4);
    der[6] = (uint8_t)((octets + 1) >> 8), der[7] = (uint8_t)(octets + 1);
    am_buf_init(&text, 0);
    am_buf_add_str(&text, "v=DKIM1; p=");
    dkim_base64_encode(&text, am_span_of((const char *)der, len));
    rig_publish(&rig, "sel", "example.org", AM_DNS_OK, am_buf_str(&text));
    am_buf_fini(&text);
}

static void key_sizes(void **state)
{
    static const struct {
        unsigned bits;
        enum dkim_reason reason;
    } rows[] = {
        {512, DKIM_REASON_KEY_SHORT},           {1016, DKIM_REASON_KEY_SHORT},
        {1024, DKIM_REASON_SIGNATURE_MISMATCH}, {8192, DKIM_REASON_SIGNATURE_MISMATCH},
        {8200, DKIM_REASON_KEY_LONG},           {16384, DKIM_REASON_KEY_LONG},
    };
    static const unsigned real[] = {1024, 2048, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_usual(&rig);
        publish_modulus(rows[i].bits);
        rig_add_signature(&rig, rig_key(1024), NULL);
        assert_int_equal(rig_reason(&rig, 0), rows[i].reason);
        reached[rows[i].reason] = true;
    }
    for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
        rig_usual(&rig);
        rig_publish_key(&rig, "sel", "example.org", rig_key(real[i]), "");
        rig_add_signature(&rig, rig_key(real[i]), NULL);
        assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
        assert_int_equal(rig_verify(&rig, 0)->outcomes[0].key_bits, real[i]);
    }
    rig.limits.min_key_bits = 4097;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_KEY_SHORT);
}

/* --- what is not a failure --- */

/* A record of 4 KiB with notes in it; the resolver hands the strings on joined. */
static void large_record(void **state)
{
    static char note[4000];
    (void)state;
    rig_usual(&rig);
    memset(note, 'n', sizeof(note) - 1);
    memcpy(note, "n=", 2);
    note[sizeof(note) - 2] = ';';
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), note);
    rig_add_signature(&rig, rig_key(1024), NULL);
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
}

/* Every pair of canonicalisations with both kinds of keys. */
static void canon_pairs(void **state)
{
    static const char *const pairs[] = {"c=simple/simple",
                                        "c=simple/relaxed",
                                        "c=relaxed/simple",
                                        "c=relaxed/relaxed",
                                        "c=simple",
                                        "c=relaxed",
                                        "!c"};
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        for (unsigned bits = 0; bits <= 2048; bits += 2048) {
            rig_usual(&rig);
            rig_publish_key(&rig, "sel", "example.org", rig_key(bits), "");
            rig_add_signature(&rig, rig_key(bits), (const char *const[]){pairs[i], NULL});
            assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
            rig_add(&rig, "X-Unsigned", " added on the way");
            assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
        }
}

/* Domains with U-labels (RFC 8616): asked for in A-labels, reported as written. */
static void international_domains(void **state)
{
    static const char *const tags[] = {"d=b\xC3\xBC"
                                       "cher.example",
                                       "s=s\xC3\xBC"
                                       "d",
                                       "i=j\xC3\xB6rg@b\xC3\xBC"
                                       "cher.example",
                                       NULL};
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "xn--sd-xka", "xn--bcher-kva.example", rig_key(0), "");
    rig_add_signature(&rig, rig_key(0), tags);
    free(rig.fields[1].value);
    rig.fields[1].value = strdup(" j\xC3\xB6rg@B\xC3\x9C"
                                 "CHER.example");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_SIGNATURE_MISMATCH);
    rig_clear(&rig);
    rig_add(&rig, "From",
            " j\xC3\xB6rg@B\xC3\x9C"
            "CHER.example");
    rig_add_signature(&rig, rig_key(0), tags);
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_true(report->aligned_pass);
    assert_int_equal(report->outcomes[0].parts->domain.len, strlen("b\xC3\xBC"
                                                                   "cher.example"));
    assert_string_equal(report->outcomes[0].parts->ascii_domain, "xn--bcher-kva.example");
}

/* Nothing in i= is more than text; its domain alone decides. */
static void hostile_identities(void **state)
{
    static const char *const good[] = {
        "i=\"a@b; dkim=pass\"@example.org", "i==22x=3Bdkim=3Dpass=22@example.org",
        "i=\"\\\"\"@example.org", "i=a+b/c=3D@example.org", "i=@EXAMPLE.org"};
    static const char *const bad[] = {"i=a=0D=0AX:y@example.org",
                                      "i=\"a=00\"@example.org",
                                      "i=@example.org=00",
                                      "i=a b@c@example.org",
                                      "i==22@example.org",
                                      "i=@example.org@",
                                      "i=@"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        rig_usual(&rig);
        rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
        /* A ";" ends the tag, whatever stands around it. */
        bool split = strchr(good[i], ';') != NULL;
        rig_add_signature(&rig, rig_key(0), (const char *const[]){good[i], NULL});
        assert_int_equal(rig_reason(&rig, 0) == DKIM_REASON_NONE, !split);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rig_usual(&rig);
        rig_add_signature(&rig, rig_key(0), (const char *const[]){bad[i], NULL});
        assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_BAD_I);
    }
}

static void partial_body_may_pass(void **state)
{
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    rig_add_signature(&rig, rig_key(0), (const char *const[]){"l=4", NULL});
    rig.env.partial_body_passes = true;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    assert_int_equal(rig_verify(&rig, 0)->outcomes[0].unsigned_octets, 23);
    rig_body(&rig, "Gold");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_BODY_HASH_MISMATCH);
    rig_body(&rig, "Goo");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_BODY_HASH_MISMATCH);
    rig_body(&rig, "G");
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_LENGTH_BEYOND);
}

/* What the policy sees of many. */
static void best_of_several(void **state)
{
    static const struct {
        enum dkim_result results[3], best;
    } rows[] = {
        {{DKIM_FAIL, DKIM_PASS, DKIM_TEMPERROR}, DKIM_PASS},
        {{DKIM_FAIL, DKIM_TEMPERROR, DKIM_POLICY}, DKIM_TEMPERROR},
        {{DKIM_PERMERROR, DKIM_POLICY, DKIM_FAIL}, DKIM_FAIL},
        {{DKIM_PERMERROR, DKIM_POLICY, DKIM_NEUTRAL}, DKIM_POLICY},
        {{DKIM_NEUTRAL, DKIM_PERMERROR, DKIM_NEUTRAL}, DKIM_PERMERROR},
        {{DKIM_NEUTRAL, DKIM_NEUTRAL, DKIM_NEUTRAL}, DKIM_NEUTRAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dkim_outcome outcomes[3] = {{.result = rows[i].results[0]},
                                           {.result = rows[i].results[1]},
                                           {.result = rows[i].results[2]}};
        assert_int_equal(dkim_report_best(outcomes, 3), rows[i].best);
    }
    assert_int_equal(dkim_report_best(NULL, 0), DKIM_NONE);
}

static void alignment(void **state)
{
    static const struct {
        const char *signing, *author;
        bool aligned;
    } rows[] = {
        {"example.org", "example.org", true},
        {"example.org", "mail.example.org", true},
        {"mail.example.org", "example.org", true},
        {"example.org", "badexample.org", false},
        {"a.example.org", "b.example.org", false},
        {"org", "example.org", false},
        {"example.org", "org", false},
        {"", "", false},
        {"example.org", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(dkim_is_aligned(am_span_str(rows[i].signing), am_span_str(rows[i].author)),
                         rows[i].aligned);
}

/* The cases above leave out only what needs a failing library or a peer engine; memory is tested
 * elsewhere. */
static void all_reasons_reached(void **state)
{
    (void)state;
    reached[DKIM_REASON_MEMORY] = reached[DKIM_REASON_CRYPTO] = reached[DKIM_REASON_ENGINE] = true;
    for (int i = 0; i < DKIM_REASON_COUNT; i++)
        if (!reached[i])
            fail_msg("no case for %s", dkim_reason_word((enum dkim_reason)i));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_rig, free_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rfc6376_message),
        TEST(rfc8463_message),
        TEST(each_reason),
        TEST(too_many_tags),
        TEST(too_many_names),
        TEST(header_cut),
        TEST(too_many_signatures_and_keys),
        TEST(several_records),
        TEST(key_sizes),
        TEST(large_record),
        TEST(canon_pairs),
        TEST(international_domains),
        TEST(hostile_identities),
        TEST(partial_body_may_pass),
        cmocka_unit_test(best_of_several),
        cmocka_unit_test(alignment),
        cmocka_unit_test(all_reasons_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
