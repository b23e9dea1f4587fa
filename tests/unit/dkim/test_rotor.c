#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_rotation_store.h"
#include "dkim-milter/dkim_rotor.h"
#include "tests/support/dns/dns_server.h"
#include "tests/unit/dkim/key_room.h"

/* Managed keys in a directory, machines that share it, name servers with a script, a fake clock. */

#define TTL 3600

static int64_t now_us, now_s;
static struct am_resolver *servers[2];
static struct dkim_private_key *keys[3];
static const char *const names[] = {"a", "b", "c"};
static struct am_arena *arena;
static unsigned counted;

static int64_t monotonic_us(const struct am_clock *self)
{
    (void)self;
    return now_us;
}

static int64_t wall_s(const struct am_clock *self)
{
    (void)self;
    return now_s;
}

static const struct am_clock fake = {monotonic_us, wall_s};

static void pass(int64_t seconds)
{
    now_us += seconds * 1000000;
    now_s += seconds;
}

/* What a name server shows: letters of keys; a capital one is SERVFAIL, "x" another key for a. */
static void serve(size_t index, const char *shown)
{
    struct am_problem problem;
    struct am_buf zone;

    am_buf_init(&zone, 0);
    am_buf_add_str(&zone, "other.example.org. 60 IN A 192.0.2.1\n");
    for (; *shown != '\0'; shown++) {
        if (*shown >= 'A' && *shown <= 'C') {
            am_buf_printf(&zone, ";!servfail %c._domainkey.example.org.\n", *shown + ('a' - 'A'));
            continue;
        }
        struct am_buf digits;
        am_buf_init(&digits, 0);
        dkim_base64_encode(&digits,
                           dkim_private_key_public_octets(keys[*shown == 'x' ? 1 : *shown - 'a']));
        am_buf_printf(&zone, "%c._domainkey.example.org. %d IN TXT \"v=DKIM1; k=ed25519; p=%s\"\n",
                      *shown == 'x' ? 'a' : *shown, TTL, am_buf_str(&digits));
        am_buf_fini(&digits);
    }
    am_resolver_free(servers[index]);
    servers[index] = am_dns_zone_parse(am_buf_str(&zone), "zone", &problem);
    if (servers[index] == NULL)
        fail_msg("%s", problem.text);
    am_buf_fini(&zone);
}

static void put_key(size_t index)
{
    struct am_buf pem;
    char name[64];

    snprintf(name, sizeof(name), "example.org/%s.pem", names[index]);
    am_buf_init(&pem, 0);
    assert_true(dkim_private_key_write_pem(keys[index], &pem));
    key_room_put(name, am_buf_str(&pem), 0600);
    am_buf_fini(&pem);
}

static void put_state(const char *name, const char *rows)
{
    char path[64];

    snprintf(path, sizeof(path), "example.org/%s", name);
    key_room_put(path, rows, 0600);
}

#define ACTIVE_A "authmilter-keys 1\nkey a ed25519 active 1 1 0 3600 unknown 0 -\nend 1\n"

static int set_up(void **state)
{
    if (key_room_open(state) != 0)
        return -1;
    now_us = 1000000;
    now_s = INT64_C(1767225600);
    counted = 0;
    arena = am_arena_new(4096, 0);
    key_room_folder("example.org", 0700);
    serve(0, "");
    serve(1, "");
    return 0;
}

static int tear_down(void **state)
{
    am_arena_free(arena);
    for (size_t i = 0; i < 2; i++) {
        am_resolver_free(servers[i]);
        servers[i] = NULL;
    }
    return key_room_close(state);
}

static void count(void *user, const char *name, const char *label)
{
    (void)label;
    if (strcmp(name, "key_trouble") == 0)
        ++*(unsigned *)user;
}

static struct dkim_rotor *open_machine(const char *host)
{
    struct dkim_rotor_options options = {
        .directory = key_room,
        .zone = "",
        .check_ms = 3600000,
        .keep_ms = INT64_C(7) * 86400000,
        .grace_ms = 0,
        .clock = &fake,
        .count = count,
        .user = &counted,
        .resolvers = servers,
        .resolver_count = 2,
        .host = host,
    };
    struct am_problem problem;

    assert_true(dkim_key_reader_find(&options.reader, "", "", &problem));
    struct dkim_rotor *rotor = dkim_rotor_new(&options, &problem);
    if (rotor == NULL)
        fail_msg("%s", problem.text);
    return rotor;
}

