#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dkim-milter/dkim_diagnose.h"

/* What was done to a signed message, found by undoing it. */

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    rig_usual(&rig);
    rig_publish_key(&rig, "sel", "example.org", rig_key(1024), "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&rig);
    return 0;
}

static void sign(const char *const *changes)
{
    rig_add_signature(&rig, rig_key(1024), changes);
}

/* Verifies, diagnoses the first signature, and returns the sentences, one a line. */
static const char *diagnose(void)
{
    static char out[4096];
    struct dkim_diagnosis diagnosis;
    struct dkim_fields fields;
    const struct dkim_report *report = rig_verify(&rig, 0);

    assert_non_null(report);
    dkim_fields_init(&fields, rig.arena, false);
    for (size_t i = 0; i < rig.field_count; i++)
        assert_non_null(dkim_fields_add(&fields, am_span_str(rig.fields[i].name),
                                        am_span_str(rig.fields[i].value)));
    assert_true(dkim_fields_prepare(&fields));
    assert_true(dkim_diagnose(&rig.env, &fields, report, 0, am_buf_span(&rig.body), &diagnosis));
    out[0] = '\0';
    for (size_t i = 0; i < diagnosis.count; i++)
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s\n",
                 diagnosis.sentences[i].confirmed ? "" : "perhaps: ", diagnosis.sentences[i].text);
    return out;
}

static void expect(const char *words)
{
    const char *said = diagnose();

    if (strstr(said, words) == NULL)
        fail_msg("\"%s\" does not hold \"%s\"", said, words);
}

static void change(const char *name, const char *value)
{
    for (size_t i = 0; i < rig.field_count; i++)
        if (strcasecmp(rig.fields[i].name, name) == 0) {
            free(rig.fields[i].value);
            rig.fields[i].value = strdup(value);
        }
}

static void of_a_good_signature_nothing_is_said(void **state)
{
    (void)state;
    sign(NULL);
    assert_string_equal(diagnose(), "");
}

static void a_footer(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n\r\nthree\r\n");
    sign(NULL);
    rig_body(&rig, "one\r\ntwo\r\n\r\nthree\r\n\r\n\r\n-- \r\nlist\r\n");
    expect("the first 19 octets of the canonical body are as they were signed; from line 5 on text "
           "was added: \"--\"\nwith that undone the signature verifies\n");
}

static void a_banner(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n");
    sign((const char *[]){"c=simple/simple", NULL});
    rig_body(&rig, "beware\r\n\r\none\r\ntwo\r\n\r\n\r\n");
    expect("the first 10 octets of the canonical body were added in front; the rest is as it was "
           "signed: \"beware\"\n");
}

static void a_banner_before_a_length(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n");
    sign((const char *[]){"l=10", NULL});
    rig_body(&rig, "beware\r\none\r\ntwo\r\nfooter\r\n");
    expect("the first 8 octets of the canonical body were added in front; the rest is as it was "
           "signed: \"beware\"\n");
}

static void a_banner_and_a_footer(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\n\r\ntwo\r\n");
    sign(NULL);
    rig_body(&rig, "beware\r\nof it\r\none\r\n\r\ntwo\r\n\r\n-- \r\nlist\r\n");
    expect("the first 15 octets of the canonical body were added in front, and from line 6 on text "
           "was added: \"--\"; what stands between is as it was signed\nwith that undone the "
           "signature verifies\n");
}

static void a_body_that_was_empty(void **state)
{
    (void)state;
    for (int simple = 0; simple < 2; simple++) {
        rig_usual(&rig);
        rig_body(&rig, "");
        sign((const char *[]){simple ? "c=simple/simple" : "c=relaxed/relaxed", NULL});
        rig_body(&rig, "footer\r\n");
        expect("what was signed is an empty body\n");
    }
}

static void a_body_that_was_cut(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n");
    sign((const char *[]){"l=10", NULL});
    rig_body(&rig, "one\r\n");
    expect("perhaps: the body was cut: 5 octets are missing of those that l= counts\n");
}

