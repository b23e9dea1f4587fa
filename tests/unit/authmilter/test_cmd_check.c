#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/authmilter/program.h"

/* authmilter check as a person uses it: a set-up that is right, and what each mistake brings. */

/* Not in the build tree: every folder above a key file is judged. */
static char folder[] = "/tmp/cmd-check-XXXXXX";

static int listening = -1;

static int run(const char *arguments)
{
    return program_run("export TMPDIR=.;", arguments);
}

/* --- the set-up --- */

static void write_file(const char *path, const char *before, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fprintf(file, "%s%s", before, text);
    fclose(file);
}

/* A configuration; `more` are further sections. */
static void write_config(const char *path, const char *socket, const char *more)
{
    char text[2048];

    snprintf(text, sizeof(text), "milter { socket = \"unix:%s/spool/authmilter/%s\" }\n%s\n",
             folder, socket, more);
    write_file(path, "", text);
}

static const char dkim_conf[] = "dkim { key_directory = \"%s/keys\" }";

static void write_dkim(const char *path, const char *more)
{
    char text[1024];

    snprintf(text, sizeof(text), dkim_conf, folder);
    strcat(text, more);
    write_config(path, "dkim.sock", text);
}

/* What the postconf below prints: the first setting of a name counts. */
static void write_postfix(const char *settings, const char *services, const char *overrides)
{
    char usual[1024];

    snprintf(usual, sizeof(usual),
             "queue_directory = %s/spool\n"
             "mail_owner = nobody\nmyhostname = mx.example.org\nmyorigin = example.org\n"
             "compatibility_level = 3.6\nmilter_protocol = 6\nmilter_default_action = tempfail\n"
             "milter_command_timeout = 30s\nmilter_content_timeout = 300s\n"
             "internal_mail_filter_classes = bounce\ninet_interfaces = 192.0.2.10, 127.0.0.1\n"
             "smtp_bind_address =\ncontent_filter =\n"
             "smtpd_milters = unix:authmilter/dkim.sock\n"
             "non_smtpd_milters = unix:authmilter/dkim.sock\n",
             folder);
    write_file("x", settings, usual);
    write_file("M", services,
               "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n"
               "qmgr unix n - n 300 1 qmgr\n");
    write_file("Px", overrides, "");
}

static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, path);
    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(listening >= 0);
    assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listening, 100), 0);
    chmod(path, 0666);
}

static int make_folder(void **state)
{
    (void)state;
    umask(022);
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("keys", 0755) != 0 ||
        mkdir("spool", 0755) != 0 || mkdir("spool/authmilter", 0755) != 0)
        return -1;
    if (run("keygen --domain example.org --selector s1 --type ed25519 --output keys >record") != 0)
        return -1;
    if (system("grep -E '^[^ ]+ IN TXT \"' record >zone; cat >>zone <<'E'\n"
               "example.org. IN TXT \"v=spf1 ip4:192.0.2.10 -all\"\n"
               "_dmarc.example.org. IN TXT \"v=DMARC1; p=reject; rua=mailto:d@example.org\"\n"
               "E\ncat >postconf <<'E'\n#!/bin/sh\nfor word; do case $word in -x) cat x; exit;; "
               "-M) cat M; exit;; -Px) cat Px; exit;; esac; done\nE\nchmod 755 postconf") != 0)
        return -1;
    write_dkim("dkim-milter.conf", "");
    write_config("spf-milter.conf", "spf.sock", "authres { scrub = own }");
    listen_at("spool/authmilter/dkim.sock");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];

    close(listening);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* --- what is found --- */

static const char *text_of(json_t *finding, const char *name)
{
    const char *text = json_string_value(json_object_get(finding, name));

    return text == NULL ? "" : text;
}

