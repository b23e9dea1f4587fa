#include "tests/unit/dkim/rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_key_cache.h"
#include "tests/support/failing_alloc.h"

static struct rig rig;

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

/* A usual mail with one Ed25519 signature by sel.example.org. */
static void signed_mail(const char *const *changes)
{
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    rig_add_signature(&rig, rig_key(0), changes);
}

/* --- budgets --- */

/* Junk above the signature that counts does not use up its place, however much there is. */
static void thousand_signatures(void **state)
{
    (void)state;
    signed_mail(NULL);
    for (int i = 0; i < 999; i++) {
        char tags[200], domain[64];
        snprintf(domain, sizeof(domain), "junk%d.example.net", i);
        rig_publish_key(&rig, "sel", domain, rig_key(0), "");
        snprintf(tags, sizeof(tags),
                 " v=1; a=ed25519-sha256; d=%s; s=sel; h=From; b=QUJD;"
                 " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
                 domain);
        rig_add_top(&rig, "DKIM-Signature", tags);
    }
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->count, DKIM_OUTCOMES_MAX);
    assert_int_equal(report->more, 1000 - DKIM_OUTCOMES_MAX);
    assert_int_equal(rig.queries, 10);
    assert_true(report->aligned_pass);
    assert_int_equal(report->best, DKIM_PASS);
    const struct dkim_outcome *last = &report->outcomes[DKIM_OUTCOMES_MAX - 1];
    assert_int_equal(last->field, 999);
    assert_int_equal(last->result, DKIM_PASS);
    for (size_t i = 0; i < DKIM_OUTCOMES_MAX - 1; i++) {
        assert_int_equal(report->outcomes[i].field, i);
        assert_int_equal(report->outcomes[i].evaluated, i < 9);
        assert_int_equal(report->outcomes[i].reason,
                         i < 9 ? DKIM_REASON_BODY_HASH_MISMATCH : DKIM_REASON_TOO_MANY_SIGNATURES);
    }
}

/* Malformed signatures cost no place, and aligned ones get theirs in order. */
static void places_are_for_those_that_may_pass(void **state)
{
    (void)state;
    signed_mail(NULL);
    for (int i = 0; i < 40; i++)
        rig_add_top(&rig, "DKIM-Signature", " v=1; d=example.org; broken");
    rig.limits.max_signatures = 1;
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->count, 41);
    assert_int_equal(report->outcomes[40].result, DKIM_PASS);
    assert_int_equal(report->outcomes[0].reason, DKIM_REASON_SIGNATURE_SYNTAX);
}

/* Nor do more of them than are listed, whatever domain they name. */
static void malformed_signatures_crowd_nobody_out(void **state)
{
    (void)state;
    signed_mail(NULL);
    for (int i = 0; i < 2 * DKIM_OUTCOMES_MAX; i++)
        rig_add_top(&rig, "DKIM-Signature",
                    i % 2 == 0 ? " v=1; d=example.org; broken" : " v=1; d=example.org; s=sel");
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->count, DKIM_OUTCOMES_MAX);
    assert_int_equal(report->outcomes[DKIM_OUTCOMES_MAX - 1].result, DKIM_PASS);
    assert_true(report->aligned_pass);
}

/* Signatures that share a key record have it looked up once. */
static void keys_are_asked_for_once(void **state)
{
    (void)state;
    signed_mail(NULL);
    for (int i = 0; i < 4; i++)
        rig_add_signature(&rig, rig_key(0), NULL);
    rig.limits.max_keys = 1;
    const struct dkim_report *report = rig_verify(&rig, 0);
    for (size_t i = 0; i < report->count; i++)
        assert_int_equal(report->outcomes[i].result, DKIM_PASS);
    assert_int_equal(rig_asked(&rig, "sel", "example.org"), 1);
}

/* The aligned signature's key is looked up first when there are not enough look-ups for all. */
static void aligned_keys_first(void **state)
{
    (void)state;
    signed_mail(NULL);
    rig_publish_key(&rig, "sel", "example.net", rig_key(0), "");
    rig_add_signature(&rig, rig_key(0), (const char *const[]){"d=example.net", NULL});
    rig.limits.max_keys = 1;
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->outcomes[0].reason, DKIM_REASON_TOO_MANY_KEYS);
    assert_int_equal(report->outcomes[1].result, DKIM_PASS);
}

/* 1,000 names in h=, for fields that are there once, many times and not at all. */
static void thousand_names(void **state)
{
    static char tag[16000] = "h=From";
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    for (int i = 0; i < 400; i++)
        rig_add(&rig, "X-Many", i % 2 == 0 ? " even" : " odd");
    for (int i = 0; i < 999; i++)
        strcat(tag, i % 2 == 0 ? ":x-many" : ":X-None");
    rig_add_signature(&rig, rig_key(0), (const char *const[]){tag, NULL});
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
    rig.fields[300].value[1] = 'E';
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_SIGNATURE_MISMATCH);
}

