#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmarc-milter/dmarc_record.h"

/* Policy records (RFC 9989 sections 4.7 and 4.8). */

static void knows_its_own(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
    } rows[] = {
        {"v=DMARC1", true},
        {"v=DMARC1;", true},
        {"v=DMARC1; p=none", true},
        {"v=DMARC1;p=none", true},
        {"V=DMARC1; p=none", true},
        {"v = DMARC1 ; p = none", true},
        {"v\t=\tDMARC1", true},
        {"", false},
        {";", false},
        {";v=DMARC1", false},
        {" v=DMARC1", false},
        {"v=dmarc1; p=none", false},
        {"v=DMARC2; p=none", false},
        {"v=DMARC10; p=none", false},
        {"v=DMARC1 p=none", false},
        {"v=DMARC; p=none", false},
        {"v=; p=none", false},
        {"p=none; v=DMARC1", false},
        {"v=spf1 -all", false},
        {"vv=DMARC1", false},
    };
    struct dmarc_record record;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct am_span text = am_span_str(rows[i].text);

        if (dmarc_record_is_one(text) != rows[i].is_one ||
            dmarc_record_parse(&record, text) != rows[i].is_one)
            fail_msg("[%s]", rows[i].text);
    }
}

/* Writes a record as one line, defaults left out. */
static const char *print(const char *text)
{
    static char line[512];
    struct dmarc_record r;
    size_t len = 0;

    if (!dmarc_record_parse(&r, am_span_str(text)))
        return "no record";
    static const char *const standings[] = {"good", "as-none", "broken"};
    len += (size_t)snprintf(line, sizeof(line), "%s", standings[dmarc_record_standing(&r)]);
    const struct {
        const char *name, *value;
    } words[] = {
        {"p", dmarc_policy_word(r.p)},
        {"sp", dmarc_policy_word(r.sp)},
        {"np", dmarc_policy_word(r.np)},
        {"t", r.testing ? "y" : ""},
        {"adkim", r.strict_dkim ? "s" : ""},
        {"aspf", r.strict_spf ? "s" : ""},
        {"psd", r.psd == DMARC_PSD_YES  ? "y"
                : r.psd == DMARC_PSD_NO ? "n"
                                        : ""},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].value[0] != '\0')
            len += (size_t)snprintf(line + len, sizeof(line) - len, " %s=%s", words[i].name,
                                    words[i].value);
    const struct {
        const char *name;
        struct am_span value;
    } texts[] = {{"rua", r.rua}, {"ruf", r.ruf}, {"fo", r.fo}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].value.len > 0)
            len += (size_t)snprintf(line + len, sizeof(line) - len, " %s=%.*s", texts[i].name,
                                    (int)texts[i].value.len, texts[i].value.ptr);
    if ((r.present & DMARC_TAGS_HISTORIC) != 0)
        len += (size_t)snprintf(line + len, sizeof(line) - len, " historic");
    if (r.bad != 0)
        snprintf(line + len, sizeof(line) - len, " bad=%x", r.bad);
    return line;
}