/* Runs the command, and says which findings of a severity there are: "one two ". */
static void find(const char *arguments, const char *severity, char *ids, size_t room)
{
    char command[1024];
    json_error_t error;
    size_t index;
    json_t *finding;

    snprintf(command, sizeof(command), "check --json %s", arguments);
    int status = run(command);
    json_t *root = json_loads(program_output, 0, &error);
    if (root == NULL)
        fail_msg("no JSON: %s", program_output);
    *ids = '\0';
    json_array_foreach(json_object_get(root, "findings"), index, finding)
    {
        bool grave = strcmp(text_of(finding, "severity"), "error") == 0 ||
                     strcmp(text_of(finding, "severity"), "warning") == 0;
        if (grave && *text_of(finding, "mend") == '\0')
            fail_msg("%s has no mend", text_of(finding, "id"));
        if (severity == NULL ? grave : strcmp(text_of(finding, "severity"), severity) == 0) {
            strncat(ids, text_of(finding, "id"), room - strlen(ids) - 2);
            strcat(ids, " ");
        }
    }
    int errors = (int)json_integer_value(json_object_get(root, "errors"));
    int warnings = (int)json_integer_value(json_object_get(root, "warnings"));
    assert_int_equal(status, errors > 0 ? 2 : warnings > 0 ? 1 : 0);
    json_decref(root);
}

/* Compares the findings above notes, in their order. */
static void expect(const char *arguments, const char *expected)
{
    char ids[2048];

    find(arguments, NULL, ids, sizeof(ids));
    if (strcmp(ids, expected) != 0)
        fail_msg("%s: expected %s, found %s\n%s", arguments, expected, ids, program_output);
}

static void expect_note(const char *arguments, const char *expected)
{
    char ids[2048];

    find(arguments, "note", ids, sizeof(ids));
    if (strstr(ids, expected) == NULL)
        fail_msg("%s: expected %s, found %s\n%s", arguments, expected, ids, program_output);
}

#define DKIM "--config dkim-milter.conf --zone zone "
#define POSTFIX DKIM "--postconf ./postconf "

static void nothing_is_found_in_what_is_right(void **state)
{
    (void)state;
    expect(DKIM "--ip 192.0.2.10", "");
    write_postfix("", "", "");
    expect(POSTFIX, "");
    assert_non_null(strstr(program_output, "\"config-ok\""));
    assert_non_null(strstr(program_output, "\"key-ok\""));
    assert_non_null(strstr(program_output, "ed25519, 256 bits, "));
    assert_non_null(strstr(program_output, ", mode 0600, for s1._domainkey.example.org"));
    assert_non_null(strstr(program_output, "\"key-published\""));
    assert_non_null(strstr(program_output, "DNSSEC: not DNSSEC signed (fine)"));
    assert_non_null(strstr(program_output, "\"spf-ok\""));
    assert_non_null(strstr(program_output, "the record needs 0 of 10 terms"));
    assert_non_null(strstr(program_output, "\"dmarc-ok\""));
}

static void configurations(void **state)
{
    (void)state;
    assert_int_equal(mkdir("bad", 0755), 0);
    write_file("bad/spf-milter.conf", "", "spf { no_such = 1 }\n");
    expect("--no-dns --config bad/spf-milter.conf", "config-wrong ");
    assert_non_null(strstr(program_output, "no_such"));
    write_file("bad/spf-milter.conf", "", "milter { user = \"no-such-user\" }\n");
    expect("--no-dns --config bad/spf-milter.conf", "config-user ");
    write_config("bad/spf-milter.conf", "dkim.sock", "authres { authserv_id = \"other\" }");
    expect("--no-dns --config dkim-milter.conf --config bad/spf-milter.conf",
           "socket-shared authserv-id-differs ");
    write_file("bad/spf-milter.conf", "", "milter { observe = yes }\n");
    expect_note("--no-dns --config bad/spf-milter.conf", "config-observe ");
    write_file("bad/spf-milter.conf", "", "milter { shadow = yes }\n");
    expect_note("--no-dns --config bad/spf-milter.conf", "config-observe ");
    expect("--no-dns --program iprev-milter --config /dev/null", "");
    assert_int_equal(run("check --no-dns --config strange.conf"), 64);
    assert_int_equal(run("check --no-dns --program strange --config /dev/null"), 64);
    assert_int_equal(run("check --config /dev/null --zone no-such-zone --program auth-milter"), 64);
    assert_int_equal(run("check --domain example.org --zone no-such-zone"), 69);
}