/* The selectors that sign; or "not managed", "not yet", "none". */
static const char *signing(struct dkim_rotor *rotor)
{
    static char text[200];
    struct dkim_keys_choice choice;
    struct dkim_rotor_answer answer = dkim_rotor_find(rotor, arena, "example.org", &choice);

    strcpy(text, answer.what == DKIM_ROTOR_NOT_MANAGED ? "not managed"
                 : answer.what == DKIM_ROTOR_NOT_YET   ? "not yet"
                 : answer.what == DKIM_ROTOR_NO_KEY    ? "none"
                                                       : "");
    if (answer.what == DKIM_ROTOR_NOT_YET || answer.what == DKIM_ROTOR_NO_KEY)
        assert_non_null(answer.sentence);
    for (size_t i = 0; i < choice.count; i++)
        strcat(text, choice.keys[i]->selector);
    return text;
}

static struct dkim_rotation_domain stored(void)
{
    struct dkim_rotation_domain states;
    struct am_problem note;

    assert_true(dkim_store_read(key_room_path("example.org"), &states, &note));
    assert_string_equal(note.text, "");
    return states;
}

/* The resolvers of a rotor are those of its making: each scene makes it anew, like a restart that
 * loses only what a process knows. */
static struct dkim_rotor *scene(const char *host, const char *first, const char *second)
{
    serve(0, first);
    serve(1, second);
    struct dkim_rotor *rotor = open_machine(host);
    dkim_rotor_round(rotor);
    return rotor;
}

static void life_of_a_key(void **state)
{
    (void)state;
    put_key(0);
    struct dkim_rotor *rotor = scene("mx1", "", "a");
    assert_string_equal(signing(rotor), "not yet");
    dkim_rotor_drop(rotor);
    rotor = scene("mx1", "a", "a");
    assert_int_equal(stored().keys[0].state, DKIM_ROTATION_PUBLISHED);
    assert_string_equal(signing(rotor), "not yet");
    pass(TTL);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    assert_int_equal(stored().keys[0].state, DKIM_ROTATION_ACTIVE);
    put_key(1);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    dkim_rotor_drop(rotor);
    rotor = scene("mx1", "ab", "ab");
    pass(TTL);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "b");
    assert_int_equal(stored().keys[0].state, DKIM_ROTATION_RETIRED);
    dkim_rotor_drop(rotor);
}

/* A restart goes on where it was; another machine, and other name servers, begin anew. */
static void restarts(void **state)
{
    (void)state;
    put_key(0);
    dkim_rotor_drop(scene("mx1", "a", "a"));
    for (int i = 0; i < 4; i++) {
        struct dkim_rotor *rotor = scene("mx1", "a", "a");
        pass(TTL / 4 - 1);
        dkim_rotor_round(rotor);
        assert_string_equal(signing(rotor), "not yet");
        dkim_rotor_drop(rotor);
        pass(86400);
    }
    assert_int_equal(stored().keys[0].right_s, TTL - 4);
    struct dkim_rotor *other = scene("mx2", "a", "a");
    pass(60);
    dkim_rotor_round(other);
    assert_string_equal(signing(other), "not yet");
    dkim_rotor_drop(other);
    struct dkim_rotor *rotor = scene("mx1", "a", "a");
    pass(4);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    dkim_rotor_drop(rotor);
}

/* A message keeps its keys, whatever becomes of the domain. */
static void keys_outlive_their_folder(void **state)
{
    struct dkim_keys_choice choice;

    (void)state;
    put_key(0);
    put_state("state.1", ACTIVE_A);
    struct dkim_rotor *rotor = scene("mx1", "a", "a");
    assert_int_equal(dkim_rotor_find(rotor, arena, "example.org", &choice).what, DKIM_ROTOR_SIGNS);
    assert_int_equal(unlink(key_room_path("example.org/a.pem")), 0);
    assert_int_equal(unlink(key_room_path("example.org/state.1")), 0);
    assert_int_equal(rmdir(key_room_path("example.org")), 0);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "not managed");
    dkim_rotor_drop(rotor);
    assert_true(dkim_private_key_bits(choice.keys[0]->key) == 256);
}

/* A machine whose name servers do not show the new key signs with the former one. */
static void machines_see_different_things(void **state)
{
    (void)state;
    put_key(0);
    put_key(1);
    put_state("state.1", "authmilter-keys 1\n"
                         "key a ed25519 retired 1 1 9000000000 3600 unknown 0 -\n"
                         "key b ed25519 active 1 1 0 3600 unknown 0 -\nend 2\n");
    struct dkim_rotor *first = scene("mx1", "ab", "ab");
    assert_string_equal(signing(first), "b");
    struct dkim_rotor *second = scene("mx2", "ab", "a");
    assert_string_equal(signing(second), "a");
    assert_int_equal(stored().keys[1].trouble, DKIM_SIGHT_ABSENT);
    assert_string_equal(stored().keys[1].trouble_by, "mx2");
    assert_int_equal(counted, 1);
    dkim_rotor_drop(first);
    dkim_rotor_drop(second);
}