/* --- time --- */

/* Four domains, 20 ms each: one round trip, none when the body took longer. */
static void look_ups_overlap(void **state)
{
    (void)state;
    rig_usual(&rig);
    for (int i = 0; i < 4; i++) {
        char tag[32];
        snprintf(tag, sizeof(tag), "d=d%d.example", i);
        rig_publish_key(&rig, "sel", tag + 2, rig_key(0), "");
        rig_add_signature(&rig, rig_key(0), (const char *const[]){tag, NULL});
    }
    rig.delay_us = 20000;
    int64_t start_us = rig.now_us;
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(rig.now_us - start_us, 20000);
    assert_int_equal(rig.waits, 1);
    assert_int_equal(report->best, DKIM_PASS);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(report->outcomes[i].result, DKIM_PASS);
}

static void slow_dns_is_temperror(void **state)
{
    (void)state;
    signed_mail(NULL);
    rig.delay_us = 60000000;
    int64_t start_us = rig.now_us;
    assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_DNS_TIMEOUT);
    assert_int_equal(rig.now_us - start_us, 20000000);
}

/* --- how a message may be cut --- */

/* Chunks of every length, so that every octet is at a boundary once. */
static void body_in_chunks(void **state)
{
    static const char *const canons[] = {"c=simple/simple", "c=simple/relaxed"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        signed_mail((const char *const[]){canons[i], NULL});
        for (size_t chunk = 1; chunk <= rig.body.len; chunk++)
            assert_int_equal(rig_verify(&rig, chunk)->best, DKIM_PASS);
    }
}

/*
 * A line end with blanks behind it, put at every place of a signature. A relaxed signature stands
 * it wherever white space may be, and between nothing but that.
 */
static void signature_folded_everywhere(void **state)
{
    static const char *const folds[] = {"\n ", "\r\n\t", " ", "\n  \n "};

    size_t passed = 0, tried = 0;
    (void)state;

    signed_mail(NULL);
    char *whole = strdup(rig.fields[0].value);
    size_t len = strlen(whole), b_at = (size_t)(strstr(whole, " b=") - whole);
    for (size_t fold = 0; fold < 4; fold++)
        for (size_t at = 0; at <= len; at++) {
            char *cut = NULL;
            assert_true(asprintf(&cut, "%.*s%s%s", (int)at, whole, folds[fold], whole + at) > 0);
            free(rig.fields[0].value);
            rig.fields[0].value = cut;
            const struct dkim_report *report = rig_verify(&rig, 0);
            assert_int_equal(report->count, 1);
            tried++;
            passed += report->best == DKIM_PASS;
            /* What stands in b= is not hashed; a run of blanks before it stays one blank. */
            if (at >= b_at + 3 || at == b_at || at == b_at + 1)
                assert_int_equal(report->best, DKIM_PASS);
        }
    free(whole);
    assert_true(passed > 0 && passed < tried);
}

/* LF and CRLF in folds are one and the same, for both canonicalisations. */
static void line_ends_of_folds(void **state)
{
    static const char *const canons[] = {"c=simple/simple", "c=relaxed/relaxed"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        signed_mail((const char *const[]){canons[i], NULL});
        free(rig.fields[3].value);
        rig.fields[3].value = strdup(" a  subject\r\n in two lines");
        assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_NONE);
        free(rig.fields[3].value);
        rig.fields[3].value = strdup(" a  subject\r in two lines");
        assert_int_equal(rig_reason(&rig, 0), DKIM_REASON_SIGNATURE_MISMATCH);
    }
}

static void hundred_lengths(void **state)
{
    static char body[8001];
    (void)state;
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(0), "");
    memset(body, 'x', sizeof(body) - 1);
    rig_body(&rig, body);
    for (int i = 0; i < 50; i++) {
        char tag[16];
        snprintf(tag, sizeof(tag), "l=%d", i * 163);
        rig_add_signature(&rig, rig_key(0), (const char *const[]){tag, NULL});
    }
    rig.limits.max_signatures = 50;
    rig.env.partial_body_passes = true;
    for (size_t chunk = 7; chunk < 9000; chunk *= 3) {
        const struct dkim_report *report = rig_verify(&rig, chunk);
        for (size_t i = 0; i < 50; i++) {
            assert_int_equal(report->outcomes[i].result, DKIM_PASS);
            assert_int_equal(report->outcomes[i].unsigned_octets, 8002 - (49 - i) * 163);
        }
    }
}

/* --- nothing to do --- */

