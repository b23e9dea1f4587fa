#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "srs-milter/srs.h"
#include "srs-milter/srs_day.h"
#include "srs-milter/srs_hash.h"
#include "tests/support/arena_fixture.h"
#include "tests/support/failing_alloc.h"

/* The scheme: what is written, what is read back, and what is not (SR-01 to SR-03, 06 to 10). */

#define DAY 86400

/* 2026-12-01 12:00:00 UTC. */
#define NOW INT64_C(1796126400)

static const struct srs_secrets two = {{{"new secret 12", 13}, {"old secret 12", 13}}, 2};
static const struct srs_secrets other = {{{"other secret 1", 14}}, 1};
static const struct srs_secrets old = {{{"old secret 12", 13}}, 1};

static struct srs_scheme scheme_of(const struct srs_secrets *secrets)
{
    return (struct srs_scheme){.secrets = secrets,
                               .domain = "fwd.example",
                               .separator = '=',
                               .hash_length = 4,
                               .hash_minimum = 4,
                               .max_age_days = 21};
}

static struct am_address address_of(const char *text)
{
    struct am_address address;

    (void)am_address_parse(&address, am_span_str(text));
    return address;
}

static struct srs_outcome forward(const struct srs_scheme *scheme, const char *text, int64_t now_s)
{
    const struct am_address address = address_of(text);

    return srs_forward(scheme, arena, &address, now_s);
}

static struct srs_outcome reverse(const struct srs_scheme *scheme, const char *text, int64_t now_s)
{
    const struct am_address address = address_of(text);

    return srs_reverse(scheme, arena, &address, now_s);
}

/* Made by PostSRSd 1.10 with these secrets, at this time. */
static void what_others_write(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
#include "postsrsd_vectors.inc"
    };
    struct srs_scheme scheme = scheme_of(&old);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct srs_outcome there = forward(&scheme, rows[i][0], VECTORS_TIME);
        assert_int_equal(there.status, SRS_OK);
        assert_string_equal(there.address, rows[i][1]);
        struct srs_outcome back = reverse(&scheme, rows[i][1], VECTORS_TIME);
        assert_int_equal(back.status, SRS_OK);
    }
}

static void there_and_back(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "user@example.com",
        "User.Name+tag@Example.COM",
        "\"two words\"@example.com",
        "\"a\\\"b\\\\c\"@example.com",
        "a=b@example.com",
        "=@example.com",
        "SRS0@example.com",
        "srs2=x@example.com",
        "\"\xc3\xbc b\"@example.com",
        "\xc3\xbcmlaut@example.com",
        "u@[192.0.2.1]",
        "\"@\"@example.com",
        "\".\"@example.com",
        "SRS1=broken@example.com",
    };
    struct srs_scheme scheme = scheme_of(&two);

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct srs_outcome there = forward(&scheme, addresses[i], NOW);
        assert_int_equal(there.status, SRS_OK);
        const struct am_address made = address_of(there.address);
        assert_true(am_span_equal(made.domain, am_span_str("fwd.example")));
        assert_true(srs_looks_rewritten(&made));
        struct srs_outcome back = reverse(&scheme, there.address, NOW);
        assert_int_equal(back.status, SRS_OK);
        assert_string_equal(back.address, addresses[i]);
        assert_false(back.smashed);
    }
}

static void the_second_and_third_forwarder(void **state)
{
    (void)state;
    struct srs_scheme first = scheme_of(&old), second = scheme_of(&two), third = scheme_of(&other);
    first.domain = "first.example";
    first.separator = '+';
    second.domain = "second.example";
    third.domain = "third.example";

    const char *one = forward(&first, "user@example.com", NOW).address;
    assert_memory_equal(one, "SRS0+", 5);
    const char *with_two = forward(&second, one, NOW).address;
    assert_non_null(strstr(with_two, "=first.example=+"));
    const char *three = forward(&third, with_two, NOW).address;
    /* It does not grow, and leads to the first one. */
    assert_int_equal(strlen(three), strlen(with_two) - 1);
    assert_string_equal(reverse(&third, three, NOW).address, one);
    assert_string_equal(reverse(&second, with_two, NOW).address, one);
    assert_string_equal(reverse(&first, one, NOW).address, "user@example.com");
    /* SRS1 of another forwarder is none of ours. */
    assert_int_equal(reverse(&second, three, NOW).status, SRS_FORGED);
}

