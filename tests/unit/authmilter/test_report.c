#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authmilter/report_conf.h"
#include "authmilter/report_mail.h"

/* The configuration of dmarc-report, the mails it writes and how it calls sendmail. */

static char folder[] = "/tmp/report-XXXXXX";
static struct am_arena *arena;

static int start(void **state)
{
    (void)state;
    arena = am_arena_new(4096, 0);
    return arena == NULL || mkdtemp(folder) == NULL;
}

static int stop(void **state)
{
    char command[64];

    (void)state;
    am_arena_free(arena);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void read_text(const char *path, struct am_buf *out)
{
    FILE *file = fopen(path, "re");
    int c;

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    while ((c = getc(file)) != EOF)
        am_buf_add_char(out, (char)c);
    (void)fclose(file);
}

/* --- configuration --- */

/* What the manual and the sample say about defaults is what the table says. */
static void defaults_are_documented(void **state)
{
    struct am_buf manual, sample;

    (void)state;
    am_buf_init(&manual, 0);
    am_buf_init(&sample, 0);
    read_text(REPORT_SOURCE "/authmilter-dmarc-report.1", &manual);
    read_text(REPORT_SOURCE "/dmarc-report.conf", &sample);
    for (const struct am_option *row = report_conf_section.options; row->name != NULL; row++) {
        bool text = row->kind == AM_OPTION_TEXT;
        const char *quote = text ? "\"" : "";
        char line[256];

        snprintf(line, sizeof(line), "\n    # %s = %s%s%s\n", row->name, quote, row->fallback,
                 quote);
        if (strstr(am_buf_str(&sample), line) == NULL)
            fail_msg("the sample has no:%s", line);
        snprintf(line, sizeof(line), "\n.It Ic %s No = %s%s%s\n", row->name, text ? "Qq" : "",
                 *row->fallback == '/' ? " Pa " : "", row->fallback);
        if (strstr(am_buf_str(&manual), line) == NULL)
            fail_msg("the manual has no:%s", line);
    }
    am_buf_fini(&manual);
    am_buf_fini(&sample);
}

static const struct report_conf *load(const char *const *overrides, size_t count,
                                      struct am_config **config, struct am_problem *problem)
{
    return report_conf_load("/dev/null", overrides, count, arena, config, problem);
}

static void what_is_not_said_follows_from_the_rest(void **state)
{
    const char *const few[] = {"report.receiver=MX.Example.org."};
    const char *const more[] = {"report.receiver=mx.example.org",
                                "report.email=a@B\xc3\xbc.example", "report.org_name=Us"};
    struct am_problem problem = {""};
    struct am_config *config;
    const struct report_conf *conf = load(few, 1, &config, &problem);

    (void)state;
    if (conf == NULL)
        fail_msg("%s", problem.text);
    assert_string_equal(conf->receiver, "mx.example.org");
    assert_string_equal(conf->org_name, "mx.example.org");
    assert_string_equal(conf->email, "postmaster@mx.example.org");
    assert_string_equal(conf->sender, "postmaster@mx.example.org");
    am_config_free(config);
    conf = load(more, 3, &config, &problem);
    assert_non_null(conf);
    assert_string_equal(conf->email, "a@xn--b-eha.example");
    assert_string_equal(conf->sender, "a@xn--b-eha.example");
    assert_string_equal(conf->org_name, "Us");
    am_config_free(config);
}

static void wrong_values_are_said(void **state)
{
    static const struct {
        const char *override, *says;
    } cases[] = {
        {"report.receiver=localhost", "no full domain name"},
        {"report.receiver=a..b", "no full domain name"},
        {"report.email=nobody", "no plain address"},
        {"report.sender=-x@example.org", "no plain address"},
        {"report.sendmail=sendmail", "no full path"},
        {"report.stream=/var/lib/x.db", "is a file"},
        {"report.stream=redis://x", "stream is missing"},
        {"report.max_recipients=11", "max_recipients"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct am_problem problem = {""};
        struct am_config *config;

        if (load(&cases[i].override, 1, &config, &problem) != NULL)
            fail_msg("%s is taken", cases[i].override);
        if (strstr(problem.text, cases[i].says) == NULL)
            fail_msg("%s: no \"%s\" in: %s", cases[i].override, cases[i].says, problem.text);
        am_config_free(config);
    }
}

/* --- the mail --- */

static void mails_are_bounded_and_folded(void **state)
{
    static char content[100000];
    const char *const recipients[] = {"a@example.com", "b@example.com"};
    struct report_mail mail = {
        .from = "dmarc@example.org",
        .recipients = recipients,
        .recipient_count = 2,
        .policy_domain = "example.com",
        .receiver = "mx.example.org",
        .org_name = "Caf\xc3\xa9\r\nBcc: x@example.net",
        .report_id = "20261130abc",
        .file = "mx.example.org!example.com!1!2!20261130abc.xml.gz",
        .day = 20787,
        .records = 1,
        .messages = 2,
        .now_s = 1796083200,
        .content = {content, sizeof(content)},
    };
    struct am_buf text;

    (void)state;
    am_buf_init(&text, 0);
    assert_true(report_mail_write(&mail, &text));
    assert_non_null(strstr(text.data, "To: a@example.com,\n b@example.com\nSubject: Report Domain: "
                                      "example.com\n Submitter: mx.example.org\n Report-ID: "
                                      "<20261130abc>\n"));
    assert_non_null(strstr(text.data,
                           "of\nCaf????Bcc: x@example.net\nabout mail of example.com that "
                           "came in on\n2026-11-30 (UTC)."));
    assert_null(strchr(text.data, '\r'));
    assert_null(strstr(text.data, "\nBcc"));
    size_t longest = 0, from = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\n') {
            longest = i - from > longest ? i - from : longest;
            from = i + 1;
        }
    assert_true(longest <= 100);
    assert_int_equal(text.data[text.len - 1], '\n');
    am_buf_fini(&text);
    /* As much content as there is room for makes no larger mail. */
    size_t sizes[] = {65536, 100000, 131000};
    for (size_t i = 0; i < 3; i++) {
        mail.content.len = report_mail_room(sizes[i]);
        assert_in_range(mail.content.len, sizes[i] / 2, sizeof(content));
        am_buf_init(&text, 0);
        assert_true(report_mail_write(&mail, &text));
        assert_true(text.len <= sizes[i]);
        am_buf_fini(&text);
    }
}

static void names_cannot_begin_a_header_field(void **state)
{
    static const char *const bad[] = {"",         "a b", "a\nBcc:x@y.example", "a\r", "\"",
                                      "\xc3\xa9", "\x7f"};
    const char *recipients[] = {"a@example.com"};
    const struct report_mail good = {
        .from = "dmarc@example.org",
        .recipients = recipients,
        .recipient_count = 1,
        .policy_domain = "example.com",
        .receiver = "mx.example.org",
        .org_name = "",
        .report_id = "1",
        .file = "x.xml.gz",
        .content = am_span_str("x"),
    };
    struct am_buf text;

    (void)state;
    am_buf_init(&text, 0);
    assert_true(report_mail_write(&good, &text));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct report_mail mails[] = {good, good, good, good, good};

        mails[0].from = mails[1].policy_domain = mails[2].receiver = mails[3].report_id =
            mails[4].file = bad[i];
        for (size_t j = 0; j < 5; j++)
            assert_false(report_mail_write(&mails[j], &text));
        recipients[0] = bad[i];
        assert_false(report_mail_write(&good, &text));
        recipients[0] = "a@example.com";
    }
    am_buf_fini(&text);
}

