#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_sign.h"
#include "dkim-milter/dkim_verify.h"
#include "tests/support/failing_alloc.h"

/* What we sign verifies, what is changed afterwards does not, and the field is fit to be read. */

#define NOW 1700000000

static int64_t no_time(const struct am_clock *clock)
{
    (void)clock;
    return 0;
}

static int64_t wall(const struct am_clock *clock)
{
    (void)clock;
    return NOW;
}

static const struct am_clock still = {no_time, wall};

struct pair {
    const char *name, *value;
};

/* A message; the signatures are put on top of it. */
struct mail {
    const struct pair *fields;
    size_t count;
    const char *body;
};

static const struct pair usual[] = {
    {"Received", " from a by b; now"},
    {"From", " Alice <alice@example.org>"},
    {"To", " bob@example.net,\n\tcarol@example.net"},
    {"Subject", "  two  blanks\n\t and a fold "},
    {"Date", "Fri, 1 Jan 2021 00:00:00 +0000"},
    {"Message-ID", " <1@example.org>"},
    {"X-Empty", ""},
    {"Content-Type", " text/plain; charset=utf-8"},
};
static const struct mail usual_mail = {usual, 8, "Good day.\r\n"};

static struct dkim_private_key *keys[DKIM_KEY_TYPE_COUNT];
static struct am_resolver *zone;

static int make_keys(void **state)
{
    static const char *const selectors[] = {"r", "e"};
    struct am_problem problem;
    struct am_buf text;

    (void)state;
    am_buf_init(&text, 0);
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        struct am_buf digits;

        keys[type] = dkim_private_key_generate((enum dkim_key_type)type, 2048, &problem);
        assert_non_null(keys[type]);
        am_buf_init(&digits, 0);
        dkim_base64_encode(&digits, dkim_private_key_public_octets(keys[type]));
        am_buf_printf(&text, "%s._domainkey.example.org. 60 IN TXT \"v=DKIM1; k=%s; p=\"",
                      selectors[type], dkim_key_type_word((enum dkim_key_type)type));
        for (size_t at = 0; at < digits.len; at += 200)
            am_buf_printf(&text, " \"%.200s\"", digits.data + at);
        am_buf_add_str(&text, "\n");
        am_buf_fini(&digits);
    }
    zone = am_dns_zone_parse(am_buf_str(&text), "zone", &problem);
    am_buf_fini(&text);
    return zone == NULL ? -1 : 0;
}

static int drop_keys(void **state)
{
    (void)state;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++)
        dkim_private_key_free(keys[type]);
    am_resolver_free(zone);
    return 0;
}

static void fill(struct dkim_fields *fields, struct am_arena *arena, const struct mail *mail,
                 const char *const *signatures, size_t count)
{
    dkim_fields_init(fields, arena, false);
    for (size_t i = 0; i < count; i++) {
        const char *value = am_arena_printf(arena, " %s", signatures[i]);

        assert_non_null(dkim_fields_add(fields, am_span_str("DKIM-Signature"), am_span_str(value)));
    }
    for (size_t i = 0; i < mail->count; i++)
        assert_non_null(dkim_fields_add(fields, am_span_str(mail->fields[i].name),
                                        am_span_str(mail->fields[i].value)));
    assert_true(dkim_fields_prepare(fields));
}

static struct dkim_sign_names *default_names(struct am_arena *arena)
{
    struct am_problem problem;
    struct dkim_sign_names *names = dkim_sign_names_new(arena, NULL, NULL, &problem);

    assert_non_null(names);
    return names;
}

static struct dkim_sign_request request_for(struct am_arena *arena, enum dkim_key_type type)
{
    return (struct dkim_sign_request){
        .domain = "example.org",
        .selector = type == DKIM_KEY_RSA ? "r" : "e",
        .key = keys[type],
        .names = default_names(arena),
        .header_canon = DKIM_CANON_RELAXED,
        .body_canon = DKIM_CANON_RELAXED,
        .timestamp = true,
    };
}