static void a_loop_is_turned_back_at_once(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    const char *one = forward(&scheme, "user@example.com", NOW).address;
    const char *again = forward(&scheme, one, NOW).address;

    assert_memory_equal(again, "SRS1=", 5);
    assert_string_equal(reverse(&scheme, again, NOW).address, "user@example.com");
}

static void days_pass(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    const char *made = forward(&scheme, "user@example.com", NOW).address;

    assert_int_equal(reverse(&scheme, made, NOW + 21 * DAY).status, SRS_OK);
    assert_int_equal(reverse(&scheme, made, NOW + 21 * DAY).age_days, 21);
    assert_int_equal(reverse(&scheme, made, NOW + 22 * DAY).status, SRS_EXPIRED);
    /* A day that has not come is one of long ago. */
    assert_int_equal(reverse(&scheme, made, NOW - DAY).status, SRS_EXPIRED);
    assert_int_equal(reverse(&scheme, made, NOW + 1024 * DAY).status, SRS_OK);
    assert_null(reverse(&scheme, made, NOW + 22 * DAY).address);
}

static void secrets_are_rotated(void **state)
{
    (void)state;
    struct srs_scheme before = scheme_of(&old), now = scheme_of(&two);
    const char *made = forward(&before, "user@example.com", NOW).address;
    struct srs_outcome back = reverse(&now, made, NOW);

    assert_int_equal(back.status, SRS_OK);
    assert_int_equal(back.secret, 1);
    made = forward(&now, "user@example.com", NOW).address;
    assert_int_equal(reverse(&now, made, NOW).secret, 0);
    assert_int_equal(reverse(&before, made, NOW).status, SRS_FORGED);
}

/* Some mail servers write all addresses in small letters, or in capitals. */
static void letter_case_may_be_lost(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    scheme.hash_length = 24;
    char text[256];

    snprintf(text, sizeof(text), "%s", forward(&scheme, "user@example.com", NOW).address);
    for (char *p = text; *p != '\0'; p++)
        *p = am_lower(*p);
    struct srs_outcome back = reverse(&scheme, text, NOW);
    assert_int_equal(back.status, SRS_OK);
    assert_true(back.smashed);
    assert_string_equal(back.address, "user@example.com");
}

static void any_change_is_seen(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    scheme.hash_length = 16;
    scheme.hash_minimum = 16;
    const char *made = forward(&scheme, "user@example.com", NOW).address;
    size_t end = am_span_find(am_span_str(made), '@');

    for (size_t i = 5; i < end; i++) {
        char *text = am_arena_copy(arena, am_span_str(made));
        text[i] = text[i] == '2' ? '3' : '2';
        assert_int_not_equal(reverse(&scheme, text, NOW).status, SRS_OK);
    }
}

static void short_hashes_are_refused(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    const char *made = forward(&scheme, "user@example.com", NOW).address;

    scheme.hash_length = 8;
    scheme.hash_minimum = 5;
    assert_int_equal(reverse(&scheme, made, NOW).status, SRS_FORGED);
    assert_int_equal(
        reverse(&scheme, forward(&scheme, "user@example.com", NOW).address, NOW).status, SRS_OK);
}

static void a_digest_of_ones_own(void **state)
{
    (void)state;
    struct srs_scheme sha1 = scheme_of(&two), sha256 = scheme_of(&two);
    sha256.digest = SRS_SHA256;
    const char *made = forward(&sha256, "user@example.com", NOW).address;

    assert_int_equal(reverse(&sha256, made, NOW).status, SRS_OK);
    assert_int_equal(reverse(&sha1, made, NOW).status, SRS_FORGED);
}