/* --- sendmail --- */

static const char *script(const char *name, const char *text)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_true(file != NULL && fprintf(file, "#!/bin/sh\n%s\n", text) > 0 && fclose(file) == 0);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static bool send_to(const char *program, const char *recipient, struct am_span mail,
                    struct am_problem *problem)
{
    const char *const recipients[] = {recipient, "b@example.com"};

    return report_mail_send(program, "s@example.org", recipients, 2, mail, problem);
}

static void sendmail_gets_words_and_mail_as_they_are(void **state)
{
    static char mail[200000];
    struct am_problem problem = {""};
    struct am_buf found;
    char path[128];

    (void)state;
    memset(mail, 'x', sizeof(mail));
    const char *program = script("keep", "here=$(dirname \"$0\"); for word; do echo \"[$word]\"; "
                                         "done >\"$here/words\"; cat >\"$here/kept\"");
    if (!send_to(program, "$(touch x);`a`|b&@example.com", am_span_of(mail, sizeof(mail)),
                 &problem))
        fail_msg("%s", problem.text);
    am_buf_init(&found, 0);
    snprintf(path, sizeof(path), "%s/words", folder);
    read_text(path, &found);
    assert_string_equal(am_buf_str(&found), "[-i]\n[-f]\n[s@example.org]\n[--]\n"
                                            "[$(touch x);`a`|b&@example.com]\n[b@example.com]\n");
    am_buf_clear(&found);
    snprintf(path, sizeof(path), "%s/kept", folder);
    read_text(path, &found);
    assert_true(am_span_equal(am_buf_span(&found), am_span_of(mail, sizeof(mail))));
    am_buf_fini(&found);
}

static void what_sendmail_says_is_passed_on(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"echo 'no such host' >&2; echo more; exit 68", "ended with status 68: no such host"},
        {"exit 1", "ended with status 1"},
        {"kill -9 $$", "ended by signal 9"},
        /* It may end without having read the mail, which is no signal for us. */
        {"exec 0</dev/null; exit 75", "ended with status 75"},
        {"printf 'a\\033[31mb\\n'; exit 1", "status 1: a?[31mb"},
    };
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *program = script("says", cases[i].text);

        assert_false(send_to(program, "a@example.com", am_span_str("mail"), &problem));
        if (strstr(problem.text, cases[i].says) == NULL)
            fail_msg("no \"%s\" in: %s", cases[i].says, problem.text);
    }
    assert_false(send_to("/nowhere/sendmail", "a@example.com", am_span_str("mail"), &problem));
    assert_non_null(strstr(problem.text, "/nowhere/sendmail cannot be run: No such file"));
}

/* What is open here is not open there. */
static void sendmail_gets_no_other_files(void **state)
{
    struct am_problem problem = {""};
    const char *program = script("files", "if ls -l /proc/$$/fd | grep -q secret; then exit 1; fi");
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/secret", folder);
    int secret = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(secret >= 0);
    if (!send_to(program, "a@example.com", am_span_str("mail"), &problem))
        fail_msg("%s", problem.text);
    close(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_documented),
        cmocka_unit_test(what_is_not_said_follows_from_the_rest),
        cmocka_unit_test(wrong_values_are_said),
        cmocka_unit_test(mails_are_bounded_and_folded),
        cmocka_unit_test(names_cannot_begin_a_header_field),
        cmocka_unit_test(sendmail_gets_words_and_mail_as_they_are),
        cmocka_unit_test(what_sendmail_says_is_passed_on),
        cmocka_unit_test(sendmail_gets_no_other_files),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
