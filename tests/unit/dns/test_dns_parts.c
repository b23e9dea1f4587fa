#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/ip.h"
#include "common/dns/dns_cache.h"
#include "common/dns/dns_key.h"
#include "common/dns/dns_packet.h"
#include "common/dns/dns_server_list.h"

#define SECOND INT64_C(1000000)

static struct am_dns_name name_of(const char *text)
{
    struct am_dns_name name;

    if (!am_dns_name_parse(&name, text))
        fail_msg("'%s' should be a name", text);
    return name;
}

/* --- names --- */

static void test_name_forms(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"Example.COM", "example.com"},
        {"example.com.", "example.com"},
        {".", ""},
        {"a b\\;.x", "a\\032b\\059.x"},
        {"\\065\\.b", "a\\046b"},
        {"\303\244.x", "\\195\\164.x"},
        {"_spf.x-1", "_spf.x-1"},
    };
    char out[AM_DNS_NAME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_dns_name name = name_of(cases[i].text);
        assert_int_equal(am_dns_name_print(&name, out), strlen(cases[i].printed));
        assert_string_equal(out, cases[i].printed);
        struct am_dns_name again = {0};
        assert_true(am_dns_name_from_wire(&again, name.wire, name.len));
        assert_true(am_dns_name_equal(&name, &again));
    }
}

static void test_name_limits(void **state)
{
    static const char *const bad[] = {"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256"};
    struct am_dns_name name;
    char text[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(am_dns_name_parse(&name, bad[i]));
    snprintf(text, sizeof(text), "%063d.%063d.%063d.%061d", 0, 0, 0, 0);
    assert_int_equal(strlen(text), 253);
    assert_int_equal(name_of(text).len, 255);
    strcat(text, ".");
    assert_int_equal(name_of(text).len, 255);
    snprintf(text, sizeof(text), "%063d.%063d.%063d.%062d", 0, 0, 0, 0);
    assert_false(am_dns_name_parse(&name, text));
    snprintf(text, sizeof(text), "%064d", 0);
    assert_false(am_dns_name_parse(&name, text));
    assert_false(am_dns_name_from_wire(&name, (const uint8_t *)"\003ab", 3));
    assert_false(am_dns_name_from_wire(&name, (const uint8_t *)"\300\014", 2));
}

static void test_reverse_names(void **state)
{
    char out[AM_DNS_REVERSE_MAX];
    struct am_ip ip;

    (void)state;
    assert_true(am_ip_parse(&ip, am_span_str("192.0.2.129")));
    assert_string_equal(am_dns_reverse_name(&ip, out), "129.2.0.192.in-addr.arpa");
    assert_true(am_ip_parse(&ip, am_span_str("2001:db8::cb01")));
    assert_string_equal(am_dns_reverse_name(&ip, out),
                        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    ip = (struct am_ip){0};
    assert_string_equal(am_dns_reverse_name(&ip, out), "");
}

/* --- packets --- */

static void test_questions_cannot_be_foreseen(void **state)
{
    struct am_dns_name name = name_of("a-rather-long-name-of-letters.example.com");
    struct am_dns_question first, second;

    (void)state;
    assert_true(am_dns_question_make(&first, &name, AM_DNS_A));
    assert_true(am_dns_question_make(&second, &name, AM_DNS_A));
    /* Of 37 letters and 16 bits of id all alike: once in 10^15 runs. */
    assert_true(first.id != second.id || memcmp(first.name.wire, second.name.wire, name.len) != 0);
    struct am_dns_name lower;
    assert_true(am_dns_name_from_wire(&lower, first.name.wire, first.name.len));
    assert_true(am_dns_name_equal(&lower, &name));
}

static void test_match(void **state)
{
    struct am_dns_question question = {.id = 0x1234, .type = AM_DNS_A, .name = name_of("ab.c")};
    uint8_t packet[AM_DNS_QUERY_MAX];

    (void)state;
    question.name.wire[1] = 'A';
    size_t len = am_dns_packet_build(packet, &question, true);
    assert_int_equal(len, 12 + 6 + 4 + 11);
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_NO); /* QR */
    packet[2] |= 0x80;
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_YES);
    for (size_t cut = 0; cut < 12 + 6 + 4; cut++)
        assert_int_equal(am_dns_packet_match(packet, cut, &question), AM_DNS_MATCH_NO);
    packet[2] |= 0x08; /* opcode */
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_NO);
    packet[2] &= (uint8_t)~0x08;
    packet[13] = 'a';
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_CASE);
    packet[13] = 'x';
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_NO);
    packet[13] = 'A';
    packet[21] = 3; /* class */
    assert_int_equal(am_dns_packet_match(packet, len, &question), AM_DNS_MATCH_NO);
    packet[5] = 0;
    packet[3] = 1;
    assert_int_equal(am_dns_packet_match(packet, 12, &question), AM_DNS_MATCH_BARE);
    packet[3] = 0; /* NOERROR without a question answers nothing */
    assert_int_equal(am_dns_packet_match(packet, 12, &question), AM_DNS_MATCH_NO);
}

