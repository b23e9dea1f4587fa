#include "tests/unit/dkim/rig.h"

#include <string.h>

#include "dkim-milter/dkim_hashed.h"

/* The octets that a signature covers, against hashes that are made of them. */

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    rig_usual(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&rig);
    return 0;
}

static void take(void *user, const char *ptr, size_t len)
{
    am_buf_add(user, am_span_of(ptr, len));
}

static void digest_of(struct am_span text, uint8_t digest[DKIM_HASH_LEN])
{
    struct dkim_hash hash = {0};

    assert_true(dkim_hash_init(&hash));
    dkim_hash_update(&hash, text.ptr, text.len);
    assert_true(dkim_hash_final(&hash, digest));
    dkim_hash_fini(&hash);
}

/* Signs, and holds what is said to be covered against bh= and b=. */
static void covers(const char *const *changes, uint64_t body_octets, uint64_t in_all)
{
    const struct dkim_private_key *key = rig_key(1024);
    struct dkim_public_key *public;
    struct dkim_fields fields;
    struct dkim_hashed hashed;
    struct am_buf body;
    uint8_t digest[DKIM_HASH_LEN];
    const struct dkim_sink sink = {take, &body};

    rig_add_signature(&rig, key, changes);
    assert_non_null(rig_verify(&rig, 0));
    dkim_fields_init(&fields, rig.arena, false);
    for (size_t i = 0; i < rig.field_count; i++)
        assert_non_null(dkim_fields_add(&fields, am_span_str(rig.fields[i].name),
                                        am_span_str(rig.fields[i].value)));
    assert_true(dkim_fields_prepare(&fields));
    /* Once more, over the fields that are at hand. */
    struct dkim_verifier *verifier = dkim_engine_builtin.start(&rig.env, &fields);
    assert_non_null(verifier);
    dkim_engine_builtin.body(verifier, am_buf_span(&rig.body));
    const struct dkim_outcome *outcome = &dkim_engine_builtin.finish(verifier)->outcomes[0];
    am_buf_init(&body, 0);
    assert_true(
        dkim_hashed_make(&hashed, rig.arena, &fields, outcome, am_buf_span(&rig.body), &sink));
    assert_true(hashed.is_known);
    assert_int_equal(hashed.body_octets, body_octets);
    assert_int_equal(hashed.canonical_octets, in_all);
    assert_int_equal(body.len, body_octets);
    digest_of(am_buf_span(&body), digest);
    assert_memory_equal(digest, outcome->parts->body_hash, DKIM_HASH_LEN);
    digest_of(am_buf_span(&hashed.header), digest);
    assert_int_equal(dkim_public_key_new(&public, dkim_private_key_type(key),
                                         dkim_private_key_public_octets(key)),
                     DKIM_REASON_NONE);
    assert_int_equal(dkim_public_key_verify(public, digest, outcome->parts->signature),
                     DKIM_REASON_NONE);
    dkim_public_key_drop(public);
    size_t head = body_octets < DKIM_HASHED_SHOWN ? (size_t)body_octets : DKIM_HASHED_SHOWN;
    assert_int_equal(hashed.head_len, head);
    if (head > 0)
        assert_memory_equal(hashed.head, body.data, head);
    if (hashed.tail_len > 0)
        assert_memory_equal(hashed.tail, body.data + body.len - hashed.tail_len, hashed.tail_len);
    am_buf_fini(&body);
    dkim_hashed_fini(&hashed);
}

static void each_canonicalisation(void **state)
{
    (void)state;
    rig_body(&rig, "one  two \r\n\r\nthree\r\n\r\n");
    covers((const char *[]){"c=simple/simple", NULL}, 20, 20);
    rig_usual(&rig);
    rig_body(&rig, "one  two \r\n\r\nthree\r\n\r\n");
    covers((const char *[]){"c=relaxed/relaxed", NULL}, 18, 18);
    rig_usual(&rig);
    rig_body(&rig, "");
    covers((const char *[]){"c=relaxed/simple", NULL}, 2, 2);
    rig_usual(&rig);
    rig_body(&rig, "");
    covers((const char *[]){"c=relaxed/relaxed", NULL}, 0, 0);
}

static void a_length(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n");
    covers((const char *[]){"l=5", NULL}, 5, 10);
    rig_usual(&rig);
    rig_body(&rig, "one\r\ntwo\r\n");
    covers((const char *[]){"l=0", NULL}, 0, 10);
}

static void a_long_body(void **state)
{
    char body[403] = "";

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(body, "12345678\r\n");
    rig_body(&rig, body);
    covers(NULL, 400, 400);
    rig_usual(&rig);
    body[90] = '\0';
    rig_body(&rig, body);
    covers(NULL, 90, 90);
}

static void nothing_of_what_cannot_be_read(void **state)
{
    struct dkim_fields fields;
    struct dkim_hashed hashed;

    (void)state;
    rig_add_top(&rig, "DKIM-Signature", " v=1; a=");
    const struct dkim_report *report = rig_verify(&rig, 0);
    dkim_fields_init(&fields, rig.arena, false);
    assert_true(dkim_fields_prepare(&fields));
    assert_true(dkim_hashed_make(&hashed, rig.arena, &fields, &report->outcomes[0],
                                 am_buf_span(&rig.body), NULL));
    assert_false(hashed.is_known);
    dkim_hashed_fini(&hashed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_canonicalisation, setup, teardown),
        cmocka_unit_test_setup_teardown(a_length, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_body, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_of_what_cannot_be_read, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
