#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "dkim-milter/dkim_rotation.h"

/* The life of managed keys, with a clock that the test moves. */

#define TTL 3600
#define DAY 86400
#define NOW INT64_C(1767225600)

enum { R = DKIM_SIGHT_RIGHT, A = DKIM_SIGHT_ABSENT, D = DKIM_SIGHT_DIFFERS, N = DKIM_SIGHT_NONE };

static struct dkim_rotation_domain domain;
static struct dkim_rotation_rules rules;
static struct dkim_rotation_event events[DKIM_ROTATION_EVENTS_MAX];
static size_t event_count;
static int64_t now_us, now_s;
static bool changed;

static int set_up(void **state)
{
    (void)state;
    memset(&domain, 0, sizeof(domain));
    rules = (struct dkim_rotation_rules){.views = 2,
                                         .keep_s = 7 * DAY,
                                         .grace_us = INT64_C(300) * 1000000,
                                         .gap_us = INT64_C(3600) * 1000000,
                                         .host = "mx1",
                                         .witness = "mx1-1"};
    now_us = 1000000;
    now_s = NOW;
    return 0;
}

static struct dkim_rotation_key *add(const char *selector, enum dkim_key_type type,
                                     enum dkim_rotation_state state)
{
    struct dkim_rotation_key *key = dkim_rotation_add(&domain, selector, type, now_s, NULL);

    assert_non_null(key);
    key->usable = true;
    key->state = state;
    key->keep_until_s = state == DKIM_ROTATION_RETIRED ? now_s + 7 * DAY : 0;
    return key;
}

static void pass(int64_t seconds)
{
    now_us += seconds * 1000000;
    now_s += seconds;
}

static void see(struct dkim_rotation_key *key, int first, int second)
{
    const enum dkim_sight sights[] = {(enum dkim_sight)first, (enum dkim_sight)second};

    dkim_rotation_note(key, &rules, sights, first == R || second == R ? TTL : 0, now_us);
}

static void step(void)
{
    changed = dkim_rotation_step(&domain, &rules, now_s, events, &event_count);
}

/* The selectors that sign, with blanks between them; "-" when none does. */
static const char *signing(void)
{
    static char text[400];
    struct dkim_rotation_choice choice;

    dkim_rotation_choose(&domain, &rules, now_s, now_us, &choice);
    strcpy(text, choice.what == DKIM_ROTATION_NOT_YET ? "not yet" : choice.count == 0 ? "-" : "");
    for (size_t i = 0; i < choice.count; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, domain.keys[choice.keys[i]].selector);
    }
    return text;
}

static void from_new_to_active(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    see(key, A, A);
    step();
    assert_false(changed);
    assert_int_equal(key->state, DKIM_ROTATION_NEW);
    assert_string_equal(signing(), "not yet");
    see(key, R, R);
    step();
    assert_true(changed);
    assert_int_equal(event_count, 1);
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    assert_int_equal(key->since_s, now_s);
    assert_string_equal(signing(), "not yet");
    pass(TTL - 1);
    see(key, R, R);
    step();
    assert_int_equal(event_count, 0);
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    pass(1);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_ACTIVE);
    assert_string_equal(signing(), "a");
}

/* One of the two name servers lags behind: it is waited for, and the TTL begins then. */
static void one_lags(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    for (int i = 0; i < 5; i++) {
        see(key, R, A);
        step();
        assert_int_equal(key->state, DKIM_ROTATION_NEW);
        pass(TTL);
    }
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    pass(TTL);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_ACTIVE);
}

/* What comes and goes is never shown for a whole TTL. */
static void flapping(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    for (int i = 0; i < 20; i++) {
        see(key, R, R);
        step();
        pass(TTL / 2);
        see(key, R, i % 2 == 0 ? A : D);
        step();
        pass(TTL / 2);
    }
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    see(key, R, R);
    pass(TTL);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_ACTIVE);
}

/* Silence shows nothing: that time does not count, and what was shown before does. */
static void silence_on_the_way(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    see(key, R, R);
    step();
    pass(TTL / 2);
    see(key, R, R);
    pass(10 * TTL);
    see(key, R, N);
    pass(10 * TTL);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    pass(TTL / 2);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_ACTIVE);
}

/* A process that slept, or hung, has seen nothing meanwhile. */
static void long_gap(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    rules.gap_us = INT64_C(120) * 1000000;
    see(key, R, R);
    step();
    pass(30 * DAY);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
}

/* Neither direction brings a key forward: only the monotonic clock counts. */
static void wall_clock_jumps(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);
    struct dkim_rotation_key *old = add("old", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);

    (void)state;
    see(key, R, R);
    see(old, R, R);
    step();
    now_s += 400 * DAY;
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
    now_s -= 800 * DAY;
    pass(TTL);
    see(key, R, R);
    see(old, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_ACTIVE);
    assert_int_equal(old->state, DKIM_ROTATION_RETIRED);
    assert_false(dkim_rotation_is_over(old, now_s));
    assert_string_equal(signing(), "a");
}

