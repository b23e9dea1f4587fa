#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/dns/dns_zone.h"

static const char zone_text[] = "$ORIGIN example.com.\n"
                                "$TTL 300\n"
                                "@\tIN\tSOA ns hostmaster ( 1 ; serial\n"
                                "        3600 600 86400 60 )\n"
                                "@       IN TXT \"v=spf1 \" \"a:\\\"x\\\" ; -all\" \"\"\n"
                                "        IN TXT \"\\000\\255\\\\\"\n"
                                "        60 IN MX 10 Mail\n"
                                "        IN MX 0 .\n"
                                "mail    IN A 192.0.2.1\n"
                                "        IN A 192.0.2.1\n"
                                "        IN A 192.0.2.2\n"
                                "        IN AAAA 2001:db8::1\n"
                                "*.wild  IN A 192.0.2.9\n"
                                "deep.ent.example.com. IN A 192.0.2.3\n"
                                "od\\032d\\.x IN A 192.0.2.4\n"
                                "alias   IN CNAME mail\n"
                                "dead    IN CNAME nowhere\n"
                                "loop1   IN CNAME loop2\n"
                                "loop2   IN CNAME loop1\n"
                                "1.2.0.192.in-addr.arpa. IN PTR MAIL.example.com.\n"
                                ";!servfail broken.example.com\n"
                                ";!timeout mail.example.com TXT\n"
                                "; an ordinary comment !timeout mail.example.com\n";

static struct am_resolver *zone_of(const char *text)
{
    struct am_problem problem = {""};
    struct am_resolver *zone = am_dns_zone_parse(text, "test.zone", &problem);

    if (zone == NULL)
        fail_msg("%s", problem.text);
    return zone;
}

static int set_up(void **state)
{
    *state = zone_of(zone_text);
    return 0;
}

static int tear_down(void **state)
{
    am_resolver_free(*state);
    return 0;
}

static const struct am_dns_answer *ask(void **state, struct am_dns_query **query, const char *name,
                                       enum am_dns_type type)
{
    *query = am_dns_start(*state, name, type, AM_NEVER);
    return am_dns_wait(*query);
}

static void assert_outcome(void **state, const char *name, enum am_dns_type type,
                           enum am_dns_outcome outcome)
{
    struct am_dns_query *query;

    assert_string_equal(am_dns_outcome_word(ask(state, &query, name, type)->outcome),
                        am_dns_outcome_word(outcome));
    am_dns_release(query);
}

static void assert_text(const struct am_dns_record *record, const char *text, size_t len)
{
    assert_int_equal(record->text.len, len);
    assert_memory_equal(record->text.ptr, text, len);
}

static void test_strings_are_joined(void **state)
{
    struct am_dns_query *query;
    const struct am_dns_answer *answer = ask(state, &query, "EXAMPLE.com.", AM_DNS_TXT);

    assert_int_equal(answer->outcome, AM_DNS_OK);
    assert_int_equal(answer->count, 2);
    assert_int_equal(answer->ttl_s, 300);
    assert_text(&answer->records[0], "v=spf1 a:\"x\" ; -all", 19);
    assert_text(&answer->records[1], "\0\377\\", 3);
    am_dns_release(query);
}

static void test_names_are_lower_case_and_plain(void **state)
{
    struct am_dns_query *query;
    const struct am_dns_answer *answer = ask(state, &query, "example.com", AM_DNS_MX);

    assert_int_equal(answer->count, 2);
    assert_int_equal(answer->ttl_s, 60);
    assert_int_equal(answer->records[0].preference, 10);
    assert_text(&answer->records[0], "mail.example.com", 16);
    assert_text(&answer->records[1], "", 0);
    am_dns_release(query);
    answer = ask(state, &query, "1.2.0.192.in-addr.arpa", AM_DNS_PTR);
    assert_text(&answer->records[0], "mail.example.com", 16);
    am_dns_release(query);
}

static void test_addresses(void **state)
{
    struct am_dns_query *query;
    const struct am_dns_answer *answer = ask(state, &query, "mail.example.com", AM_DNS_A);

    assert_int_equal(answer->count, 2); /* the one given twice counts once */
    assert_memory_equal(answer->records[1].a, "\300\000\002\002", 4);
    am_dns_release(query);
    answer = ask(state, &query, "alias.example.com", AM_DNS_AAAA);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->records[0].aaaa[15], 1);
    am_dns_release(query);
    assert_outcome(state, "od\\032d\\.x.example.com", AM_DNS_A, AM_DNS_OK);
    assert_outcome(state, "od d\\046x.example.com", AM_DNS_A, AM_DNS_OK);
}