/* Two machines move the same keys on: one generation after the other, none lost. */
static void machines_race(void **state)
{
    (void)state;
    put_key(0);
    serve(0, "a");
    serve(1, "a");
    struct dkim_rotor *first = open_machine("mx1"), *second = open_machine("mx2");
    dkim_rotor_round(first);
    dkim_rotor_round(second);
    assert_int_equal(stored().generation, 1);
    pass(TTL);
    dkim_rotor_round(second);
    dkim_rotor_round(first);
    assert_int_equal(stored().generation, 2);
    assert_string_equal(signing(first), "a");
    assert_string_equal(signing(second), "a");
    dkim_rotor_drop(first);
    dkim_rotor_drop(second);
}

static void generations_conflict(void **state)
{
    struct am_problem problem;
    const char *folder;

    (void)state;
    put_state("state.1", ACTIVE_A);
    struct dkim_rotation_domain one = stored(), two = stored();
    folder = key_room_path("example.org");
    dkim_rotation_retire(&one.keys[0], 100, 1000);
    assert_int_equal(dkim_store_write(folder, &one, &problem), DKIM_STORE_WRITTEN);
    two.keys[0].ttl_s = 5;
    assert_int_equal(dkim_store_write(folder, &two, &problem), DKIM_STORE_CONFLICT);
    assert_int_equal(two.generation, 1);
    assert_int_equal(stored().keys[0].state, DKIM_ROTATION_RETIRED);
    for (int i = 0; i < 20; i++)
        assert_int_equal(dkim_store_write(folder, &one, &problem), DKIM_STORE_WRITTEN);
    assert_int_equal(stored().generation, 22);
    assert_int_not_equal(access(key_room_path("example.org/state.18"), F_OK), 0);
    assert_int_equal(access(key_room_path("example.org/state.19"), F_OK), 0);
}

static void torn_generation(void **state)
{
    (void)state;
    put_key(0);
    put_state("state.7", ACTIVE_A);
    put_state("state.8", "authmilter-keys 1\nkey a ed25519 acti");
    struct dkim_rotor *rotor = scene("mx1", "a", "a");
    assert_string_equal(signing(rotor), "a");
    assert_int_equal(stored().generation, 9); /* mended */
    put_state("state.10", "");
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    assert_int_equal(stored().generation, 11);
    dkim_rotor_drop(rotor);
}

static void link_in_place_of_states(void **state)
{
    (void)state;
    put_key(0);
    put_state("elsewhere", ACTIVE_A);
    assert_int_equal(
        symlink(key_room_path("example.org/elsewhere"), key_room_path("example.org/state.1")), 0);
    struct dkim_rotor *rotor = scene("mx1", "", "");
    assert_string_equal(signing(rotor), "none");
    dkim_rotor_drop(rotor);
}

/* No room on the disk: nothing moves on, who signs goes on, and later it is done. */
static void disk_full(void **state)
{
    struct rlimit former, none;

    (void)state;
    put_key(0);
    put_key(1);
    put_state("state.1", ACTIVE_A);
    serve(0, "ab");
    serve(1, "ab");
    struct dkim_rotor *rotor = open_machine("mx1");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    none = former;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    for (int i = 0; i < 3; i++) {
        dkim_rotor_round(rotor);
        pass(TTL);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    assert_string_equal(signing(rotor), "a");
    assert_int_equal(stored().generation, 1);
    dkim_rotor_round(rotor);
    pass(TTL);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "b");
    dkim_rotor_drop(rotor);
}

/* The whole directory is away for a while, as on a server that restarts. */
static void directory_away(void **state)
{
    char away[96];

    (void)state;
    put_key(0);
    put_state("state.1", ACTIVE_A);
    struct dkim_rotor *rotor = scene("mx1", "a", "a");
    snprintf(away, sizeof(away), "%s.away", key_room);
    assert_int_equal(rename(key_room, away), 0);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    assert_int_equal(rename(away, key_room), 0);
    dkim_rotor_drop(rotor);
}

static void key_file_gone_at_start(void **state)
{
    (void)state;
    put_state("state.1", ACTIVE_A);
    struct dkim_rotor *rotor = scene("mx1", "a", "a");
    assert_string_equal(signing(rotor), "none");
    put_key(0);
    dkim_rotor_round(rotor);
    assert_string_equal(signing(rotor), "a");
    dkim_rotor_drop(rotor);
}