static void nothing_to_verify(void **state)
{
    (void)state;
    rig_usual(&rig);
    const struct dkim_report *report = rig_verify(&rig, 0);
    assert_int_equal(report->count, 0);
    assert_int_equal(report->best, DKIM_NONE);
    assert_int_equal(report->author.len, strlen("example.org"));
    rig_clear(&rig);
    report = rig_verify(&rig, 0);
    assert_int_equal(report->best, DKIM_NONE);
    assert_int_equal(report->author.len, 0);
    rig_add(&rig, "DKIM-Signature", " v=1");
    rig_add(&rig, "DKIM-Signature ", "");
    rig_add(&rig, "dkim-SIGNATURE", " ; ");
    report = rig_verify(&rig, 0);
    assert_int_equal(report->count, 3);
    assert_int_equal(report->best, DKIM_PERMERROR);
    assert_int_equal(rig.queries, 0);
}

/* --- memory --- */

/*
 * Whichever allocation fails, and however little memory there is: no crash, nothing lost, and
 * either no verifier or a report that does not say what is not so.
 */
static void check_short(const struct dkim_report *report)
{
    if (report == NULL)
        return;
    assert_int_equal(report->count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(report->outcomes[i].result == DKIM_PASS ||
                    report->outcomes[i].result == DKIM_TEMPERROR);
}

static const struct dkim_report *verify_short(struct am_arena *arena)
{
    struct dkim_fields *fields = am_arena_alloc(arena, sizeof(*fields));
    if (fields == NULL)
        return NULL;
    dkim_fields_init(fields, arena, false);
    for (size_t i = 0; i < rig.field_count; i++)
        if (dkim_fields_add(fields, am_span_str(rig.fields[i].name),
                            am_span_str(rig.fields[i].value)) == NULL)
            return NULL;
    if (!dkim_fields_prepare(fields))
        return NULL;
    rig.env.arena = arena;
    rig.env.lookup_deadline_us = AM_NEVER;
    struct dkim_verifier *verifier = dkim_engine_builtin.start(&rig.env, fields);
    if (verifier == NULL)
        return NULL;
    dkim_engine_builtin.body(verifier, am_buf_span(&rig.body));
    return dkim_engine_builtin.finish(verifier);
}

static void short_memory(void **state)
{
    bool fired = true;
    size_t passes = 0;
    (void)state;
    signed_mail(NULL);
    rig_publish_key(&rig, "rsa", "example.org", rig_key(1024), "");
    rig_add_signature(&rig, rig_key(1024),
                      (const char *const[]){"s=rsa", "i=@sub.example.org", NULL});
    for (size_t limit = 0; limit < 40000; limit += 97) {
        struct am_arena *arena = am_arena_new(256, limit + 1);
        check_short(verify_short(arena));
        am_arena_free(arena);
    }
    for (size_t successes = 0; fired; successes++) {
        /* A small first block, so that the arena asks for more all the time. */
        struct am_arena *arena = am_arena_new(64, 0);
        failing_alloc_start(successes);
        const struct dkim_report *report = verify_short(arena);
        fired = failing_alloc_stop();
        check_short(report);
        passes += report != NULL && report->best == DKIM_PASS;
        am_arena_free(arena);
    }
    assert_true(passes > 0);
    rig.env.arena = rig.arena;
}

/* --- threads --- */

static struct dkim_key_cache *cache;

/* Each thread has a message of its own; keys are shared. */
static void *verify_many(void *object)
{
    struct rig *own = object;
    for (int i = 0; i < 50; i++)
        if (rig_verify(own, 5)->best != DKIM_PASS)
            return object;
    return NULL;
}

static void threads_share_keys(void **state)
{
    struct rig rigs[4];
    pthread_t threads[4];
    (void)state;
    cache = dkim_key_cache_new(64);
    assert_non_null(cache);
    for (size_t i = 0; i < 4; i++) {
        unsigned bits = i % 2 == 0 ? 0 : 1024;
        rig_init(&rigs[i]);
        rigs[i].env.keys = cache;
        rig_usual(&rigs[i]);
        rig_publish_key(&rigs[i], "sel", "example.org", rig_key(bits), "");
        rig_add_signature(&rigs[i], rig_key(bits), NULL);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &rigs[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
        rig_fini(&rigs[i]);
    }
    struct dkim_key_cache_figures figures;
    dkim_key_cache_read_figures(cache, &figures);
    assert_int_equal(figures.entries, 2);
    dkim_key_cache_free(cache);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_rig, free_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thousand_signatures),
        TEST(places_are_for_those_that_may_pass),
        TEST(malformed_signatures_crowd_nobody_out),
        TEST(keys_are_asked_for_once),
        TEST(aligned_keys_first),
        TEST(thousand_names),
        TEST(look_ups_overlap),
        TEST(slow_dns_is_temperror),
        TEST(body_in_chunks),
        TEST(signature_folded_everywhere),
        TEST(line_ends_of_folds),
        TEST(hundred_lengths),
        TEST(nothing_to_verify),
        TEST(short_memory),
        TEST(threads_share_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