/* Signs in chunks of a size; all signatures must be made. */
static void sign(struct am_arena *arena, const struct mail *mail,
                 const struct dkim_sign_request *requests, size_t count, size_t chunk,
                 const char **values)
{
    struct am_span rest = am_span_str(mail->body);
    struct am_problem problem;
    struct dkim_fields fields;

    fill(&fields, arena, mail, NULL, 0);
    struct dkim_signer *signer = dkim_signer_new(arena, &still, &fields, requests, count);
    assert_non_null(signer);
    while (rest.len > 0) {
        size_t len = rest.len < chunk ? rest.len : chunk;

        dkim_signer_body(signer, am_span_of(rest.ptr, len));
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    assert_int_equal(dkim_signer_finish(signer, values, &problem), count);
}

/* Verifies; returns the report. */
static const struct dkim_report *verify(struct am_arena *arena, const struct mail *mail,
                                        const char *const *signatures, size_t count)
{
    struct dkim_verify_env *env = am_arena_alloc(arena, sizeof(*env));
    struct dkim_fields *fields = am_arena_alloc(arena, sizeof(*fields));

    *env = (struct dkim_verify_env){
        .arena = arena,
        .resolver = zone,
        .clock = &still,
        .limits = &dkim_limits_default,
        .lookup_deadline_us = AM_NEVER,
    };
    fill(fields, arena, mail, signatures, count);
    struct dkim_verifier *verifier = dkim_engine_builtin.start(env, fields);
    assert_non_null(verifier);
    dkim_engine_builtin.body(verifier, am_span_str(mail->body));
    return dkim_engine_builtin.finish(verifier);
}

/* No line is longer than a reader likes, none is empty, and no octet can break the header. */
static void check_shape(const char *value)
{
    size_t column = sizeof("DKIM-Signature: ") - 1, text = 0;

    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n') {
            assert_true(text > 0);
            assert_int_equal(c[1], ' ');
            column = text = 0;
            continue;
        }
        assert_true(*c >= ' ' && *c < 0x7f);
        text += *c != ' ';
        assert_true(++column < 78);
    }
}

static const char *const bodies[] = {
    "",
    "\r\n",
    "\r\n\r\n\r\n",
    "no end",
    "one line\r\n",
    "trailing  \t \r\n blanks \t\r\n\r\n\r\n",
    "b\303\274cher \377\376\r\n",
    "bare \r and \n and \v\f here\r\n",
    "a\r\n.\r\n..\r\n",
};

static void every_pair_and_shape(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * (int)(sizeof(bodies) / sizeof(bodies[0])); i++) {
        struct am_arena *arena = am_arena_new(16384, 0);
        struct mail mail = usual_mail;
        struct dkim_sign_request requests[2];
        const char *values[2];

        mail.body = bodies[i / 4];
        for (int type = 0; type < 2; type++) {
            requests[type] = request_for(arena, (enum dkim_key_type)type);
            requests[type].header_canon = (enum dkim_canon)(i & 1);
            requests[type].body_canon = (enum dkim_canon)(i >> 1 & 1);
        }
        sign(arena, &mail, requests, 2, i % 3 == 0 ? 1 : 4096, values);
        const struct dkim_report *report = verify(arena, &mail, values, 2);
        assert_int_equal(report->count, 2);
        for (int type = 0; type < 2; type++) {
            check_shape(values[type]);
            if (report->outcomes[type].result != DKIM_PASS)
                fail_msg("case %d: %s", i, dkim_reason_word(report->outcomes[type].reason));
            assert_true(report->outcomes[type].aligned);
        }
        am_arena_free(arena);
    }
}

