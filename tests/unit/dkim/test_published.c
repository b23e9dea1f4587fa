#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_published.h"
#include "tests/support/failing_alloc.h"

/* A private key beside what the DNS says of it. */

static struct dkim_private_key *own, *other;

static int make_keys(void **state)
{
    (void)state;
    own = dkim_private_key_generate(DKIM_KEY_ED25519, 0, NULL);
    other = dkim_private_key_generate(DKIM_KEY_ED25519, 0, NULL);
    return own == NULL || other == NULL ? -1 : 0;
}

static int drop_keys(void **state)
{
    (void)state;
    dkim_private_key_free(own);
    dkim_private_key_free(other);
    return 0;
}

static const char *record_of(struct am_arena *arena, const char *tags,
                             const struct dkim_private_key *key)
{
    struct am_buf digits;

    am_buf_init(&digits, 0);
    if (key != NULL)
        dkim_base64_encode(&digits, dkim_private_key_public_octets(key));
    const char *record = am_arena_printf(arena, "%sp=%s", tags, am_buf_str(&digits));
    am_buf_fini(&digits);
    assert_non_null(record);
    return record;
}

static struct dkim_published_finding judge(struct am_arena *arena, enum am_dns_outcome outcome,
                                           const char *record, size_t count)
{
    struct dkim_signing_key key = {
        .name = "k", .domain = "example.org", .selector = "sel", .path = "/etc/k", .key = own};
    struct am_dns_record records[2];

    records[0].text = records[1].text = am_span_str(record);
    struct am_dns_answer answer = {.outcome = outcome, .count = count, .records = records};
    return dkim_published_judge(arena, &key, &answer);
}

static void each_finding(void **state)
{
    const struct {
        enum am_dns_outcome outcome;
        const char *tags;
        const struct dkim_private_key *key;
        size_t count;
        bool fits;
        enum am_log_level level;
        const char *text; /* NULL: nothing to say */
    } rows[] = {
        {AM_DNS_OK, "k=ed25519; ", own, 1, true, AM_LOG_INFO, NULL},
        {AM_DNS_OK, "v=DKIM1; k=ed25519; t=y; ", own, 1, true, AM_LOG_NOTICE, "testing (t=y)"},
        {AM_DNS_OK, "k=ed25519; ", other, 1, false, AM_LOG_WARNING, "differs"},
        {AM_DNS_OK, "k=ed25519; ", NULL, 1, false, AM_LOG_WARNING, "revoked"},
        {AM_DNS_OK, "k=rsa; ", own, 1, false, AM_LOG_WARNING, "nobody can use"},
        {AM_DNS_OK, "v=DKIM2; ", own, 1, false, AM_LOG_WARNING, "nobody can use"},
        {AM_DNS_OK, "k=ed25519; ", own, 2, false, AM_LOG_WARNING, "several TXT records"},
        {AM_DNS_NXDOMAIN, "", NULL, 0, false, AM_LOG_WARNING, "is not published"},
        {AM_DNS_NODATA, "", NULL, 0, false, AM_LOG_WARNING, "is not published"},
        {AM_DNS_SERVFAIL, "", NULL, 0, false, AM_LOG_NOTICE,
         "\"servfail\"; ask again with: authmilter testkey example.org sel"},
        {AM_DNS_TIMEOUT, "", NULL, 0, false, AM_LOG_NOTICE, "\"timeout\""},
        {AM_DNS_BAD, "", NULL, 0, false, AM_LOG_NOTICE, "\"bad\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_arena *arena = am_arena_new(4096, 0);
        struct dkim_published_finding finding = judge(
            arena, rows[i].outcome, record_of(arena, rows[i].tags, rows[i].key), rows[i].count);

        assert_int_equal(finding.fits, rows[i].fits);
        assert_int_equal(finding.unknown, rows[i].level == AM_LOG_NOTICE && !rows[i].fits);
        assert_int_equal(finding.level, rows[i].level);
        if (rows[i].text == NULL) {
            assert_null(finding.sentence);
        } else {
            if (strstr(finding.sentence, rows[i].text) == NULL)
                fail_msg("row %zu: %s", i, finding.sentence);
            assert_non_null(strstr(finding.sentence, "sel._domainkey.example.org (/etc/k)"));
        }
        am_arena_free(arena);
    }
}

/* Whoever is told that a key is not published gets the very record. */
static void record_to_publish(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dkim_published_finding finding = judge(arena, AM_DNS_NXDOMAIN, "", 0);
    const char *start = strstr(finding.sentence, "\"v=DKIM1; k=ed25519; p=");

    (void)state;
    assert_non_null(start);
    char *record = am_arena_copy(arena, am_span_str(start + 1));
    record[strcspn(record, "\"")] = '\0';
    assert_true(judge(arena, AM_DNS_OK, record, 1).fits);
    am_arena_free(arena);
}

static void short_of_memory(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t successes = 0; failed; successes++) {
        struct am_arena *arena = am_arena_new(64, 0), *texts = am_arena_new(4096, 0);
        const char *record = record_of(texts, "k=ed25519; ", own);

        failing_alloc_start(successes);
        struct dkim_published_finding first = judge(arena, AM_DNS_OK, record, 1);
        struct dkim_published_finding second = judge(arena, AM_DNS_NXDOMAIN, "", 0);
        failed = failing_alloc_stop();
        assert_true(first.fits || first.sentence != NULL);
        assert_non_null(second.sentence);
        am_arena_free(arena);
        am_arena_free(texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding),
        cmocka_unit_test(record_to_publish),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