/* A database that is there, and one that is not; each is tried once. */
static void maps(void **state)
{
    (void)state;
    write_file(
        "author-milter.conf", "",
        "author { tables = { \"map:good\", \"map:away\" } domain_tables = { \"map:good\" } }\n"
        "map \"good\" { kind = sqlite database = \"/dev/null\" query = \"SELECT :address\" }\n"
        "map \"away\" { kind = sqlite database = \"/no/db\" query = \"SELECT :address\" }\n");
    expect("--no-dns --config author-milter.conf", "map-unreachable ");
    assert_non_null(strstr(program_output, "map:away: SQLite: "));
    assert_null(strstr(strstr(program_output, "\"map-ok\"") + 1, "\"map-ok\""));
}

static void key_files(void **state)
{
    (void)state;
    assert_int_equal(system("chmod 0644 keys/example.org/s1.pem"), 0);
    expect("--no-dns --config dkim-milter.conf", "key-access keys-none ");
    assert_non_null(strstr(program_output, "chmod 0600 "));
    assert_int_equal(system("chmod 0600 keys/example.org/s1.pem; chmod g+w keys"), 0);
    expect("--no-dns --config dkim-milter.conf", "key-access keys-none ");
    assert_non_null(strstr(program_output, "\"chmod g-w /tmp/cmd-check-"));
    assert_int_equal(system("chmod g-w keys; echo nothing >keys/example.org/s2.pem; "
                            "chmod 600 keys/example.org/s2.pem"),
                     0);
    expect("--no-dns --config dkim-milter.conf", "key-unusable ");
    unlink("keys/example.org/s2.pem");
}

/* Judges the key with the record in place of its own. */
static void expect_key(const char *record, const char *expected)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "printf '%%s\\n' 's1._domainkey.example.org. IN TXT %s' >zone2; "
             "grep -v _domainkey zone >>zone2",
             record);
    assert_int_equal(system(command), 0);
    expect("--config dkim-milter.conf --zone zone2 --ip 192.0.2.10", expected);
}

static void keys_in_the_dns(void **state)
{
    (void)state;
    assert_int_equal(system("grep -v _domainkey zone >zone2"), 0);
    expect("--config dkim-milter.conf --zone zone2 --ip 192.0.2.10", "key-not-published ");
    assert_non_null(strstr(program_output, "publish the TXT record \\\"v=DKIM1; k=ed25519; p="));
    expect_key("\"v=DKIM1; p=\"", "key-revoked ");
    expect_key("\"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
               "key-differs ");
    expect_key("\"v=DKIM1; k=ed25519; h=sha1; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
               "key-record ");
    expect_key("\"v=DKIM1; k=ed25519; s=other; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
               "key-record ");
    assert_int_equal(system("sed 's/v=DKIM1;/v=DKIM1; t=y;/' zone >zone2"), 0);
    expect("--config dkim-milter.conf --zone zone2 --ip 192.0.2.10", "key-testing ");
    assert_int_equal(system("{ cat zone; echo 's1._domainkey.example.org. IN TXT \"x\"'; } >zone2"),
                     0);
    expect("--config dkim-milter.conf --zone zone2 --ip 192.0.2.10", "key-several ");
    expect("--no-dns --config dkim-milter.conf --domain example.com", "domain-unsigned ");
}

/* Judges a domain with these records. */
static void expect_records(const char *records, const char *expected)
{
    write_file("zone3", records, "\n");
    expect("--domain d.example --ip 192.0.2.10 --zone zone3", expected);
}