static void takes_over(void **state)
{
    struct dkim_rotation_key *old = add("old", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);
    struct dkim_rotation_key *ed = add("ed", DKIM_KEY_ED25519, DKIM_ROTATION_ACTIVE);
    struct dkim_rotation_key *key = add("new", DKIM_KEY_RSA, DKIM_ROTATION_NEW);

    (void)state;
    for (int i = 0; i < 2; i++) {
        see(old, R, R);
        see(ed, R, R);
        see(key, R, R);
        step();
        assert_string_equal(signing(), "old ed");
        pass(TTL / 2);
    }
    see(key, R, R);
    step();
    assert_int_equal(event_count, 2);
    assert_int_equal(old->state, DKIM_ROTATION_RETIRED);
    assert_int_equal(old->keep_until_s, now_s + 7 * DAY);
    assert_int_equal(ed->state, DKIM_ROTATION_ACTIVE);
    assert_string_equal(signing(), "new ed");
    assert_false(dkim_rotation_is_over(old, now_s + 7 * DAY - 1));
    assert_true(dkim_rotation_is_over(old, now_s + 7 * DAY));
}

/* A key whose file cannot be read does not take over. */
static void without_its_file(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_PUBLISHED);

    (void)state;
    key->usable = false;
    see(key, R, R);
    pass(TTL);
    see(key, R, R);
    step();
    assert_int_equal(key->state, DKIM_ROTATION_PUBLISHED);
}

static void vanishes_with_a_former_key(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);
    struct dkim_rotation_key *former = add("f", DKIM_KEY_RSA, DKIM_ROTATION_RETIRED);

    (void)state;
    see(key, R, R);
    see(former, R, R);
    step();
    assert_string_equal(signing(), "a");
    see(key, A, R);
    step();
    assert_true(changed);
    assert_int_equal(event_count, 1);
    assert_int_equal(events[0].what, DKIM_ROTATION_TROUBLE);
    assert_int_equal(key->trouble, DKIM_SIGHT_ABSENT);
    assert_string_equal(key->trouble_by, "mx1");
    assert_string_equal(signing(), "f");
    /* It is told once, and again when it is another trouble. */
    step();
    assert_int_equal(event_count, 0);
    assert_false(changed);
    see(key, D, D);
    step();
    assert_int_equal(event_count, 1);
    assert_int_equal(key->trouble, DKIM_SIGHT_DIFFERS);
    /* The former key's record may be gone, too, or its time over. */
    see(former, A, R);
    pass(301);
    assert_string_equal(signing(), "-");
    see(former, R, R);
    assert_string_equal(signing(), "f");
    now_s += 8 * DAY;
    assert_string_equal(signing(), "-");
    now_s -= 8 * DAY;
    see(key, R, R);
    step();
    assert_int_equal(events[0].what, DKIM_ROTATION_TROUBLE_OVER);
    assert_int_equal(key->trouble, DKIM_SIGHT_NONE);
    assert_string_equal(signing(), "a");
}

static void last_key_vanishes(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);

    (void)state;
    see(key, R, R);
    see(key, A, R);
    pass(DAY);
    assert_string_equal(signing(), "a"); /* some still show it */
    see(key, A, A);
    assert_string_equal(signing(), "a");
    pass(299);
    see(key, N, N);
    assert_string_equal(signing(), "a");
    pass(1);
    assert_string_equal(signing(), "-");
    rules.sign_unpublished = true;
    assert_string_equal(signing(), "a");
}

/* SERVFAIL and time-outs, for however long, are no evidence. */
static void silence_for_ever(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);

    (void)state;
    see(key, R, R);
    for (int i = 0; i < 100; i++) {
        pass(DAY);
        see(key, N, N);
        step();
        assert_int_equal(event_count, 0);
        assert_string_equal(signing(), "a");
    }
}

/* A new key that is right but whose TTL is not over is better than none. */
static void next_key_helps_out(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);
    struct dkim_rotation_key *next = add("n", DKIM_KEY_RSA, DKIM_ROTATION_PUBLISHED);

    (void)state;
    see(key, R, R);
    see(next, R, R);
    assert_string_equal(signing(), "a");
    see(key, A, A);
    assert_string_equal(signing(), "n");
    see(next, R, A);
    assert_string_equal(signing(), "a"); /* within its grace */
}

/* After a start what the machines have said counts until the name servers have been asked. */
static void trouble_over_a_restart(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);

    (void)state;
    assert_string_equal(signing(), "a");
    key->trouble = DKIM_SIGHT_ABSENT;
    assert_string_equal(signing(), "-");
    see(key, R, R);
    assert_string_equal(signing(), "a");
}

/* Two machines see different things: neither takes the other's words back. */
static void trouble_of_another_machine(void **state)
{
    struct dkim_rotation_key *key = add("a", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE);

    (void)state;
    key->trouble = DKIM_SIGHT_ABSENT;
    strcpy(key->trouble_by, "mx2");
    see(key, R, R);
    step();
    assert_false(changed);
    assert_string_equal(signing(), "a");
    rules.host = "mx2";
    step();
    assert_true(changed);
    assert_int_equal(key->trouble, DKIM_SIGHT_NONE);
}