static void a_signed_address_keeps_its_domain(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    const struct am_address sender = address_of("user@ours.example");
    struct srs_outcome made = srs_sign(&scheme, arena, &sender, NOW);

    assert_int_equal(made.status, SRS_OK);
    assert_non_null(strstr(made.address, "=ours.example=user@ours.example"));
    assert_string_equal(reverse(&scheme, made.address, NOW).address, "user@ours.example");
}

static void what_is_no_such_address(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum srs_status status;
    } rows[] = {
        {"user@fwd.example", SRS_NO_SRS},
        {"<>", SRS_NO_SRS},
        {"SRS0=aaaa=bb=x=y", SRS_NO_SRS},
        {"SRS0@fwd.example", SRS_NO_SRS},
        {"SRS2=aaaa=bb=x.example=y@fwd.example", SRS_NO_SRS},
        {"SRS0:aaaa=bb=x.example=y@fwd.example", SRS_NO_SRS},
        {"SRS0=@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa=bb@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa=bb=x.example@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa=bb=x.example=@fwd.example", SRS_MALFORMED},
        {"SRS0==bb=x.example=y@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa==x.example=y@fwd.example", SRS_MALFORMED},
        {"SRS1=aaaa=x.example=y@fwd.example", SRS_MALFORMED},
        {"SRS1=aaaa=x.example==@fwd.example", SRS_MALFORMED},
        {"SRS0=aaaa=bb=x.example=y@fwd.example", SRS_FORGED},
        {"srs0-aaaa=bb=x.example=y@fwd.example", SRS_FORGED},
        {"SRS1=aaaa=x.example==bbbb=cc=y@fwd.example", SRS_FORGED},
        {"SRS0=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=bb=x.example=y@fwd.example", SRS_FORGED},
    };
    struct srs_scheme scheme = scheme_of(&two);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(reverse(&scheme, rows[i].text, NOW).status, rows[i].status);
}

static void what_is_not_rewritten(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    char text[600];

    assert_int_equal(forward(&scheme, "<>", NOW).status, SRS_NO_SRS);
    assert_int_equal(forward(&scheme, "user", NOW).status, SRS_NO_SRS);
    assert_int_equal(forward(&scheme, "\"\"@example.com", NOW).status, SRS_MALFORMED);
    assert_int_equal(forward(&scheme, "user@exa=mple.com", NOW).status, SRS_MALFORMED);
    assert_int_equal(forward(&scheme, "<user@example.com >", NOW).status, SRS_MALFORMED);
    memset(text, 'a', sizeof(text));
    strcpy(text + 240, "@example.com");
    assert_int_equal(forward(&scheme, text, NOW).status, SRS_TOO_LONG);
    assert_null(forward(&scheme, text, NOW).address);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct srs_scheme scheme = scheme_of(&two);
    bool failed = true;

    for (size_t n = 0; failed; n++) {
        struct am_arena *small = am_arena_new(16, 0);
        const struct am_address sender = address_of("\"two words\"@example.com");
        assert_true(n < 100);
        failing_alloc_start(n);
        struct srs_outcome there = srs_forward(&scheme, small, &sender, NOW);
        failed = failing_alloc_stop();
        assert_true(there.status == SRS_OK || (failed && there.status == SRS_FAILED));
        am_arena_free(small);
    }
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_arena, free_arena)
    const struct CMUnitTest tests[] = {
        TEST(what_others_write),
        TEST(there_and_back),
        TEST(the_second_and_third_forwarder),
        TEST(a_loop_is_turned_back_at_once),
        TEST(days_pass),
        TEST(secrets_are_rotated),
        TEST(letter_case_may_be_lost),
        TEST(any_change_is_seen),
        TEST(short_hashes_are_refused),
        TEST(a_digest_of_ones_own),
        TEST(a_signed_address_keeps_its_domain),
        TEST(what_is_no_such_address),
        TEST(what_is_not_rewritten),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