#define SPF "d.example. IN TXT \"v=spf1 ip4:192.0.2.10 -all\"\n"
#define DMARC "_dmarc.d.example. IN TXT \"v=DMARC1; p=reject; rua=mailto:a@d.example\"\n"

static void spf_records(void **state)
{
    (void)state;
    expect_records(DMARC, "spf-missing ");
    assert_non_null(strstr(program_output, "v=spf1 ip4:192.0.2.10 -all"));
    expect_records("d.example. IN TXT \"v=spf1 -all\"\n" DMARC, "spf-fail ");
    expect_records("d.example. IN TXT \"v=spf1 ~all\"\n" DMARC, "spf-not-pass ");
    expect_records("d.example. IN TXT \"v=spf1 ipv4:1 -all\"\n" DMARC, "spf-broken ");
    expect_records("d.example. IN TXT \"v=spf1 +all\"\n" DMARC, "spf-open ");
    expect_records("d.example. IN TXT \"v=spf1 ip4:192.0.2.10 ?all\"\n" DMARC, "spf-no-end ");
    expect_records("d.example. IN TXT \"v=spf1 ip4:192.0.2.10 ptr -all\"\n" DMARC, "spf-ptr ");
    expect_records("d.example. IN TXT \"v=spf1 ip4:192.0.2.10 a:a.d.example a:a.d.example "
                   "a:a.d.example a:a.d.example a:a.d.example a:a.d.example a:a.d.example "
                   "a:a.d.example -all\"\na.d.example. IN A 192.0.2.1\n" DMARC,
                   "spf-lookups ");
}

static void dmarc_records(void **state)
{
    (void)state;
    expect_records(SPF, "dmarc-missing ");
    expect_records(SPF DMARC DMARC "_dmarc.d.example. IN TXT \"v=DMARC1; p=none\"\n",
                   "dmarc-several ");
    expect_records(SPF "_dmarc.d.example. IN TXT \"v=DMARC1; p=refuse; rua=mailto:a@d.example\"\n",
                   "dmarc-broken ");
    expect_records(SPF "_dmarc.d.example. IN TXT \"v=DMARC1; p\"\n", "dmarc-broken ");
    expect_records(SPF "_dmarc.d.example. IN TXT \"v=DMARC1; p=reject; rua=a@d.example\"\n",
                   "dmarc-broken ");
    expect_records(SPF "_dmarc.example. IN TXT \"v=DMARC1; p=reject; rua=mailto:a@d.example\"\n",
                   "");
    write_file("zone3", SPF "_dmarc.d.example. IN TXT \"v=DMARC1; p=none; pct=50\"\n", "");
    expect_note("--domain d.example --ip 192.0.2.10 --zone zone3",
                "dmarc-tag-ignored dmarc-no-reports dmarc-monitors ");
}

static void expect_setting(const char *settings, const char *expected)
{
    write_postfix(settings, "", "");
    expect(POSTFIX, expected);
}