/* --- cache --- */

static struct am_dns_key_seed seed = {{1, 2}};

static void keep(struct am_dns_cache *cache, const char *text, uint32_t ttl_s, int64_t now_us)
{
    struct am_dns_name name = name_of(text);
    struct am_dns_set *set = am_dns_set_new(AM_DNS_NODATA);

    set->ttl_s = ttl_s;
    am_dns_cache_store(cache, am_dns_key_hash(&seed, &name, AM_DNS_A), &name, AM_DNS_A, set,
                       now_us);
    am_dns_set_drop(set);
}

/* Returns the seconds left, or -1. */
static int64_t left(struct am_dns_cache *cache, const char *text, int64_t now_us)
{
    struct am_dns_name name = name_of(text);
    uint32_t ttl_s;
    struct am_dns_set *set = am_dns_cache_find(cache, am_dns_key_hash(&seed, &name, AM_DNS_A),
                                               &name, AM_DNS_A, now_us, &ttl_s);

    am_dns_set_drop(set);
    return set != NULL ? (int64_t)ttl_s : -1;
}

static void test_cache_time(void **state)
{
    struct am_dns_cache *cache = am_dns_cache_new(10, 100000);

    (void)state;
    keep(cache, "a", 60, 0);
    keep(cache, "long", 4000000, 0);
    keep(cache, "none", 0, 0);
    assert_int_equal(left(cache, "A.", 0), 60);
    assert_int_equal(left(cache, "a", 20 * SECOND), 40);
    assert_int_equal(left(cache, "a", 60 * SECOND), -1);
    assert_int_equal(left(cache, "long", 0), 86400);
    assert_int_equal(left(cache, "none", 0), -1);
    keep(cache, "long", 5, SECOND);
    assert_int_equal(left(cache, "long", SECOND), 5);
    am_dns_cache_free(cache);
}

static void test_cache_room(void **state)
{
    struct am_dns_cache *cache = am_dns_cache_new(3, 100000);
    struct am_dns_cache_figures figures;

    (void)state;
    keep(cache, "a", 60, 0);
    keep(cache, "b", 60, 0);
    keep(cache, "c", 60, 0);
    assert_int_equal(left(cache, "a", 0), 60); /* used: now b is the oldest */
    keep(cache, "d", 60, 0);
    assert_int_equal(left(cache, "b", 0), -1);
    assert_int_equal(left(cache, "a", 0), 60);
    am_dns_cache_read_figures(cache, &figures);
    assert_int_equal(figures.entries, 3);
    assert_int_equal(figures.evicted, 1);
    am_dns_cache_free(cache);

    cache = am_dns_cache_new(1000, 2000);
    char text[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        keep(cache, text, 60, 0);
        am_dns_cache_read_figures(cache, &figures);
        assert_true(figures.bytes <= 2000);
    }
    assert_true(figures.entries > 2);
    am_dns_cache_free(cache);
}

/* --- servers --- */

static void read_servers(struct am_dns_server_list *list, const char *const *texts, size_t count)
{
    struct am_dns_live_options options = {.nameservers = texts, .nameserver_count = count};
    struct am_problem problem;

    if (!am_dns_server_list_read(list, &options, &problem))
        fail_msg("%s", problem.text);
}

static void test_server_addresses(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1",
                                        "[2001:db8::1]", "[2001:db8::1]:5353"};
    struct am_dns_server_list list;

    (void)state;
    read_servers(&list, texts, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(list.servers[i].address.ss_family, i < 2 ? AF_INET : AF_INET6);
        /* The port stands at the same place in both families. */
        const uint8_t *port = (const uint8_t *)&list.servers[i].address + 2;
        assert_int_equal(port[0] << 8 | port[1], i % 3 == 1 ? 5353 : 53);
    }
}