/* What each of the two name servers shows, and who signs then: the active a, the former b. */
static void what_is_shown(void **state)
{
    static const struct {
        const char *first, *second, *signs;
        unsigned told;
    } rows[] = {
        {"ab", "ab", "a", 0}, {"b", "b", "b", 1},    {"xb", "xb", "b", 1},    {"ab", "b", "b", 1},
        {"a", "a", "a", 0},   {"", "", "none", 1},   {"AB", "AB", "a", 0},    {"Ab", "ab", "a", 0},
        {"Ab", "b", "b", 1},  {"x", "x", "none", 1}, {"xB", "xB", "none", 1},
    };

    (void)state;
    put_key(0);
    put_key(1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned old = 1; old < 4; old++) {
            char name[32];
            snprintf(name, sizeof(name), "example.org/state.%u", old);
            (void)unlink(key_room_path(name));
        }
        put_state("state.1", "authmilter-keys 1\n"
                             "key a ed25519 active 1 1 0 3600 unknown 0 -\n"
                             "key b ed25519 retired 1 1 9000000000 3600 unknown 0 -\nend 2\n");
        counted = 0;
        struct dkim_rotor *rotor = scene("mx1", rows[i].first, rows[i].second);
        if (strcmp(signing(rotor), rows[i].signs) != 0)
            fail_msg("row %zu: %s signs", i, signing(rotor));
        assert_int_equal(counted, rows[i].told);
        dkim_rotor_round(rotor);
        assert_int_equal(counted, rows[i].told);
        pass(3601);
        dkim_rotor_round(rotor);
        assert_int_equal(counted, rows[i].told * 2); /* told again each hour */
        dkim_rotor_drop(rotor);
    }
}

/* Real name servers, each asked for itself: one that does not show the record is not answered for
 * by the other. With the thread that does it all, and the real clock. */
static void two_name_servers(void **state)
{
    struct am_problem problem;
    struct am_buf zone, digits;
    struct dkim_keys_choice choice;

    (void)state;
    put_key(0);
    am_buf_init(&zone, 0);
    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, dkim_private_key_public_octets(keys[0]));
    am_buf_printf(&zone, "a._domainkey.example.org. 1 IN TXT \"v=DKIM1; k=ed25519; p=%s\"\n",
                  am_buf_str(&digits));
    struct dns_server *first = dns_server_new(am_buf_str(&zone), 0, &problem);
    struct dns_server *second = dns_server_new(am_buf_str(&zone), 0, &problem);
    struct dns_server *empty =
        dns_server_new("other.example.org. 60 IN A 192.0.2.1\n", 0, &problem);
    assert_true(first != NULL && second != NULL && empty != NULL);
    const char *lagging[] = {dns_server_address(first), dns_server_address(empty)};
    const char *good[] = {dns_server_address(first), dns_server_address(second)};
    struct dkim_rotor_options options = {.directory = key_room,
                                         .zone = "",
                                         .servers = lagging,
                                         .server_count = 2,
                                         .timeout_ms = 2000,
                                         .check_ms = 100,
                                         .clock = am_clock_system()};
    assert_true(dkim_key_reader_find(&options.reader, "", "", &problem));
    struct dkim_rotor *rotor = dkim_rotor_new(&options, &problem);
    assert_non_null(rotor);
    for (int i = 0; i < 3; i++)
        dkim_rotor_round(rotor);
    assert_int_equal(dns_server_count(first, "a._domainkey.example.org"), 3);
    assert_int_equal(dns_server_count(empty, "a._domainkey.example.org"), 3);
    assert_string_equal(signing(rotor), "not yet");
    assert_int_equal(stored().generation, 0);
    dkim_rotor_drop(rotor);
    options.servers = good;
    rotor = dkim_rotor_new(&options, &problem);
    assert_non_null(rotor);
    assert_true(dkim_rotor_is_from(rotor, &options));
    dkim_rotor_start(rotor);
    while (dkim_rotor_find(rotor, arena, "example.org", &choice).what != DKIM_ROTOR_SIGNS) {
        am_arena_reset(arena);
        usleep(20000);
    }
    assert_string_equal(choice.keys[0]->selector, "a");
    assert_int_equal(stored().keys[0].state, DKIM_ROTATION_ACTIVE);
    dkim_rotor_drop(rotor);
    dns_server_free(first);
    dns_server_free(second);
    dns_server_free(empty);
    am_buf_fini(&zone);
    am_buf_fini(&digits);
}

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        if ((keys[i] = dkim_private_key_generate(DKIM_KEY_ED25519, 0, NULL)) == NULL)
            return -1;
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        dkim_private_key_free(keys[i]);
    return 0;
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(life_of_a_key),
        TEST(keys_outlive_their_folder),
        TEST(restarts),
        TEST(machines_race),
        TEST(machines_see_different_things),
        TEST(torn_generation),
        TEST(generations_conflict),
        TEST(disk_full),
        TEST(link_in_place_of_states),
        TEST(directory_away),
        TEST(key_file_gone_at_start),
        TEST(what_is_shown),
        TEST(two_name_servers),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
