#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dkim-milter/dkim_key_record.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/arena_fixture.h"

static struct dkim_key_record record;

static enum dkim_reason parse(const char *text)
{
    am_arena_reset(arena);
    return dkim_key_record_parse(&record, arena, am_span_str(text));
}

static const struct {
    const char *text;
    enum dkim_reason reason;
} rows[] = {
    {"v=DKIM1; k=rsa; p=QUJD", DKIM_REASON_NONE},
    {"p=QUJD", DKIM_REASON_NONE},
    {"k=rsa; p=QUJD;", DKIM_REASON_NONE},
    {"v=DKIM1;p=QU JD; ", DKIM_REASON_NONE},
    {" v = DKIM1 ; p = QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; k=ed25519; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; g=; n=any=20note; x=\xc3\xa4; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM2; p=QUJD", DKIM_REASON_KEY_VERSION},
    {"v=dkim1; p=QUJD", DKIM_REASON_KEY_VERSION},
    {"v=; p=QUJD", DKIM_REASON_KEY_VERSION},
    {"k=rsa; v=DKIM1; p=QUJD", DKIM_REASON_KEY_VERSION},
    {"v=spf1 include:example.net -all", DKIM_REASON_KEY_VERSION},
    {"v=DMARC1; p=none", DKIM_REASON_KEY_VERSION},
    {"v=STSv1; id", DKIM_REASON_KEY_VERSION},
    {"", DKIM_REASON_KEY_SYNTAX},
    {"hello world", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1; p", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1;; p=QUJD", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1; p=QUJD; p=QUJD", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1; t=y; t=s; p=QUJD", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1; n=\xff; p=QUJD", DKIM_REASON_KEY_SYNTAX},
    {"v=DKIM1", DKIM_REASON_KEY_NO_P},
    {"v=DKIM1; P=QUJD", DKIM_REASON_KEY_NO_P},
    {"v=DKIM1; p=", DKIM_REASON_KEY_REVOKED},
    {"v=DKIM1; k=unknown; p= ;", DKIM_REASON_KEY_REVOKED},
    {"v=DKIM1; p=Q", DKIM_REASON_KEY_MALFORMED},
    {"v=DKIM1; p=QUJD\"", DKIM_REASON_KEY_MALFORMED},
    {"v=DKIM1; p=none", DKIM_REASON_NONE}, /* base 64, whatever it means */
    {"v=DKIM1; k=dsa; p=QUJD", DKIM_REASON_KEY_TYPE_UNKNOWN},
    {"v=DKIM1; k=RSA; p=QUJD", DKIM_REASON_KEY_TYPE_UNKNOWN},
    {"v=DKIM1; k=; p=QUJD", DKIM_REASON_KEY_TYPE_UNKNOWN},
    {"v=DKIM1; h=sha256; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; h=sha1 : sha256; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; h=sha512:sha256; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; h=sha1; p=QUJD", DKIM_REASON_KEY_HASH},
    {"v=DKIM1; h=; p=QUJD", DKIM_REASON_KEY_HASH},
    {"v=DKIM1; h=sha2567; p=QUJD", DKIM_REASON_KEY_HASH},
    {"v=DKIM1; s=*; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; s=email; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; s=tlsrpt:email; p=QUJD", DKIM_REASON_NONE},
    {"v=DKIM1; s=tlsrpt; p=QUJD", DKIM_REASON_KEY_SERVICE},
    {"v=DKIM1; s=; p=QUJD", DKIM_REASON_KEY_SERVICE},
    {"v=DKIM1; t=; p=QUJD", DKIM_REASON_NONE},
};

static void each_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum dkim_reason reason = parse(rows[i].text);
        if (reason != rows[i].reason)
            fail_msg("%s: %s, not %s", rows[i].text, dkim_reason_word(reason),
                     dkim_reason_word(rows[i].reason));
        assert_true((record.octets.len > 0) == (reason == DKIM_REASON_NONE));
    }
}

static void values(void **state)
{
    (void)state;
    assert_int_equal(parse("p=QUJD"), DKIM_REASON_NONE);
    assert_int_equal(record.type, DKIM_KEY_RSA);
    assert_false(record.testing || record.strict);
    assert_true(am_span_equal(record.octets, am_span_str("ABC")));
    parse("k=ed25519; t=y; p=QUJD");
    assert_int_equal(record.type, DKIM_KEY_ED25519);
    assert_true(record.testing && !record.strict);
    parse("t=unknown : s\t:; p=QUJD");
    assert_true(record.strict && !record.testing);
    parse("t=y:s; p=QUJD");
    assert_true(record.strict && record.testing);
    parse("t=ys:Y; p=QUJD");
    assert_false(record.strict || record.testing);
    parse("t=y; p=");
    assert_true(record.testing);
}

/* A record may fill many strings of a TXT record. */
static void large(void **state)
{
    static char text[60000];
    (void)state;
    strcpy(text, "v=DKIM1; n=");
    memset(text + 11, 'x', 40000);
    strcpy(text + 40011, "; p=");
    memset(text + 40015, 'A', 4000);
    assert_int_equal(parse(text), DKIM_REASON_NONE);
    assert_int_equal(record.octets.len, 3000);
}

static void memory(void **state)
{
    (void)state;
    struct am_arena *small = am_arena_new(0, 0);
    failing_alloc_start(0);
    enum dkim_reason reason = dkim_key_record_parse(&record, small, am_span_str("p=QUJD"));
    assert_true(failing_alloc_stop());
    assert_int_equal(reason, DKIM_REASON_MEMORY);
    assert_int_equal(record.octets.len, 0);
    am_arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record),
        cmocka_unit_test(values),
        cmocka_unit_test(large),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