static void test_server_pauses(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "192.0.2.2"};
    static const int64_t pauses_s[] = {1, 2, 4, 8, 16, 30, 30};
    struct am_dns_server_list list;
    int64_t now_us = 100 * SECOND;

    (void)state;
    read_servers(&list, texts, 2);
    struct am_dns_server *server = &list.servers[0];
    assert_int_equal(am_dns_server_list_pick(&list, 0, 0), 0);
    for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
        am_dns_server_silent(server, now_us, now_us + SECOND);
        am_dns_server_silent(server, now_us, now_us + SECOND); /* under way together: counts once */
        assert_int_equal(server->aside_until_us - now_us - SECOND, pauses_s[i] * SECOND);
        assert_int_equal(am_dns_server_list_pick(&list, 0, 0), 1);
        assert_int_equal(am_dns_server_list_pick(&list, 2, 0), -1);
        assert_int_equal(am_dns_server_list_pick_probe(&list, server->aside_until_us - 1), -1);
        assert_int_equal(am_dns_server_list_pick_probe(&list, server->aside_until_us), 0);
        now_us = server->aside_until_us;
    }
    am_dns_server_answered(server, now_us);
    assert_int_equal(am_dns_server_list_pick(&list, 0, 0), 0);
    am_dns_server_silent(server, now_us - SECOND, now_us); /* it answered another one since */
    assert_false(server->aside);
}

/* What the log of this process said meanwhile. */
static void check_log(FILE *log, const char *expected)
{
    char said[1024] = "";

    fflush(log);
    rewind(log);
    said[fread(said, 1, sizeof(said) - 1, log)] = '\0';
    if (expected == NULL)
        assert_string_equal(said, "");
    else
        assert_non_null(strstr(said, expected));
    rewind(log);
    assert_int_equal(ftruncate(fileno(log), 0), 0);
    assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
}

static void test_a_dead_server_is_told_once(void **state)
{
    static const char *const texts[] = {"192.0.2.1:5353"};
    struct am_dns_server_list list;
    FILE *log = tmpfile();
    int former = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(log);
    read_servers(&list, texts, 1);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    am_dns_server_unreachable(&list.servers[0]);
    am_dns_server_silent(&list.servers[0], SECOND, 2 * SECOND);
    check_log(log, NULL);
    am_dns_server_unreachable(&list.servers[0]);
    check_log(log, "the name server 192.0.2.1, port 5353, does not answer");
    am_dns_server_unreachable(&list.servers[0]);
    am_dns_server_silent(&list.servers[0], 3 * SECOND, 4 * SECOND);
    check_log(log, NULL);
    am_dns_server_answered(&list.servers[0], 5 * SECOND);
    check_log(log, "the name server 192.0.2.1, port 5353, answers again");
    am_dns_server_answered(&list.servers[0], 6 * SECOND);
    check_log(log, NULL);
    assert_true(dup2(former, STDERR_FILENO) >= 0);
    close(former);
    fclose(log);
}

static void test_no_healthy_server(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "192.0.2.2"};
    struct am_dns_server_list list;

    (void)state;
    read_servers(&list, texts, 2);
    am_dns_server_silent(&list.servers[0], SECOND, 3 * SECOND);
    am_dns_server_silent(&list.servers[1], SECOND, 2 * SECOND);
    assert_int_equal(am_dns_server_list_pick(&list, 0, 0), 1); /* aside the longest */
    assert_int_equal(am_dns_server_list_pick(&list, 2, 0), 0);
    assert_int_equal(am_dns_server_list_pick(&list, 3, 0), -1);
    assert_int_equal(am_dns_server_list_pick(&list, 0, 2), 0);
    assert_int_equal(am_dns_server_list_pick_probe(&list, 100 * SECOND), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_forms),
        cmocka_unit_test(test_name_limits),
        cmocka_unit_test(test_reverse_names),
        cmocka_unit_test(test_questions_cannot_be_foreseen),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_cache_time),
        cmocka_unit_test(test_cache_room),
        cmocka_unit_test(test_server_addresses),
        cmocka_unit_test(test_server_pauses),
        cmocka_unit_test(test_a_dead_server_is_told_once),
        cmocka_unit_test(test_no_healthy_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
