#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_rotor.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/dkim/key_room.h"

/*
 * Managed keys while memory is short, at every place: mail of a domain that has an active key is
 * signed with it or waits. It never goes out as if nobody managed keys for it.
 */

static int64_t now_us;
static struct am_resolver *server;
static struct dkim_private_key *key;
static struct am_arena *arena;

static int64_t monotonic_us(const struct am_clock *self)
{
    (void)self;
    return now_us;
}

static int64_t wall_s(const struct am_clock *self)
{
    (void)self;
    return INT64_C(1767225600);
}

static const struct am_clock fake = {monotonic_us, wall_s};

static void put_states(const char *state)
{
    char text[200];

    for (int i = 1; i < 9; i++) {
        snprintf(text, sizeof(text), "example.org/state.%d", i);
        (void)unlink(key_room_path(text));
    }
    snprintf(text, sizeof(text),
             "authmilter-keys 1\nkey a ed25519 %s 1 1 0 3600 unknown 0 -\nend 1\n", state);
    key_room_put("example.org/state.1", text, 0600);
}

static int set_up(void **state)
{
    struct am_buf text;
    struct am_problem problem;

    if (key_room_open(state) != 0)
        return -1;
    now_us = 1000000;
    arena = am_arena_new(4096, 0);
    key = dkim_private_key_generate(DKIM_KEY_ED25519, 0, NULL);
    key_room_folder("example.org", 0700);
    am_buf_init(&text, 0);
    if (arena == NULL || key == NULL || !dkim_private_key_write_pem(key, &text))
        return -1;
    key_room_put("example.org/a.pem", am_buf_str(&text), 0600);
    am_buf_clear(&text);
    am_buf_add_str(&text, "a._domainkey.example.org. 3600 IN TXT \"v=DKIM1; k=ed25519; p=");
    dkim_base64_encode(&text, dkim_private_key_public_octets(key));
    am_buf_add_str(&text, "\"\n");
    server = am_dns_zone_parse(am_buf_str(&text), "zone", &problem);
    am_buf_fini(&text);
    return server == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    am_arena_free(arena);
    dkim_private_key_free(key);
    am_resolver_free(server);
    return key_room_close(state);
}

static struct dkim_rotor *open_rotor(void)
{
    struct dkim_rotor_options options = {.directory = key_room,
                                         .zone = "",
                                         .check_ms = 3600000,
                                         .keep_ms = INT64_C(7) * 86400000,
                                         .clock = &fake,
                                         .resolvers = &server,
                                         .resolver_count = 1,
                                         .host = "mx1"};
    struct am_problem problem;

    assert_true(dkim_key_reader_find(&options.reader, "", "", &problem));
    return dkim_rotor_new(&options, &problem);
}

static int what(struct dkim_rotor *rotor)
{
    struct dkim_keys_choice choice;
    int found = dkim_rotor_find(rotor, arena, "example.org", &choice).what;

    assert_int_equal(choice.count, found == DKIM_ROTOR_SIGNS ? 1 : 0);
    am_arena_reset(arena);
    return found;
}

/* At the start: no rotor, and so no milter, or one that knows the domain. */
static void at_the_start(void **state)
{
    size_t count = 0, made = 0;
    bool failed = true;

    (void)state;
    for (; failed; count++) {
        put_states("active");
        failing_alloc_start(count);
        struct dkim_rotor *rotor = open_rotor();
        failed = failing_alloc_stop();
        assert_true(count < 1000);
        if (rotor == NULL)
            continue;
        made++;
        int found = what(rotor);
        if (found != DKIM_ROTOR_SIGNS && found != DKIM_ROTOR_NO_KEY)
            fail_msg("allocation %zu: the domain is %d", count, found);
        dkim_rotor_round(rotor);
        assert_int_equal(what(rotor), DKIM_ROTOR_SIGNS);
        dkim_rotor_drop(rotor);
    }
    assert_in_range(made, 1, count - 5);
}

/* While it runs: who signed goes on to sign. */
static void in_a_round(void **state)
{
    size_t count = 0;
    bool failed = true;

    (void)state;
    for (; failed; count++) {
        put_states("active");
        struct dkim_rotor *rotor = open_rotor();
        assert_non_null(rotor);
        failing_alloc_start(count);
        dkim_rotor_round(rotor);
        failed = failing_alloc_stop();
        assert_true(count < 1000);
        if (what(rotor) != DKIM_ROTOR_SIGNS)
            fail_msg("allocation %zu: the domain is %d", count, what(rotor));
        dkim_rotor_round(rotor);
        assert_int_equal(what(rotor), DKIM_ROTOR_SIGNS);
        dkim_rotor_drop(rotor);
    }
    assert_true(count > 10);
}

/* A key on its way is at most late: it never signs early. */
static void on_its_way(void **state)
{
    size_t count = 0;
    bool failed = true;

    (void)state;
    for (; failed; count++) {
        put_states("new");
        now_us = 1000000;
        struct dkim_rotor *rotor = open_rotor();
        assert_non_null(rotor);
        failing_alloc_start(count);
        for (int i = 0; i < 4; i++) {
            dkim_rotor_round(rotor);
            assert_int_equal(what(rotor), DKIM_ROTOR_NOT_YET);
            now_us += INT64_C(1199) * 1000000;
        }
        failed = failing_alloc_stop();
        assert_true(count < 5000);
        for (int i = 0; i < 5; i++) {
            now_us += INT64_C(1200) * 1000000;
            dkim_rotor_round(rotor);
        }
        assert_int_equal(what(rotor), DKIM_ROTOR_SIGNS);
        dkim_rotor_drop(rotor);
    }
    assert_true(count > 10);
}

/* A message that finds no memory waits. */
static void at_a_message(void **state)
{
    struct dkim_keys_choice choice;

    (void)state;
    put_states("active");
    struct dkim_rotor *rotor = open_rotor();
    assert_non_null(rotor);
    struct am_arena *small = am_arena_new(16, 16);
    assert_non_null(small);
    assert_int_equal(dkim_rotor_find(rotor, small, "example.org", &choice).what, DKIM_ROTOR_NO_KEY);
    assert_int_equal(choice.count, 0);
    am_arena_free(small);
    dkim_rotor_drop(rotor);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(at_the_start), TEST(in_a_round), TEST(on_its_way),
                                       TEST(at_a_message)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
