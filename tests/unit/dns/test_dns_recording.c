#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/dns/dns_recorder.h"
#include "common/dns/dns_recording_json.h"
#include "common/dns/dns_replay.h"
#include "common/dns/dns_zone.h"
#include "tests/support/arena_fixture.h"

/* What was asked is kept, comes back from a file octet for octet, and nothing else does. */

static const char zone_text[] = "example.org. 60 IN TXT \"v=spf1 -all\" \" second\"\n"
                                "example.org. 60 IN TXT \"odd \\000\\195\\191\\255\\\\ end\"\n"
                                "example.org. 60 IN MX 10 mx.example.org.\n"
                                "mx.example.org. 60 IN A 192.0.2.1\n"
                                "mx.example.org. 60 IN A 192.0.2.2\n"
                                "mx.example.org. 60 IN AAAA 2001:db8::1\n"
                                "1.2.0.192.in-addr.arpa. 60 IN PTR mx.example.org.\n"
                                ";!servfail fails.example.org\n"
                                ";!timeout slow.example.org\n";

static const struct {
    const char *name;
    enum am_dns_type type;
} questions[] = {
    {"example.org", AM_DNS_TXT},    {"Example.ORG.", AM_DNS_MX},
    {"mx.example.org", AM_DNS_A},   {"mx.example.org", AM_DNS_AAAA},
    {"mx.example.org", AM_DNS_MX},  {"1.2.0.192.in-addr.arpa", AM_DNS_PTR},
    {"none.example.org", AM_DNS_A}, {"fails.example.org", AM_DNS_TXT},
    {"slow.example.org", AM_DNS_A},
};
#define QUESTION_COUNT (sizeof(questions) / sizeof(questions[0]))

static void assert_same(enum am_dns_type type, const struct am_dns_answer *a,
                        const struct am_dns_answer *b)
{
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->secure, b->secure);
    for (size_t i = 0; i < a->count; i++) {
        const struct am_dns_record *one = &a->records[i], *other = &b->records[i];

        if (type == AM_DNS_A) {
            assert_memory_equal(one->a, other->a, 4);
        } else if (type == AM_DNS_AAAA) {
            assert_memory_equal(one->aaaa, other->aaaa, 16);
        } else {
            assert_true(am_span_equal(one->text, other->text));
            assert_int_equal(one->preference, other->preference);
        }
    }
}

/* Asks everything of `resolver` and compares with what the zone says. */
static void ask_all(struct am_resolver *resolver, struct am_resolver *zone)
{
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        struct am_dns_query *one =
            am_dns_start(resolver, questions[i].name, questions[i].type, AM_NEVER);
        struct am_dns_query *other =
            am_dns_start(zone, questions[i].name, questions[i].type, AM_NEVER);
        assert_same(questions[i].type, am_dns_wait(one), am_dns_wait(other));
        am_dns_release(one);
        am_dns_release(other);
    }
}

static void recorded_kept_and_replayed(void **state)
{
    (void)state;
    char path[] = "/tmp/dns-recording-XXXXXX";
    struct am_problem problem;
    struct am_dns_recording recording, again, missed;
    struct am_resolver *zone = am_dns_zone_parse(zone_text, "zone", &problem);
    int64_t now_s = 0;

    close(mkstemp(path));
    am_dns_recording_init(&recording, arena);
    am_dns_recording_init(&again, arena);
    am_dns_recording_init(&missed, arena);
    struct am_resolver *recorder = am_dns_recorder_new(zone, &recording);
    ask_all(recorder, zone);
    ask_all(recorder, zone);
    /* Not looked at: not kept. */
    am_dns_release(am_dns_start(recorder, "ahead.example.org", AM_DNS_A, AM_NEVER));
    assert_int_equal(recording.count, QUESTION_COUNT);
    assert_false(recording.cut);

    assert_true(am_dns_recording_save(&recording, 1796126400, path, &problem));
    assert_true(am_dns_recording_load(&again, path, &now_s, &problem));
    assert_int_equal(now_s, 1796126400);
    assert_int_equal(again.count, QUESTION_COUNT);
    struct am_resolver *replay = am_dns_replay_new(&again, &missed);
    ask_all(replay, zone);
    assert_int_equal(missed.count, 0);
    am_dns_release(am_dns_start(replay, "ahead.example.org", AM_DNS_A, AM_NEVER));
    assert_int_equal(missed.count, 0);
    struct am_dns_query *query = am_dns_start(replay, "other.example.org", AM_DNS_A, AM_NEVER);
    assert_int_equal(am_dns_wait(query)->outcome, AM_DNS_SERVFAIL);
    am_dns_release(query);
    assert_int_equal(missed.count, 1);
    assert_string_equal(missed.first->name, "other.example.org");
    am_resolver_free(replay);
    am_resolver_free(recorder);
    am_resolver_free(zone);
    unlink(path);
}