static void milters_of_postfix(void **state)
{
    (void)state;
    char line[256];

    expect_setting("smtpd_milters =\nnon_smtpd_milters =\n", "milter-unused ");
    expect_setting("non_smtpd_milters =\n", "non-smtpd-missing ");
    assert_non_null(
        strstr(program_output, "postconf -e 'non_smtpd_milters = unix:authmilter/dkim.sock'"));
    expect_setting("milter_protocol = 2\n", "milter-protocol ");
    expect_setting("milter_default_action = reject\n", "milter-default-refuses ");
    expect_setting("milter_command_timeout = 5s\n", "milter-timeout ");
    expect_setting("smtpd_milters = unix:authmilter/dkim.sock, inet:8891@localhost\n",
                   "milter-address ");
    assert_non_null(strstr(program_output, "write inet:localhost:8891"));
    expect_setting("smtpd_milters = unix:authmilter/dkim.sock {unix:authmilter/none, "
                   "default_action=reject}\n",
                   "milter-no-socket milter-default-refuses ");
    snprintf(line, sizeof(line), "smtpd_milters = unix:%s/spool/authmilter/dkim.sock\n", folder);
    expect_setting(line, "milter-outside-chroot ");
    assert_non_null(strstr(program_output, "write unix:authmilter/dkim.sock"));
    write_postfix("internal_mail_filter_classes =\nsmtpd_milter_maps = cidr:/x\n", "", "");
    expect_note(POSTFIX, "milter-default-action bounce-class ");
    expect_note(POSTFIX, "milter-maps ");
    write_postfix("smtpd_milters = unix:authmilter/dkim.sock inet:127.0.0.1:1\n", "", "");
    expect(POSTFIX, "milter-unreachable ");
    expect_note(POSTFIX, "milter-after-signing ");
}

static void sockets_of_postfix(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        chmod("spool/authmilter/dkim.sock", 0600);
        expect_setting("", "milter-access milter-access ");
        assert_non_null(strstr(program_output, "may not write to the socket"));
        chmod("spool/authmilter/dkim.sock", 0666);
        chmod("spool/authmilter", 0700);
        expect_setting("", "milter-access milter-access ");
        assert_non_null(strstr(program_output, "/spool/authmilter && chmod g+x"));
        chmod("spool/authmilter", 0755);
        assert_int_equal(shutdown(listening, SHUT_RDWR), 0);
        expect_setting("", "milter-stale-socket milter-stale-socket ");
    } else {
        write_postfix("", "", "");
        expect_note(POSTFIX, "milter-not-tried ");
    }
    close(listening);
    unlink("spool/authmilter/dkim.sock");
    expect_setting("", "milter-no-socket milter-no-socket ");
    assert_non_null(strstr(program_output, "systemctl start dkim-milter"));
    listen_at("spool/authmilter/dkim.sock");
}

static void services_of_postfix(void **state)
{
    (void)state;
    write_postfix("content_filter = smtp:[127.0.0.1]:10025\n",
                  "127.0.0.1:10026 inet n - n - - smtpd\n",
                  "127.0.0.1:10026/inet/content_filter =\n");
    expect(POSTFIX, "reinject-twice ");
    assert_non_null(strstr(program_output, "postconf -P '127.0.0.1:10026/inet/smtpd_milters = '"));
    expect_note(POSTFIX, "filter-after-signing ");
    write_postfix("content_filter = smtp:[127.0.0.1]:10025\n",
                  "127.0.0.1:10026 inet n - n - - smtpd\n",
                  "127.0.0.1:10026/inet/content_filter =\n"
                  "127.0.0.1:10026/inet/receive_override_options = no_milters\n");
    expect(POSTFIX, "");
    write_postfix("", "submission inet n - y - - smtpd\n", "submission/inet/smtpd_milters =\n");
    expect(POSTFIX, "service-unsigned ");
    write_dkim("bad/dkim-milter.conf", "");
    char text[1024];
    snprintf(text, sizeof(text), "dkim { key_directory = \"%s/keys\" sign_daemons = { \"OUT\" } }",
             folder);
    write_config("bad/dkim-milter.conf", "dkim.sock", text);
    write_postfix("", "", "");
    expect("--config bad/dkim-milter.conf --zone zone --postconf ./postconf", "daemon-name ");
    write_postfix("", "submission inet n - y - - smtpd\n",
                  "submission/inet/milter_macro_daemon_name = OUT\n");
    expect("--config bad/dkim-milter.conf --zone zone --postconf ./postconf", "");
}