static void reads_tags(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"v=DMARC1; p=none", "good p=none"},
        {"v=DMARC1; p=Quarantine", "good p=quarantine"},
        {"v=DMARC1; P=REJECT;", "good p=reject"},
        {"v=DMARC1;;; p = reject ;;", "good p=reject"},
        {"v=DMARC1; sp=none; p=reject; np=quarantine", "good p=reject sp=none np=quarantine"},
        {"v=DMARC1; p=reject; p=none", "good p=reject"},
        {"v=DMARC1; p=reject; adkim=s; aspf=S", "good p=reject adkim=s aspf=s"},
        {"v=DMARC1; p=reject; adkim=r; aspf=r", "good p=reject"},
        {"v=DMARC1; p=reject; adkim=strict", "good p=reject bad=10"},
        {"v=DMARC1; p=reject; t=y", "good p=reject t=y"},
        {"v=DMARC1; p=reject; t=n", "good p=reject"},
        {"v=DMARC1; p=reject; t=yes", "good p=reject bad=8"},
        {"v=DMARC1; p=reject; psd=y", "good p=reject psd=y"},
        {"v=DMARC1; p=reject; psd=N", "good p=reject psd=n"},
        {"v=DMARC1; p=reject; psd=u", "good p=reject"},
        {"v=DMARC1; p=reject; psd=x", "good p=reject bad=40"},
        {"v=DMARC1; p=reject; pct=0; rf=afrf; ri=3600", "good p=reject historic"},
        {"v=DMARC1; p=reject; pct=99999999999999999999", "good p=reject historic"},
        {"v=DMARC1; p=reject; x-new=1; foo; =bar", "good p=reject"},
        {"v=DMARC1; p=reject; rua=mailto:a@example.org,mailto:b@example.org",
         "good p=reject rua=mailto:a@example.org,mailto:b@example.org"},
        {"v=DMARC1; p=reject; ruf=mailto:a@example.org; fo=1:d:s",
         "good p=reject ruf=mailto:a@example.org fo=1:d:s"},
        {"v=DMARC1; p=reject; fo=0:1", "good p=reject bad=200"},
        {"v=DMARC1; p=reject; fo=d:d", "good p=reject bad=200"},
        {"v=DMARC1; p=reject; fo=0:", "good p=reject bad=200"},
        {"v=DMARC1; p=reject; fo=", "good p=reject bad=200"},
        /* Section 4.10.1: for the sake of reports. */
        {"v=DMARC1", "broken"},
        {"v=DMARC1; rua=mailto:a@example.org", "as-none rua=mailto:a@example.org"},
        {"v=DMARC1; p=; rua=mailto:a@example.org", "as-none rua=mailto:a@example.org bad=1"},
        {"v=DMARC1; p=discard; rua=mailto:a@example.org", "as-none rua=mailto:a@example.org bad=1"},
        {"v=DMARC1; p=discard", "broken bad=1"},
        {"v=DMARC1; p=reject; sp=no", "broken p=reject bad=2"},
        {"v=DMARC1; p=reject; np=no; rua=mailto:a@example.org",
         "as-none p=reject rua=mailto:a@example.org bad=4"},
        {"v=DMARC1; p=none reject", "broken bad=1"},
        {"v=DMARC1; rua=a@example.org", "broken rua=a@example.org bad=80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(print(rows[i].text), rows[i].expected);
}

static void judges_addresses(void **state)
{
    static const struct {
        const char *list;
        bool good;
    } rows[] = {
        {"mailto:a@example.org", true},
        {"MAILTO:a@example.org", true},
        {" mailto:a@example.org , x", true},
        {"x, mailto:a@example.org", true},
        {"mailto:a@example.org!10m", true},
        {"mailto:a@example.org!10", true},
        {"https://example.org/report", true},
        {"mailto:a%2Cb@example.org", true},
        {"mailto:a@example.org!m", false},
        {"mailto:a!b@example.org", false},
        {"mailto:a@example.org!10x", false},
        {"mailto:", false},
        {"mailto:@example.org", false},
        {"mailto:a@", false},
        {"mailto:nobody", false},
        {"mailto:a b@example.org", false},
        {"a@example.org", false},
        {":a@example.org", false},
        {"1x:y", false},
        {"mailto:a@ex\xc3\xa4mple.org", false},
        {"mailto:a@example.org\x01", false},
        {",,,", false},
        {"!", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (dmarc_record_has_address(am_span_str(rows[i].list)) != rows[i].good)
            fail_msg("[%s]", rows[i].list);
}

/* A TXT record can hold 64 KiB of anything. */
static void bears_hostile_text(void **state)
{
    static const char *const pieces[] = {";", "=", "p=reject;", "p", "rua=,;", "!", "\0;", " "};
    enum { LEN = 65535 };
    char *text = malloc(LEN);
    struct dmarc_record record;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t piece = pieces[i][0] == '\0' ? 2 : strlen(pieces[i]);

        memcpy(text, "v=DMARC1;", 9);
        for (size_t at = 9; at < LEN; at++)
            text[at] = pieces[i][at % piece];
        assert_true(dmarc_record_parse(&record, am_span_of(text, LEN)));
        dmarc_record_has_address(am_span_of(text, LEN));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(reads_tags),
        cmocka_unit_test(judges_addresses),
        cmocka_unit_test(bears_hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