/* Several are waited for at once, as SPF does. */
static void waiting_for_any(void **state)
{
    (void)state;
    struct am_problem problem;
    struct am_dns_recording recording;
    struct am_resolver *zone = am_dns_zone_parse(zone_text, "zone", &problem);
    struct am_dns_query *queries[2];

    am_dns_recording_init(&recording, arena);
    struct am_resolver *recorder = am_dns_recorder_new(zone, &recording);
    queries[0] = am_dns_start(recorder, "mx.example.org", AM_DNS_A, AM_NEVER);
    queries[1] = am_dns_start(recorder, "mx.example.org", AM_DNS_AAAA, AM_NEVER);
    while (am_dns_answer_of(queries[0]) == NULL || am_dns_answer_of(queries[1]) == NULL)
        am_dns_wait_any(queries, 2);
    am_dns_release(queries[0]);
    am_dns_release(queries[1]);
    assert_int_equal(recording.count, 2);
    am_resolver_free(recorder);
    am_resolver_free(zone);
}

/* Asks and looks. */
static void ask(struct am_resolver *resolver, const char *name, enum am_dns_type type)
{
    struct am_dns_query *query = am_dns_start(resolver, name, type, AM_NEVER);

    (void)am_dns_wait(query);
    am_dns_release(query);
}

static void a_recorder_turns_to_another_recording(void **state)
{
    (void)state;
    struct am_problem problem;
    struct am_dns_recording first, second;
    struct am_resolver *zone = am_dns_zone_parse(zone_text, "zone", &problem);

    am_dns_recording_init(&first, arena);
    am_dns_recording_init(&second, arena);
    struct am_resolver *recorder = am_dns_recorder_new(zone, &first);
    ask(recorder, "example.org", AM_DNS_TXT);
    am_dns_recorder_turn(recorder, NULL);
    ask(recorder, "example.org", AM_DNS_MX);
    struct am_dns_query *early = am_dns_start(recorder, "mx.example.org", AM_DNS_A, AM_NEVER);
    am_dns_recorder_turn(recorder, &second);
    (void)am_dns_wait(early);
    am_dns_release(early);
    ask(recorder, "example.org", AM_DNS_TXT);
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 2);
    assert_non_null(am_dns_recording_find(&second, "mx.example.org", AM_DNS_A));
    am_resolver_free(recorder);
    am_resolver_free(zone);
}

/* The first answer stays, unless the latest is asked for. */
static void an_answer_takes_the_place_of_another(void **state)
{
    (void)state;
    const struct am_dns_answer late = {.outcome = AM_DNS_TIMEOUT},
                               none = {.outcome = AM_DNS_NXDOMAIN};
    struct am_dns_recording recording;

    for (int latest = 0; latest < 2; latest++) {
        am_dns_recording_init(&recording, arena);
        recording.latest = latest;
        am_dns_recording_add(&recording, "a.example", AM_DNS_A, &late);
        am_dns_recording_add(&recording, "b.example", AM_DNS_A, &late);
        am_dns_recording_add(&recording, "A.example.", AM_DNS_A, &none);
        assert_int_equal(recording.count, 2);
        assert_int_equal(am_dns_recording_find(&recording, "a.example", AM_DNS_A)->outcome,
                         latest ? AM_DNS_NXDOMAIN : AM_DNS_TIMEOUT);
        assert_false(recording.cut);
    }
}

static bool first_letter_only(const char *recorded, const char *asked)
{
    return recorded[0] == asked[0];
}

static void a_replay_looks_beside(void **state)
{
    (void)state;
    const struct am_dns_answer one = {.outcome = AM_DNS_NODATA}, two = {.outcome = AM_DNS_NXDOMAIN};
    struct am_dns_recording own, other;

    am_dns_recording_init(&own, arena);
    am_dns_recording_init(&other, arena);
    am_dns_recording_add(&own, "a.example", AM_DNS_A, &one);
    am_dns_recording_add(&other, "a.example", AM_DNS_A, &two);
    am_dns_recording_add(&other, "b.example", AM_DNS_A, &two);
    struct am_resolver *replay = am_dns_replay_new(&own, NULL);
    static const struct {
        const char *name;
        enum am_dns_outcome alone, beside, loose;
    } rows[] = {
        {"a.example", AM_DNS_NODATA, AM_DNS_NODATA, AM_DNS_NODATA},
        {"b.example", AM_DNS_SERVFAIL, AM_DNS_NXDOMAIN, AM_DNS_NXDOMAIN},
        {"a.example.org", AM_DNS_SERVFAIL, AM_DNS_SERVFAIL, AM_DNS_NODATA},
        {"c.example", AM_DNS_SERVFAIL, AM_DNS_SERVFAIL, AM_DNS_SERVFAIL},
    };
    for (int round = 0; round < 3; round++) {
        if (round > 0)
            am_dns_replay_beside(replay, &other, round == 1 ? NULL : first_letter_only);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct am_dns_query *query = am_dns_start(replay, rows[i].name, AM_DNS_A, AM_NEVER);
            assert_int_equal(am_dns_wait(query)->outcome, round == 0   ? rows[i].alone
                                                          : round == 1 ? rows[i].beside
                                                                       : rows[i].loose);
            am_dns_release(query);
        }
    }
    am_resolver_free(replay);
}

