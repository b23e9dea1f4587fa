#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/milter/capture_hide.h"

/* What takes local parts out of a case, and what knows them again. */

static void hidden_rows(void **state)
{
    static const struct {
        const char *text, *hidden;
    } rows[] = {
        {"", ""},
        {"no address", "no address"},
        {"<alice@example.org> 550 no", "<x@example.org> 550 no"},
        {"smtp.mailfrom=alice+b@example.org;", "smtp.mailfrom=x@example.org;"},
        {"\"alice b\"@example.org", "x@example.org"},
        {"alice b\"@example.org", "alice b\"@example.org"},
        {"a@b@c", "x@x@c"},
        {"@ @", "@ @"},
        {"\xc3\xa4@example.org", "x@example.org"},
        {"SRS0=AbCd=JU=example.com=user@example.org", "SRS0=AbCd=JU=example.com=x@example.org"},
    };
    struct am_arena *room = am_arena_new(1024, 0);

    (void)state;
    assert_non_null(room);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(am_capture_hide_text(room, rows[i].text), rows[i].hidden);
    am_arena_free(room);
}

static void hidden_words(void **state)
{
    static const struct {
        const char *text, *local, *hidden;
    } rows[] = {
        {"alice._spf.example.org", "alice", "x._spf.example.org"},
        {"b.alice._spf.example.org", "alice+b", "x.x._spf.example.org"},
        {"Alice%2bB.example.org", "alice+b", "x%x.example.org"},
        {"alicex.example.org", "alice", "alicex.example.org"},
        {"mail.example.org", "mail", "x.example.org"},
        {"1.2.0.192.in-addr.arpa", "info2", "1.2.0.192.in-addr.arpa"},
        {"anything", "", "anything"},
        {"", "alice", ""},
        {"J\xc3\xbcrgen may not", "j\xc3\xbcrgen", "x may not"},
    };
    struct am_arena *room = am_arena_new(1024, 0);

    (void)state;
    assert_non_null(room);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *hidden = am_capture_hide_words(room, rows[i].text, rows[i].local);

        assert_string_equal(hidden, rows[i].hidden);
        assert_true(am_capture_hidden_equals(hidden, rows[i].text));
    }
    assert_null(am_capture_hide_words(room, NULL, "alice"));
    am_arena_free(room);
}

static void hidden_words_stand_for_any_word(void **state)
{
    static const struct {
        const char *hidden, *text;
        bool equal;
    } rows[] = {
        {"x.example.org", "mail.example.org", true},
        {"x.example.org", "mail.example.com", false},
        {"x.example.org", "a.mail.example.org", false},
        {"x.example.org", ".example.org", false},
        {"xx.example.org", "mail.example.org", false},
        {"550 5.x.1 no", "550 5.7.1 no", true},
        {"550 5.x.1 no", "550 5.7.1 no more", false},
        {"example.org", "Example.ORG", true},
        {"", "", true},
        {"x", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (am_capture_hidden_equals(rows[i].hidden, rows[i].text) != rows[i].equal)
            fail_msg("row %zu", i);
}

/* A sender without a domain is all local part, also as a property of a result. */
static void a_bare_sender(void **state)
{
    struct am_arena *room = am_arena_new(4096, 0);
    struct am_result result = {.method = "spf", .result = "none", .reason = "no domain in alice"};
    struct am_play_macro macro = {AM_STAGE_ENVFROM, "{mail_addr}", "alice"};
    struct am_case kept = {.macros = &macro, .macro_count = 1};

    (void)state;
    assert_non_null(room);
    assert_true(am_result_add_property(&result, "smtp", "mailfrom", am_span_str("Alice")));
    assert_true(am_result_add_property(&result, "smtp", "helo", am_span_str("alice.example")));
    assert_true(am_results_add(&kept.outcome.results, room, "spf", &result));
    am_dns_recording_init(&kept.dns, room);
    assert_true(am_capture_hide(room, &kept, "alice"));
    const struct am_result *hidden = &kept.outcome.results.items[0];
    assert_string_equal(hidden->reason, "no domain in x");
    assert_true(am_span_equal(hidden->properties[0].value, am_span_str("x")));
    assert_true(am_span_equal(hidden->properties[1].value, am_span_str("alice.example")));
    assert_string_equal(macro.value, "x");
    /* Of a null sender nothing is hidden. */
    assert_true(am_capture_hide(room, &kept, ""));
    assert_true(am_span_equal(hidden->properties[1].value, am_span_str("alice.example")));
    am_arena_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_rows),
        cmocka_unit_test(hidden_words),
        cmocka_unit_test(hidden_words_stand_for_any_word),
        cmocka_unit_test(a_bare_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
