#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "dmarc-milter/dmarc_flat.h"
#include "dmarc-milter/dmarc_place.h"
#include "tests/unit/dmarc/sample_row.h"

/* Rows as stores keep them, and the text that names a store. */

static void a_row_comes_back_as_it_was(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_row row = sample_row(), back;

    (void)state;
    row.signatures[1] = (struct dmarc_row_dkim){"list.example", "", "fail"};
    row.signature_count = 2;
    row.reasons[0] = (struct dmarc_row_reason){"mailing_list", "list.example"};
    row.reasons[1] = (struct dmarc_row_reason){"local_policy", ""};
    row.reason_count = 2;
    struct dmarc_flat *flat = dmarc_flat_new(&row);
    assert_non_null(flat);
    assert_true(dmarc_flat_row(flat, arena, &back));
    assert_int_equal(back.time_s, row.time_s);
    assert_string_equal(back.policy_domain, "example.com");
    assert_string_equal(back.rua, "mailto:dmarc@example.com");
    assert_string_equal(back.sp, "");
    assert_string_equal(back.spf_result, "pass");
    assert_int_equal(back.signature_count, 2);
    assert_string_equal(back.signatures[0].selector, "s1");
    assert_string_equal(back.signatures[1].domain, "list.example");
    assert_string_equal(back.signatures[1].selector, "");
    assert_string_equal(back.signatures[1].result, "fail");
    assert_int_equal(back.reason_count, 2);
    assert_string_equal(back.reasons[0].comment, "list.example");
    assert_string_equal(back.reasons[1].type, "local_policy");
    assert_string_equal(back.reasons[1].comment, "");
    free(flat);
    am_arena_free(arena);
}

/* What separates the parts of a list must not come from strangers. */
static void texts_of_strangers_are_made_harmless(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_row row = sample_row(), back;

    (void)state;
    row.signatures[0] = (struct dmarc_row_dkim){"a\tb\nc", "s\x01\x7f", "pass"};
    row.header_from = "caf\xc3\xa9.example";
    row.envelope_from = "\xff\xc3(\xef\xbf\xbf\xc2\x85.example";
    struct dmarc_flat *flat = dmarc_flat_new(&row);
    assert_true(dmarc_flat_row(flat, arena, &back));
    assert_int_equal(back.signature_count, 1);
    assert_string_equal(back.signatures[0].domain, "a?b?c");
    assert_string_equal(back.signatures[0].selector, "s??");
    assert_string_equal(back.header_from, "caf\xc3\xa9.example");
    assert_string_equal(back.envelope_from, "\x3f\x3f(??.example");
    free(flat);
    am_arena_free(arena);
}

static void long_texts_are_cut_and_say_so(void **state)
{
    struct dmarc_row row = sample_row();
    char name[400], rua[6000] = "";

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    row.header_from = name;
    for (int i = 0; i < 200; i++)
        sprintf(rua + strlen(rua), "%smailto:r%d@example.com", i == 0 ? "" : ",", i);
    row.rua = rua;
    struct dmarc_flat *flat = dmarc_flat_new(&row);
    assert_int_equal(strlen(flat->text[DMARC_FLAT_HEADER_FROM]), 253);
    assert_string_equal(flat->text[DMARC_FLAT_HEADER_FROM] + 248, "[...]");
    /* No URI is cut in the middle. */
    const char *kept = flat->text[DMARC_FLAT_RUA];
    assert_in_range(strlen(kept), 4000, 4096);
    assert_string_equal(kept + strlen(kept) - 12, "@example.com");
    free(flat);
}

static void what_others_wrote_is_read_with_care(void **state)
{
    const char *text[DMARC_FLAT_COLUMNS] = {0};
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_row row;

    (void)state;
    text[DMARC_FLAT_SIGNATURES] = "a\tb\tpass\nonly-a-name";
    text[DMARC_FLAT_REASONS] = "\t\n\n\n\n\n\n\n";
    text[DMARC_FLAT_POLICY_DOMAIN] = "bad\x02";
    struct dmarc_flat *flat =
        dmarc_flat_of(5, "a-name-that-is-longer-than-a-name-of-a-row-may-be-at-all", text);
    assert_int_equal(strlen(flat->uid), DMARC_FLAT_UID_MAX - 1);
    assert_true(dmarc_flat_row(flat, arena, &row));
    assert_string_equal(row.policy_domain, "bad?");
    assert_string_equal(row.header_from, "");
    assert_int_equal(row.signature_count, 2);
    assert_string_equal(row.signatures[1].domain, "only-a-name");
    assert_string_equal(row.signatures[1].result, "");
    assert_int_equal(row.reason_count, DMARC_ROW_REASONS_MAX);
    free(flat);
    am_arena_free(arena);
}

static void places_are_understood(void **state)
{
    struct am_problem problem;
    struct dmarc_place place;

    (void)state;
    assert_true(dmarc_place_parse(&place, "/var/lib/x.db", &problem));
    assert_false(place.is_redis);
    assert_string_equal(place.path, "/var/lib/x.db");
    assert_true(dmarc_place_parse(&place, "redis://localhost/dmarc", &problem));
    assert_true(place.is_redis);
    assert_string_equal(place.host, "localhost");
    assert_int_equal(place.port, 6379);
    assert_string_equal(place.stream, "dmarc");
    assert_true(
        dmarc_place_parse(&place, "redis://[::1]:7000/a:b?user=u&password_file=/etc/p", &problem));
    assert_string_equal(place.host, "::1");
    assert_int_equal(place.port, 7000);
    assert_string_equal(place.user, "u");
    assert_string_equal(place.password_file, "/etc/p");
    assert_true(dmarc_place_parse(&place, "redis+unix:///run/r.sock?stream=dmarc", &problem));
    assert_string_equal(place.path, "/run/r.sock");
    assert_string_equal(place.stream, "dmarc");
    assert_true(dmarc_place_check("", &problem));
}

static void other_places_are_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"dmarc.db", "no place"},
        {"mysql://x/y", "no place"},
        {"redis://host", "stream is missing"},
        {"redis://host/", "stream is missing"},
        {"redis:///stream", "host is missing"},
        {"redis://host:0/s", "port"},
        {"redis://host:65536/s", "port"},
        {"redis://host:7x/s", "port"},
        {"redis://[::1/s", "bracket"},
        {"redis://h/s?database=1", "only stream="},
        {"redis://h/s?stream", "only stream="},
        {"redis://h/s s", "blank"},
        {"redis+unix://run/r.sock?stream=s", "slash"},
        {"redis+unix:///run/r.sock", "stream is missing"},
    };
    struct am_problem problem;
    struct dmarc_place place;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (dmarc_place_parse(&place, cases[i].text, &problem))
            fail_msg("%s is taken", cases[i].text);
        if (strstr(problem.text, cases[i].says) == NULL)
            fail_msg("%s: no \"%s\" in: %s", cases[i].text, cases[i].says, problem.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_comes_back_as_it_was),
        cmocka_unit_test(texts_of_strangers_are_made_harmless),
        cmocka_unit_test(long_texts_are_cut_and_say_so),
        cmocka_unit_test(what_others_wrote_is_read_with_care),
        cmocka_unit_test(places_are_understood),
        cmocka_unit_test(other_places_are_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