static void two_milters(void **state)
{
    (void)state;
    static const char both[] =
        "smtpd_milters = unix:authmilter/dkim.sock unix:authmilter/spf.sock\n";
    int former = listening;

    listen_at("spool/authmilter/spf.sock");
    write_postfix(both, "", "");
    expect(POSTFIX "--config spf-milter.conf", "");
    write_config("bad/spf-milter.conf", "spf.sock", "");
    expect(POSTFIX "--config bad/spf-milter.conf", "scrub-twice ");
    write_dkim("bad/dkim-milter.conf", " authres { scrub = none }");
    write_config("bad/spf-milter.conf", "spf.sock", "authres { scrub = none }");
    expect("--config bad/dkim-milter.conf --zone zone --postconf ./postconf "
           "--config bad/spf-milter.conf",
           "scrub-none ");
    close(listening);
    listening = former;
}

/* Keys of a table: one for any domain, one that signs for another one, a weak one. */
static void tables_of_keys(void **state)
{
    (void)state;
    char text[1024];

    assert_int_equal(run("keygen --domain example.net --selector w --bits 1024 --output weak.pem"),
                     0);
    write_file("table",
               "any % any keys/example.org/s1.pem\nother example.org s1 "
               "keys/example.org/s1.pem\nweak example.net w weak.pem\n",
               "");
    write_file("signing", "*@example.com other\n*@example.net weak\n*@any.example any\n", "");
    snprintf(text, sizeof(text),
             "dkim { key_table = \"%s/table\" signing_table = \"%s/signing\" login_binding = map "
             "login_map = \"%s/map\" }",
             folder, folder, folder);
    write_file("map", "alice@example.org example.org\nbob@example.org <<\n", "");
    write_config("bad/dkim-milter.conf", "dkim.sock", text);
    expect("--config bad/dkim-milter.conf --no-dns --domain example.com",
           "key-weak config-remark domain-unaligned domain-unsigned ");
    assert_int_equal(system("printf '%s\\n' ';!servfail w._domainkey.example.net' "
                            "';!servfail example.net' ';!servfail _dmarc.example.net' >zone2; "
                            "cat zone >>zone2"),
                     0);
    expect("--config bad/dkim-milter.conf --zone zone2 --ip 192.0.2.10",
           "key-weak config-remark domain-unsigned key-not-published key-not-published "
           "key-unknown spf-unknown dmarc-unknown ");
    write_file("table", "any % any keys/example.org/s1.pem\n", "");
    write_file("signing", "*@any.example any\n", "");
    write_file("map", "", "");
    expect_note("--config bad/dkim-milter.conf --zone zone2 --ip 192.0.2.10", "key-not-compared ");
}

static void more_domains_than_are_checked(void **state)
{
    (void)state;
    char arguments[3000] = "check --config dkim-milter.conf --zone zone --ip 192.0.2.10 ";

    for (int i = 0; i < 100; i++)
        snprintf(arguments + strlen(arguments), sizeof(arguments) - strlen(arguments),
                 "--domain d%d.example ", i);
    strcat(arguments, "| grep -A1 domains-many");
    assert_int_equal(run(arguments), 0);
    assert_non_null(strstr(program_output, "SPF and DMARC of 1 domains beyond the first 100"));
}

static void notes(void **state)
{
    (void)state;
    char text[1024];

    snprintf(text, sizeof(text), "dkim { key_directory = \"%s/keys\" } authres { authserv_id = x }",
             folder);
    write_config("bad/dkim-milter.conf", "dkim.sock", text);
    write_postfix("", "", "");
    expect_note("--config bad/dkim-milter.conf --zone zone --postconf ./postconf",
                "authserv-id-host ");
    snprintf(text, sizeof(text), "milter { user = daemon }\ndkim { key_directory = \"%s/keys\" }",
             folder);
    write_file("bad/dkim-milter.conf", geteuid() == 0 ? "" : "milter { user = daemon }\n",
               strchr(text, '\n'));
    expect_note("--config bad/dkim-milter.conf --no-dns", "keys-user ");
    assert_int_equal(system("{ cat postconf; } | sed '2i echo postconf: warning: odd >&2' >odd; "
                            "chmod 755 odd"),
                     0);
    expect_note(DKIM "--postconf ./odd", "postfix-remark ");
}