static void test_what_is_not_there(void **state)
{
    char label[80];

    assert_outcome(state, "nothing.example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
    assert_outcome(state, "example.net", AM_DNS_A, AM_DNS_NXDOMAIN);
    assert_outcome(state, "mail.example.com", AM_DNS_MX, AM_DNS_NODATA);
    assert_outcome(state, "ent.example.com", AM_DNS_A, AM_DNS_NODATA);
    assert_outcome(state, "dead.example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
    assert_outcome(state, "", AM_DNS_A, AM_DNS_NXDOMAIN);
    assert_outcome(state, "a..example.com", AM_DNS_A, AM_DNS_NXDOMAIN);
    assert_outcome(state, ".", AM_DNS_A, AM_DNS_NODATA);
    snprintf(label, sizeof(label), "%064d.com", 0);
    assert_outcome(state, label, AM_DNS_A, AM_DNS_NXDOMAIN);
}

static void test_wildcards(void **state)
{
    assert_outcome(state, "x.wild.example.com", AM_DNS_A, AM_DNS_OK);
    assert_outcome(state, "y.x.wild.example.com", AM_DNS_A, AM_DNS_OK);
    assert_outcome(state, "x.wild.example.com", AM_DNS_TXT, AM_DNS_NODATA);
    assert_outcome(state, "wild.example.com", AM_DNS_A, AM_DNS_NODATA);
}

static void test_failures(void **state)
{
    assert_outcome(state, "broken.example.com", AM_DNS_A, AM_DNS_SERVFAIL);
    assert_outcome(state, "broken.example.com", AM_DNS_TXT, AM_DNS_SERVFAIL);
    assert_outcome(state, "mail.example.com", AM_DNS_TXT, AM_DNS_TIMEOUT);
    assert_outcome(state, "mail.example.com", AM_DNS_A, AM_DNS_OK);
    assert_outcome(state, "loop1.example.com", AM_DNS_A, AM_DNS_BAD);
}

static void test_chain_of_ten_and_eleven(void **state)
{
    char text[1024];
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 11; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "c%d. IN CNAME c%d.\n", i, i + 1);
    snprintf(text + at, sizeof(text) - at, "c11. IN A 192.0.2.1\n");
    void *zone = zone_of(text);
    assert_outcome(&zone, "c1", AM_DNS_A, AM_DNS_OK);
    assert_outcome(&zone, "c0", AM_DNS_A, AM_DNS_BAD);
    am_resolver_free(zone);
}

static void test_long_text(void **state)
{
    const size_t pieces = 250;
    char *text = malloc(pieces * 258 + 64);
    size_t at = (size_t)sprintf(text, "long. IN TXT (\n");

    (void)state;
    for (size_t i = 0; i < pieces; i++)
        at += (size_t)sprintf(text + at, "\"%0254d\"\n", 7);
    strcpy(text + at, ")\n");
    void *zone = zone_of(text);
    struct am_dns_query *query;
    assert_int_equal(ask(&zone, &query, "long", AM_DNS_TXT)->records[0].text.len, pieces * 254);
    am_dns_release(query);
    am_resolver_free(zone);
    free(text);
}

static void test_errors_name_file_and_line(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a. IN A 192.0.2.1\nb. IN A 192.0.2\n", "test.zone, line 2: "},
        {"\n\na. IN TXT \"x\n", "test.zone, line 3: a quoted text does not end on its line"},
        {"a. IN TXT ( \"x\"\n", "an opening parenthesis without a closing one"},
        {"a. IN TXT \"x\" )\n", "a closing parenthesis without an opening one"},
        {"$INCLUDE other\n", "the directive '$INCLUDE' is not known here"},
        {"$TTL soon\n", "'soon' is no time to live"},
        {";!servfail a. SOA\n", "'SOA' is no type that can be asked here"},
        {";!timeout\n", "'' is no domain name"},
        {"a. CH TXT \"x\"\n", "only class IN"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_problem problem = {""};
        assert_null(am_dns_zone_parse(cases[i].text, "test.zone", &problem));
        if (strstr(problem.text, cases[i].expected) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", problem.text, cases[i].expected);
    }
}

static void test_load(void **state)
{
    char path[] = "/tmp/am-zone-XXXXXX";
    struct am_problem problem = {""};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, zone_text, sizeof(zone_text) - 1), sizeof(zone_text) - 1);
    void *zone = am_dns_zone_load(path, &problem);
    assert_non_null(zone);
    assert_outcome(&zone, "mail.example.com", AM_DNS_A, AM_DNS_OK);
    am_resolver_free(zone);
    assert_int_equal(write(fd, "", 1), 1);
    assert_null(am_dns_zone_load(path, &problem));
    assert_non_null(strstr(problem.text, "NUL byte"));
    close(fd);
    unlink(path);
    assert_null(am_dns_zone_load(path, &problem));
    assert_non_null(strstr(problem.text, "cannot be opened"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_joined),
        cmocka_unit_test(test_names_are_lower_case_and_plain),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_chain_of_ten_and_eleven),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_errors_name_file_and_line),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