static void what_is_changed_fails(void **state)
{
    static const struct {
        struct pair field; /* put below the signature */
        bool passes;
    } additions[] = {
        {{"Subject", " another"}, false},
        {{"subject", " another"}, false},
        {{"Cc", " x@example.net"}, false},
        {{"Reply-To", " x@example.net"}, false},
        {{"List-Unsubscribe", " <https://x.example>"}, false},
        {{"Content-Type", " text/html"}, false},
        {{"Received", " from x"}, true},
        {{"X-Spam", " no"}, true},
        {{"Authentication-Results", " x; none"}, true},
    };
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);
    struct pair fields[9];
    const char *value;

    (void)state;
    sign(arena, &usual_mail, &request, 1, 4096, &value);
    for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
        fields[0] = additions[i].field;
        memcpy(fields + 1, usual, sizeof(usual));
        struct mail mail = {fields, 9, usual_mail.body};
        assert_int_equal(verify(arena, &mail, &value, 1)->best,
                         additions[i].passes ? DKIM_PASS : DKIM_FAIL);
    }
    struct mail other_body = {usual, 8, "Good  night.\r\n"};
    assert_int_equal(verify(arena, &other_body, &value, 1)->outcomes[0].reason,
                     DKIM_REASON_BODY_HASH_MISMATCH);
    am_arena_free(arena);
}

/* Several fields of a name, one without value, and a From in another letter case. */
static void odd_headers(void **state)
{
    static const struct pair odd[] = {
        {"Cc", " a@example.net"},
        {"CC", " b@example.net"},
        {"cc", ""},
        {"FROM", "alice@example.org"},
        {"Subject ", " blank before the colon"},
        {"In-Reply-To", "\n <a@b>"},
        {"References", " <a@b>\n\t<c@d>\n "},
    };
    const struct mail mail = {odd, 7, "x\r\n"};
    struct am_arena *arena = am_arena_new(16384, 0);

    (void)state;
    for (int canon = 0; canon < 2; canon++) {
        struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);
        const char *value;

        request.header_canon = (enum dkim_canon)canon;
        sign(arena, &mail, &request, 1, 4096, &value);
        assert_int_equal(verify(arena, &mail, &value, 1)->best, DKIM_PASS);
        struct mail fewer = {odd + 1, 6, mail.body};
        assert_int_equal(verify(arena, &fewer, &value, 1)->best, DKIM_FAIL);
    }
    am_arena_free(arena);
}

/* --- tags --- */

/* Takes all blanks and folds out. */
static const char *unfolded(struct am_arena *arena, const char *value)
{
    char *out = am_arena_copy(arena, am_span_str(value)), *to = out;

    for (const char *c = value; *c != '\0'; c++)
        if (*c != ' ' && *c != '\n')
            *to++ = *c;
    *to = '\0';
    return out;
}

static const char *signed_once(struct am_arena *arena, const struct mail *mail,
                               const struct dkim_sign_request *request)
{
    const char *value;

    sign(arena, mail, request, 1, 4096, &value);
    check_shape(value);
    assert_int_equal(verify(arena, mail, &value, 1)->best, DKIM_PASS);
    return value;
}

static void times(void **state)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);

    (void)state;
    const char *value = signed_once(arena, &usual_mail, &request);
    assert_non_null(strstr(value, "t=1700000000;"));
    assert_null(strstr(value, "x="));
    request.expire_s = 86400;
    value = signed_once(arena, &usual_mail, &request);
    assert_non_null(strstr(value, "t=1700000000;"));
    assert_non_null(strstr(value, "x=1700086400;"));
    request.timestamp = false;
    value = signed_once(arena, &usual_mail, &request);
    assert_null(strstr(value, "t=1700000000;"));
    assert_non_null(strstr(value, "x=1700086400;"));
    am_arena_free(arena);
}