/* A process that begins anew: what is written of the states is all it knows. */
static void restart(const char *witness)
{
    struct dkim_rotation_domain back = {.generation = 0};
    static const struct dkim_rotation_domain nothing;
    struct am_problem problem;
    struct am_buf text;

    am_buf_init(&text, 0);
    dkim_rotation_write(&domain, &text);
    if (!dkim_rotation_read(&back, am_buf_span(&text), &problem))
        fail_msg("%s", problem.text);
    am_buf_fini(&text);
    dkim_rotation_inherit(&back, &nothing, witness);
    for (size_t i = 0; i < back.count; i++)
        back.keys[i].usable = true;
    domain = back;
    rules.witness = witness;
    now_us = 5000000; /* another boot */
}

static void see_right_for(int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i += 60) {
        pass(60);
        see(&domain.keys[0], R, R);
        step();
    }
}

static void a_restart_goes_on(void **state)
{
    (void)state;
    add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);
    see(&domain.keys[0], R, R);
    step();
    see_right_for(TTL / 2);
    int64_t right_s = domain.keys[0].right_s;
    assert_in_range(right_s, TTL / 2 - TTL / 8, TTL / 2);
    assert_string_equal(domain.keys[0].right_by, "mx1-1");
    now_s += 100 * DAY; /* off for a while: that is no time in which it was shown */
    restart("mx1-1");
    see(&domain.keys[0], R, R);
    step();
    assert_int_equal(domain.keys[0].state, DKIM_ROTATION_PUBLISHED);
    see_right_for(TTL - right_s - 60);
    assert_int_equal(domain.keys[0].state, DKIM_ROTATION_PUBLISHED);
    see_right_for(60);
    assert_int_equal(domain.keys[0].state, DKIM_ROTATION_ACTIVE);
    assert_string_equal(domain.keys[0].right_by, "");
    assert_int_equal(domain.keys[0].right_s, 0);
}

/* It is written now and then only: a generation for each look would be many. */
static void progress_is_seldom_written(void **state)
{
    unsigned written = 0;

    (void)state;
    add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);
    see(&domain.keys[0], R, R);
    step();
    for (int i = 0; i < TTL / 60; i++) {
        see_right_for(60);
        written += changed;
    }
    assert_in_range(written, 4, 9);
}

/* Another machine, or the same one with other name servers, has seen nothing yet. */
static void others_begin_anew(void **state)
{
    (void)state;
    add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);
    see(&domain.keys[0], R, R);
    step();
    see_right_for(TTL - 60);
    int64_t written_s = domain.keys[0].right_s;
    assert_true(written_s > TTL / 2);
    restart("mx1-2");
    see(&domain.keys[0], R, R);
    see_right_for(TTL - 60);
    assert_int_equal(domain.keys[0].state, DKIM_ROTATION_PUBLISHED);
    /* Its progress is less than what is written, which stays. */
    assert_string_equal(domain.keys[0].right_by, "mx1-1");
    assert_int_equal(domain.keys[0].right_s, written_s);
    see_right_for(60);
    assert_int_equal(domain.keys[0].state, DKIM_ROTATION_ACTIVE);
}

/* A wrong record before the restart, or right behind it, begins the TTL anew. */
static void a_wrong_record_undoes_progress(void **state)
{
    (void)state;
    for (int before = 0; before < 2; before++) {
        domain.count = 0;
        rules.witness = "mx1-1";
        add("a", DKIM_KEY_RSA, DKIM_ROTATION_NEW);
        see(&domain.keys[0], R, R);
        step();
        see_right_for(TTL / 2);
        if (before) {
            see(&domain.keys[0], R, A);
            step();
            assert_true(changed);
            assert_int_equal(domain.keys[0].right_s, 0);
        }
        restart("mx1-1");
        if (!before) {
            see(&domain.keys[0], D, R);
            step();
        }
        assert_int_equal(domain.keys[0].right_s, 0);
        see(&domain.keys[0], R, R);
        see_right_for(TTL - 60);
        assert_int_equal(domain.keys[0].state, DKIM_ROTATION_PUBLISHED);
        see_right_for(60);
        assert_int_equal(domain.keys[0].state, DKIM_ROTATION_ACTIVE);
    }
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, set_up)
    const struct CMUnitTest tests[] = {
        TEST(from_new_to_active),
        TEST(one_lags),
        TEST(flapping),
        TEST(silence_on_the_way),
        TEST(long_gap),
        TEST(wall_clock_jumps),
        TEST(takes_over),
        TEST(without_its_file),
        TEST(vanishes_with_a_former_key),
        TEST(last_key_vanishes),
        TEST(silence_for_ever),
        TEST(next_key_helps_out),
        TEST(trouble_over_a_restart),
        TEST(trouble_of_another_machine),
        TEST(a_restart_goes_on),
        TEST(progress_is_seldom_written),
        TEST(others_begin_anew),
        TEST(a_wrong_record_undoes_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