static void the_other_canonicalisation(void **state)
{
    (void)state;
    rig_body(&rig, "one two\r\n");
    sign((const char *[]){"c=relaxed/simple", NULL});
    rig_body(&rig, "one  two \r\n");
    expect("with relaxed in place of simple for the body its hash is right\n");
}

static void a_line_that_was_changed(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\ntwo\r\n");
    sign(NULL);
    rig_body(&rig, "one\r\nTWO\r\n");
    expect("perhaps: the body was changed within its lines");
}

static void a_tag_in_the_subject(void **state)
{
    (void)state;
    static const char *const tags[] = {"[list]", "Re:", "***SPAM***"};

    for (size_t i = 0; i < 3; i++) {
        char value[100];
        rig_usual(&rig);
        change("Subject", " hello  world");
        sign(NULL);
        snprintf(value, sizeof(value), " %s hello world", tags[i]);
        change("Subject", value);
        snprintf(value, sizeof(value),
                 "the Subject was changed: without \"%s\" in front the signature verifies\n",
                 tags[i]);
        expect(value);
    }
}

static void list_footer_and_tag_at_once(void **state)
{
    (void)state;
    rig_body(&rig, "one\r\n");
    change("Subject", " hello");
    sign(NULL);
    change("Subject", " [list] hello");
    rig_body(&rig, "one\r\n--\r\nlist\r\n");
    expect("from line 2 on text was added: \"--\"\nthe Subject was changed: without \"[list]\"");
}

static void a_from_that_was_replaced(void **state)
{
    (void)state;
    sign((const char *[]){"h=From:To:Subject:Reply-To", NULL});
    rig_add(&rig, "Reply-To", rig.fields[1].value);
    change("From", " list@lists.example.net");
    expect("From was replaced: with what stands in Reply-To the signature verifies\n");
}

static void a_field_that_was_added(void **state)
{
    (void)state;
    sign((const char *[]){"h=From:To:Subject:Sender", NULL});
    rig_add(&rig, "Sender", " list@lists.example.net");
    expect("a field was added: without Sender");
}

static void white_space_of_simple(void **state)
{
    (void)state;
    sign((const char *[]){"c=simple/simple", NULL});
    change("Subject", "\thello");
    expect("a signed header field was changed, in none of the usual ways\n");
    rig_usual(&rig);
    change("Subject", " hello there");
    sign((const char *[]){"c=simple/simple", NULL});
    change("Subject", "hello there");
    expect("with one blank the signature verifies\n");
}

static void copied_fields(void **state)
{
    (void)state;
    sign((const char *[]){"z=Subject:hel=6Co|To:nobody@example.net", NULL});
    change("Subject", " bye");
    expect("perhaps: z= says that Subject was \"hello\" when it was signed\n");
    expect("perhaps: z= says that To was \"nobody@example.net\" when it was signed\n");
}

static void what_is_not_usual(void **state)
{
    (void)state;
    sign(NULL);
    change("Subject", " something else");
    expect("a signed header field was changed, in none of the usual ways\n");
}

/* However many fields there are, only so many are tried. */
static void tries_are_bounded(void **state)
{
    (void)state;
    sign((const char *[]){"h=From:To:Subject:X", NULL});
    change("Subject", " something else");
    for (int i = 0; i < 500; i++)
        rig_add(&rig, "X", " y");
    expect("the usual changes are too many to try\n");
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(of_a_good_signature_nothing_is_said),
        TEST(a_footer),
        TEST(a_banner),
        TEST(a_banner_before_a_length),
        TEST(a_banner_and_a_footer),
        TEST(a_body_that_was_empty),
        TEST(a_body_that_was_cut),
        TEST(the_other_canonicalisation),
        TEST(a_line_that_was_changed),
        TEST(a_tag_in_the_subject),
        TEST(list_footer_and_tag_at_once),
        TEST(a_from_that_was_replaced),
        TEST(a_field_that_was_added),
        TEST(white_space_of_simple),
        TEST(copied_fields),
        TEST(what_is_not_usual),
        TEST(tries_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