static void identities(void **state)
{
    static const struct {
        const char *identity, *written;
    } rows[] = {
        {"@example.org", "i=@example.org;"},
        {"@mail.example.org", "i=@mail.example.org;"},
        {"a=c@example.org", "i=a=3Dc@example.org;"},
        {"\"a b;\"@example.org", "i=\"a=20b=3B\"@example.org;"},
        /* Nearly as long as a line: a fold before it, none within. */
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz@example.org",
         "i=\n abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz@example.org;"},
    };
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request.identity = rows[i].identity;
        const char *value = signed_once(arena, &usual_mail, &request);
        if (strstr(value, rows[i].written) == NULL)
            fail_msg("%s", value);
    }
    am_arena_free(arena);
}

static void copies(void **state)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);
    char *large = malloc(20001);
    struct pair fields[] = {{"From", " a@example.org"}, {"Subject", " a|b;c=d\n e"}};
    struct mail mail = {fields, 2, "x\r\n"};

    (void)state;
    request.copied_fields = true;
    const char *value = signed_once(arena, &mail, &request);
    assert_non_null(strstr(unfolded(arena, value),
                           "z=From:=20a@example.org|Subject:=20a=7Cb=3Bc=3Dd=0D=0A=20e;bh="));
    /* A copy that would make the field too long for others is left out, the signature is not. */
    assert_non_null(large);
    memset(large, 'x', 20000);
    large[20000] = '\0';
    fields[1].value = large;
    value = signed_once(arena, &mail, &request);
    assert_null(strstr(value, "z="));
    free(large);
    am_arena_free(arena);
}

/* --- which fields --- */

static struct dkim_sign_names *names_with(struct am_arena *arena, const char *signed_delta,
                                          const char *over_delta, struct am_problem *problem)
{
    struct am_strlist none = {NULL, 0}, one = {&signed_delta, 1}, other = {&over_delta, 1};

    return dkim_sign_names_new(arena, signed_delta == NULL ? &none : &one,
                               over_delta == NULL ? &none : &other, problem);
}

/* Returns h=, framed by colons, in lower case. */
static const char *names_of(struct am_arena *arena, const char *value)
{
    const char *at = strstr(unfolded(arena, value), ";h=");

    assert_non_null(at);
    char *names = am_arena_printf(arena, ":%.*s:", (int)strcspn(at + 3, ";"), at + 3);
    for (char *c = names; *c != '\0'; c++)
        *c = am_lower(*c);
    return names;
}

static void deltas(void **state)
{
    static const struct {
        const char *signed_delta, *over_delta, *with, *without;
    } rows[] = {
        {NULL, NULL, ":from:from:to:to:cc:subject:subject:", ":x-empty:"},
        {"+X-Empty", NULL, ":x-empty:", ":x-empty:x-empty:"},
        {NULL, "+X-Empty", ":x-empty:x-empty:", ":received:"},
        {"-Subject", NULL, ":from:from:", ":subject:"},
        {"-subject", NULL, ":from:from:", ":subject:"},
        {NULL, "-Subject", ":subject:", ":subject:subject:"},
        {NULL, "-From", ":from:", ":from:from:"},
        {"-X-Not-There", "-X-Not-There", ":from:from:", ":x-not-there:"},
    };
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request request = request_for(arena, DKIM_KEY_ED25519);
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request.names = names_with(arena, rows[i].signed_delta, rows[i].over_delta, &problem);
        assert_non_null(request.names);
        const char *names = names_of(arena, signed_once(arena, &usual_mail, &request));
        if (strstr(names, rows[i].with) == NULL || strstr(names, rows[i].without) != NULL)
            fail_msg("row %zu: %s", i, names);
    }
    assert_null(names_with(arena, "-From", NULL, &problem));
    assert_non_null(strstr(problem.text, "From cannot be left unsigned"));
    am_arena_free(arena);
}