static void sockets_with_roles(void **state)
{
    (void)state;
    char text[1024];

    snprintf(text, sizeof(text),
             "milter { socket = \"unix:%s/spool/authmilter/dkim.sock\" role = submission }\n"
             "dkim { key_directory = \"%s/keys\" }\n",
             folder, folder);
    write_file("bad/dkim-milter.conf", text, "");
    write_postfix("", "", "");
    expect("--config bad/dkim-milter.conf --zone zone --postconf ./postconf", "service-unchecked ");
    snprintf(
        text, sizeof(text),
        "milter { socket = \"unix:%s/spool/authmilter/dkim.sock\" role = inbound }\n"
        "listener \"out\" { socket = \"unix:%s/spool/authmilter/out.sock\" role = submission }\n"
        "dkim { key_directory = \"%s/keys\" }\n",
        folder, folder, folder);
    write_file("bad/dkim-milter.conf", text, "");
    expect("--config bad/dkim-milter.conf --zone zone --postconf ./postconf",
           "milter-unused non-smtpd-missing ");
    assert_non_null(strstr(program_output, "unix:authmilter/dkim.sock unix:authmilter/out.sock'"));
}

static void a_postconf_that_fails(void **state)
{
    (void)state;
    static const char *const programs[] = {"./no-such-program", "/bin/false", "./loud"};

    assert_int_equal(system("printf '#!/bin/sh\\nyes\\n' >loud; chmod 755 loud"), 0);
    for (size_t i = 0; i < 3; i++) {
        char arguments[256];

        snprintf(arguments, sizeof(arguments), DKIM "--ip 192.0.2.10 --postconf %s", programs[i]);
        expect(arguments, "postfix-unreadable ");
    }
}

/* What is said of managed keys: their files, their states, and what the DNS shows of them. */
static void managed_keys(void **state)
{
    static const char head[] = "authmilter-keys 1\nkey s1 ed25519 ";
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), "dkim { managed_keys = \"%s/keys\" }", folder);
    write_config("managed.conf", "dkim.sock", text);
#define MANAGED "--program dkim-milter --config managed.conf --ip 192.0.2.10 --zone "
    expect(MANAGED "zone", "keys-none ");
    write_file("keys/example.org/state.1", head, "active 1 1 0 60 unknown 0 -\nend 1\n");
    expect(MANAGED "zone", "");
    assert_int_equal(system("grep -v _domainkey zone >zone2"), 0);
    expect(MANAGED "zone2", "key-not-published ");
    write_file("keys/example.org/state.2", head, "active 1 1 0 60 absent 9 mx1\nend 1\n");
    expect(MANAGED "zone", "config-remark ");
    assert_non_null(strstr(program_output, "mx1 has found the record"));
    write_file("keys/example.org/state.3", head, "act");
    expect(MANAGED "zone", "key-unusable config-remark ");
    assert_int_equal(system("rm keys/example.org/state.*"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_what_is_right),
        cmocka_unit_test(configurations),
        cmocka_unit_test(maps),
        cmocka_unit_test(key_files),
        cmocka_unit_test(keys_in_the_dns),
        cmocka_unit_test(spf_records),
        cmocka_unit_test(dmarc_records),
        cmocka_unit_test(milters_of_postfix),
        cmocka_unit_test(sockets_of_postfix),
        cmocka_unit_test(services_of_postfix),
        cmocka_unit_test(two_milters),
        cmocka_unit_test(tables_of_keys),
        cmocka_unit_test(managed_keys),
        cmocka_unit_test(more_domains_than_are_checked),
        cmocka_unit_test(notes),
        cmocka_unit_test(sockets_with_roles),
        cmocka_unit_test(a_postconf_that_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