static void a_recording_has_bounds(void **state)
{
    (void)state;
    struct am_dns_recording recording;
    const struct am_dns_answer answer = {.outcome = AM_DNS_NXDOMAIN};
    struct am_problem problem;
    char name[64];

    am_dns_recording_init(&recording, arena);
    for (int i = 0; i <= AM_DNS_RECORDING_QUESTIONS_MAX; i++) {
        snprintf(name, sizeof(name), "n%d.example.org", i);
        am_dns_recording_add(&recording, name, AM_DNS_A, &answer);
    }
    assert_int_equal(recording.count, AM_DNS_RECORDING_QUESTIONS_MAX);
    assert_true(recording.cut);
    assert_false(am_dns_recording_save(&recording, 0, "/nonexistent/file", &problem));
    assert_non_null(strstr(problem.text, "more was asked"));
}

static void what_is_no_recording(void **state)
{
    (void)state;
#define FILE_OF(ANSWERS) "{\"format\":\"authmilter-dns\",\"version\":1,\"answers\":[" ANSWERS "]}"
#define ITEM(REST) "{\"name\":\"a.example\"," REST "}"
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"", "no JSON"},
        {"[]", "no recording of the DNS"},
        {"{\"format\":\"authmilter-dns\",\"version\":2,\"answers\":[]}", "of another version"},
        {"{\"format\":\"authmilter-dns\",\"version\":1}", "are no list"},
        {FILE_OF("1"), "answer 1 of the DNS is not of the form"},
        {FILE_OF(ITEM("\"type\":\"SOA\",\"outcome\":\"ok\",\"records\":[]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"fine\",\"records\":[]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"ok\",\"records\":[]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"nodata\",\"records\":[\"192.0.2.1\"]")),
         "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"ok\",\"records\":[\"2001:db8::1\"]")),
         "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"ok\",\"records\":[1]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"TXT\",\"outcome\":\"ok\",\"records\":[\"\\\\x4\"]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"TXT\",\"outcome\":\"ok\",\"records\":[\"\\\\\"]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"MX\",\"outcome\":\"ok\",\"records\":[\"mx\"]")), "answer 1"},
        {FILE_OF(ITEM("\"type\":\"A\",\"outcome\":\"nodata\",\"ttl\":-1,\"records\":[]")),
         "answer 1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_dns_recording recording;
        struct am_problem problem;
        int64_t now_s;

        am_dns_recording_init(&recording, arena);
        assert_false(am_dns_recording_parse(&recording, am_span_str(rows[i].text), "file", &now_s,
                                            &problem));
        if (strstr(problem.text, rows[i].sentence) == NULL)
            fail_msg("row %zu: \"%s\"", i, problem.text);
    }
}

/* Names that a sender made up, and a TTL of any size: a file of ours can be read. */
static void odd_names_and_ttl(void **state)
{
    static const char *const names[] = {"\xff\x01.example.org", "a\\\\b.example.org", ""};
    struct am_dns_recording recording, again;
    struct am_problem problem;
    char huge[1500];

    (void)state;
    memset(huge, 'a', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    am_dns_recording_init(&recording, arena);
    am_dns_recording_init(&again, arena);
    const struct am_dns_answer answer = {.outcome = AM_DNS_NXDOMAIN, .ttl_s = UINT32_MAX};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        am_dns_recording_add(&recording, names[i], AM_DNS_TXT, &answer);
    am_dns_recording_add(&recording, huge, AM_DNS_TXT, &answer);
    json_t *array = am_dns_recording_to_json(&recording);
    assert_non_null(array);
    if (!am_dns_recording_from_json(&again, array, &problem))
        fail_msg("%s", problem.text);
    json_decref(array);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct am_dns_answer *found = am_dns_recording_find(&again, names[i], AM_DNS_TXT);
        assert_non_null(found);
        assert_int_equal(found->ttl_s, UINT32_MAX);
    }
    assert_non_null(am_dns_recording_find(&again, huge, AM_DNS_TXT));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_arena, free_arena)
    const struct CMUnitTest tests[] = {
        TEST(recorded_kept_and_replayed),
        TEST(waiting_for_any),
        TEST(a_recording_has_bounds),
        TEST(what_is_no_recording),
        TEST(odd_names_and_ttl),
        TEST(a_recorder_turns_to_another_recording),
        TEST(an_answer_takes_the_place_of_another),
        TEST(a_replay_looks_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