static void wrong_deltas(void **state)
{
    static const char *const wrong[] = {"",    "+",    "-",  "Subject",    "+a b",
                                        "+a:", "+a;b", "*x", "+b\xc3\xbc", "+a\n"};
    struct am_arena *arena = am_arena_new(16384, 0);
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(dkim_sign_delta_check(wrong[i], &problem));
        assert_null(names_with(arena, wrong[i], NULL, &problem));
        assert_null(names_with(arena, NULL, wrong[i], &problem));
    }
    assert_true(dkim_sign_delta_check("+X-Mine", &problem));
    assert_true(dkim_sign_delta_check("-Subject", &problem));
    am_arena_free(arena);
}

/* Keys with lists of their own share nothing they should not. */
static void each_key_its_own(void **state)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request requests[4];
    struct am_problem problem;
    const char *values[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        requests[i] = request_for(arena, (enum dkim_key_type)(i & 1));
        requests[i].names = i < 2 ? requests[0].names : names_with(arena, "-To", NULL, &problem);
        requests[i].header_canon = (enum dkim_canon)(i & 1);
        requests[i].body_canon = (enum dkim_canon)(i >> 1 & 1);
    }
    sign(arena, &usual_mail, requests, 4, 3, values);
    const struct dkim_report *report = verify(arena, &usual_mail, values, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(report->outcomes[i].result, DKIM_PASS);
        assert_int_equal(strstr(names_of(arena, values[i]), ":to:") != NULL, i < 2);
    }
    am_arena_free(arena);
}

static void taken_back(void **state)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    struct dkim_sign_request requests[2] = {request_for(arena, DKIM_KEY_RSA),
                                            request_for(arena, DKIM_KEY_ED25519)};
    struct am_problem problem;
    struct dkim_fields fields;
    const char *values[2];

    (void)state;
    fill(&fields, arena, &usual_mail, NULL, 0);
    struct dkim_signer *signer = dkim_signer_new(arena, &still, &fields, requests, 2);
    assert_non_null(signer);
    dkim_signer_body(signer, am_span_str(usual_mail.body));
    dkim_signer_leave_out(signer, 0);
    assert_int_equal(dkim_signer_finish(signer, values, &problem), 1);
    assert_null(values[0]);
    assert_int_equal(verify(arena, &usual_mail, &values[1], 1)->best, DKIM_PASS);
    am_arena_free(arena);
}

/* Either the signature verifies or there is none. */
static void short_of_memory(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t successes = 0; failed; successes++) {
        struct am_arena *arena = am_arena_new(256, 0), *other = am_arena_new(16384, 0);
        struct dkim_sign_request requests[2] = {request_for(other, DKIM_KEY_RSA),
                                                request_for(other, DKIM_KEY_ED25519)};
        const char *values[2] = {NULL, NULL};
        struct am_problem problem = {{0}};
        struct dkim_fields fields;
        size_t made = 0;

        requests[0].copied_fields = true;
        fill(&fields, other, &usual_mail, NULL, 0);
        failing_alloc_start(successes);
        struct dkim_signer *signer = dkim_signer_new(arena, &still, &fields, requests, 2);
        if (signer != NULL) {
            dkim_signer_body(signer, am_span_str(usual_mail.body));
            made = dkim_signer_finish(signer, values, &problem);
        }
        failed = failing_alloc_stop();
        assert_true(failed || made == 2);
        assert_int_equal(made, (values[0] != NULL) + (values[1] != NULL));
        if (signer != NULL && made < 2)
            assert_true(problem.text[0] != '\0');
        for (int i = 0; i < 2; i++)
            if (values[i] != NULL)
                assert_int_equal(verify(other, &usual_mail, &values[i], 1)->best, DKIM_PASS);
        am_arena_free(arena);
        am_arena_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_and_shape),
        cmocka_unit_test(what_is_changed_fails),
        cmocka_unit_test(odd_headers),
        cmocka_unit_test(times),
        cmocka_unit_test(identities),
        cmocka_unit_test(copies),
        cmocka_unit_test(deltas),
        cmocka_unit_test(wrong_deltas),
        cmocka_unit_test(each_key_its_own),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
