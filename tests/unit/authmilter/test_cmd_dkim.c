#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/authmilter/program.h"

/* keygen, sign, verify and testkey as a person uses them, in a folder of the test's own. */

/* Not in the build tree: every folder above a key file is judged. */
static char folder[] = "/tmp/cmd-dkim-XXXXXX";

/* Runs "authmilter ARGUMENTS" in the folder; returns the exit status. */
static int run(const char *arguments)
{
    return program_run("export TMPDIR=. A=" AUTHMILTER_PROGRAM ";", arguments);
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

/* Appends the record that keygen has printed to the zone. */
static void publish(void)
{
    const char *from = strstr(program_output, "For a zone file:\n\n");
    const char *to = strstr(program_output, "\nThe same in one line");
    FILE *zone = fopen("zone", "ae");

    assert_non_null(zone);
    assert_true(from != NULL && to != NULL);
    from += strlen("For a zone file:\n\n");
    fwrite(from, 1, (size_t)(to - from), zone);
    fclose(zone);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return -1;
    if (run("keygen --domain example.org --selector rsa --output rsa.pem") != 0)
        return -1;
    publish();
    if (run("keygen --domain example.org --selector ed --type ed25519 --output ed.pem") != 0)
        return -1;
    publish();
    static const char mail[] = "From: a@example.org\nSubject: x\n\nHello\n";
    write_file("mail", mail, sizeof(mail) - 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

#define TWO " --selector rsa --key rsa.pem --selector ed --key ed.pem "

static const struct {
    const char *name, *text;
    size_t len;
} bodies[] = {
#define BODY(name, text)                                                                           \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
    BODY("empty", ""),
    BODY("one CRLF", "\r\n"),
    BODY("CRLFs", "\r\n\r\n\r\n\r\n"),
    BODY("no final CRLF", "one\r\ntwo"),
    BODY("blanks at the end", "one\r\ntwo \t "),
    BODY("trailing blanks", "one  \r\ntwo\t\r\n \t\r\n \r\n"),
    BODY("8-bit", "caf\xc3\xa9 \xff\x80\r\n"),
    BODY("bare CR", "a\rb\r\r\nc\r"),
    BODY("bare LF", "a\nb\n\r\nc\n"),
    BODY("NUL, VT, FF", "a\0b\vc\fd\r\n"),
#undef BODY
};

static void round_trip(const char *canon, const char *what)
{
    char command[512];

    snprintf(command, sizeof(command),
             "sign --domain example.org" TWO "--canonicalization %s --message m 2>/dev/null >s && "
             "$A verify --zone zone s",
             canon);
    if (run(command) != 0)
        fail_msg("%s, %s: %s", canon, what, program_output);
    assert_non_null(strstr(program_output, "signature 1 of 2: pass\n"));
    assert_non_null(strstr(program_output, "signature 2 of 2: pass\n"));
}

static void what_is_signed_verifies(void **state)
{
    (void)state;
    static const char *const canons[] = {"simple/simple", "simple/relaxed", "relaxed/simple",
                                         "relaxed/relaxed"};
    static const char header[] =
        "From: a@example.org\r\nSUBJECT:one\r\n\t two \r\nX-Empty:\r\nTo: b\r\nTo:  c\r\n\r\n";
    size_t room = sizeof(header) + 200010;
    char *mail = malloc(room);

    assert_non_null(mail);
    memcpy(mail, header, sizeof(header) - 1);
    for (size_t c = 0; c < sizeof(canons) / sizeof(canons[0]); c++) {
        char *body = mail + sizeof(header) - 1;
        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
            memcpy(body, bodies[i].text, bodies[i].len);
            write_file("m", mail, sizeof(header) - 1 + bodies[i].len);
            round_trip(canons[c], bodies[i].name);
        }
        memset(body, 'x', 200000);
        memcpy(body + 100000, "\r\n", 2);
        write_file("m", mail, sizeof(header) - 1 + 200000);
        round_trip(canons[c], "lines of 100,000 octets");
    }
    free(mail);
}

static void a_change_shows(void **state)
{
    (void)state;
#define SIGN "sign --domain example.org" TWO "--message mail "
#define VERIFY "| $A verify --zone zone -"
    assert_int_equal(run(SIGN "| sed 's/Hello/Hallo/'" VERIFY), 1);
    assert_non_null(strstr(program_output, "body hash did not verify"));
    assert_int_equal(run(SIGN "| sed 's/: x/: y/'" VERIFY), 1);
    assert_non_null(strstr(program_output, "signature did not verify"));
    assert_int_equal(run(SIGN "| sed '/^From:/i Subject: 2'" VERIFY), 1);
    assert_int_equal(run(SIGN "--now 1000 --expire 1s" VERIFY), 6);
    assert_int_equal(run(SIGN "--now 1000 --expire 1s | $A verify --now 1001 --zone zone -"), 0);
    assert_int_equal(run(SIGN "--now 2000 | $A verify --now 1000 --zone zone -"), 6);
}

static void a_pipe_is_signed_as_a_file_is(void **state)
{
    (void)state;
    assert_int_equal(run(SIGN "--now 1000 >s; cat mail | $A sign --domain example.org" TWO
                              "--now 1000 --message - | cmp - s"),
                     0);
    assert_int_equal(run("sign --domain example.org" TWO "--now 1000 mail >f; "
                         "cat f mail | cmp - s"),
                     0);
    assert_int_equal(run(SIGN "--copied-fields --identity u@sub.example.org --headers +X-Loop "
                              "--oversign=+X-Loop,-To" VERIFY),
                     0);
    assert_non_null(strstr(program_output, "i=u@sub.example.org"));
}

/* The largest program that has run so far, in KB. */
static long largest_kb(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss;
}

static void memory_does_not_depend_on_the_body(void **state)
{
    (void)state;
    assert_int_equal(run(SIGN VERIFY), 0);
    long small_kb = largest_kb();
    assert_int_equal(
        run("--version >/dev/null; (cat mail; yes 'a line of the body' | head -c 100000000) | "
            "$A sign --domain example.org" TWO "--message - " VERIFY),
        0);
    assert_non_null(strstr(program_output, "line ends LF"));
    assert_true(largest_kb() - small_kb < 8192);
}

static void unsignable_messages_are_not_signed(void **state)
{
    (void)state;
    write_file("none", "Subject: x\n\n", 12);
    write_file("several", "From: a@b.c\nFrom: d@e.f\n\n", 25);
    assert_int_equal(run("sign --domain example.org" TWO "none"), 1);
    assert_non_null(strstr(program_output, "no From field"));
    assert_int_equal(run("sign --domain example.org" TWO "--message several"), 1);
    assert_non_null(strstr(program_output, "several From fields"));
    assert_null(strstr(program_output, "DKIM-Signature"));
}

static void keys_are_private_and_never_overwritten(void **state)
{
    (void)state;
    struct stat found;

    assert_int_equal(stat("rsa.pem", &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(run("keygen --domain example.org --selector rsa --output rsa.pem"), 69);
    assert_non_null(strstr(program_output, "is not overwritten"));
    assert_int_equal(run("testkey --zone zone --key rsa.pem example.org rsa"), 0);
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_int_equal(run("keygen --domain example.org --selector x --type ed25519 --output link"),
                     69);
    assert_int_equal(access("nowhere", F_OK), -1);
    assert_int_equal(mkdir("keys", 0700), 0);
    assert_int_equal(run("keygen --domain Example.ORG --selector x --type ed25519 --output keys"),
                     0);
    assert_int_equal(access("keys/example.org/x.pem", R_OK), 0);
    assert_int_equal(run("keygen --domain example.org --selector x --type ed25519"), 0);
    assert_int_equal(access("example.org.x.pem", R_OK), 0);
    assert_int_equal(run("keygen --domain example.org --selector w --bits 1024 --output keys"), 0);
    assert_non_null(strstr(program_output, "weak"));
}

/* Two keys that sign side by side; none is made where one of them cannot be. */
static void a_pair_of_keys(void **state)
{
    (void)state;
    assert_int_equal(mkdir("pair", 0700), 0);
    assert_int_equal(run("keygen --domain example.org --selector p --type both --output pair"), 0);
    assert_non_null(strstr(program_output, "\npr._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa"));
    assert_non_null(
        strstr(program_output, "\npe._domainkey.example.org. IN TXT \"v=DKIM1; k=ed25519"));
    assert_non_null(strstr(program_output, "testkey --key pair/example.org/pe.pem example.org pe"));
    assert_int_equal(run("sign --domain example.org --selector pr --key pair/example.org/pr.pem "
                         "--selector pe --key pair/example.org/pe.pem mail >signed"),
                     0);
    assert_int_equal(unlink("pair/example.org/pr.pem"), 0);
    assert_int_equal(run("keygen --domain example.org --selector p --type both --output pair"), 69);
    assert_non_null(strstr(program_output, "pe.pem: is there already and is not overwritten"));
    assert_int_equal(access("pair/example.org/pr.pem", F_OK), -1);
    assert_int_equal(run("keygen --domain example.org --selector p --type both --output one.pem"),
                     69);
    assert_non_null(strstr(program_output, "one.pem: Not a directory"));
    assert_int_equal(access("one.pem", F_OK), -1);
    assert_int_equal(
        run("keygen --domain example.org --selector q --type both --bits 1024 --output pair"), 0);
    assert_non_null(strstr(program_output, "(rsa, 1024 bits"));
    assert_non_null(strstr(program_output, "(ed25519, 256 bits"));
    assert_int_equal(run("keygen --domain example.org --selector both --type both"), 0);
    assert_int_equal(access("example.org.bothr.pem", R_OK), 0);
    assert_int_equal(access("example.org.bothe.pem", R_OK), 0);
}

static void large_keys_are_published_in_strings(void **state)
{
    (void)state;
    assert_int_equal(run("keygen --domain example.org --selector big --bits 4096 --output big.pem"),
                     0);
    for (const char *quote = strchr(program_output, '"'); quote != NULL;) {
        const char *end = strchr(quote + 1, '"');
        assert_non_null(end);
        assert_true(end - quote - 1 > 0 && end - quote - 1 <= 255);
        quote = strchr(end + 1, '"');
    }
    publish();
    assert_int_equal(run("testkey --zone zone --key big.pem example.org big"), 0);
    assert_non_null(strstr(program_output, "rsa, 4096 bits\n"));
    assert_int_equal(run("sign --domain example.org --selector big --key big.pem --message mail "
                         "| $A verify --zone zone -"),
                     0);
}

static void testkey_judges(void **state)
{
    (void)state;
    static const char zone[] =
        "revoked._domainkey.e.example. IN TXT \"v=DKIM1; p=\"\n"
        "syntax._domainkey.e.example. IN TXT \"v=DKIM1; p\"\n"
        "several._domainkey.e.example. IN TXT \"v=DKIM1; p=\"\n"
        "several._domainkey.e.example. IN TXT \"other\"\n"
        "sha1._domainkey.e.example. IN TXT \"h=sha1; p=AAAA\"\n"
        "service._domainkey.e.example. IN TXT \"s=calendar; n=\\027[31m; p=AAAA\"\n"
        "type._domainkey.e.example. IN TXT \"k=dsa; p=AAAA\"\n"
        "flags._domainkey.e.example. IN TXT \"k=ed25519; t=y:s; h=sha256:sha1; "
        "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
        ";!servfail broken._domainkey.e.example\n";
    static const struct {
        const char *selector;
        int status;
        const char *words;
    } rows[] = {
        {"revoked", 1, "key is revoked"},
        {"syntax", 1, "malformed"},
        {"several", 1, "several TXT records"},
        {"sha1", 1, "hashes       sha1"},
        {"service", 1, "services     calendar"},
        {"type", 1, "unknown key type"},
        {"flags", 0, "testing      t=y"},
        {"flags", 0, "strict       t=s"},
        {"flags", 0, "DNSSEC       not signed (fine)"},
        {"flags", 0, "ed25519, 256 bits"},
        {"nothing", 4, "there is no such name"},
        {"broken", 5, "every name server failed"},
    };
    char command[128];

    write_file("other", zone, sizeof(zone) - 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(command, sizeof(command), "testkey --zone other e.example %s", rows[i].selector);
        assert_int_equal(run(command), rows[i].status);
        assert_non_null(strstr(program_output, rows[i].words));
        assert_null(strchr(program_output, 033));
    }
    assert_int_equal(run("testkey --zone zone --key ed.pem example.org rsa"), 1);
    assert_non_null(strstr(program_output, "does not belong to this record"));
}

static void explain(const char *address, int status, const char *words)
{
    char command[128];

    snprintf(command, sizeof(command), "sign --config conf --explain-sender %s", address);
    assert_int_equal(run(command), status);
    if (strstr(program_output, words) == NULL)
        fail_msg("%s: not \"%s\" but: %s", address, words, program_output);
}

static void keys_of_a_sender_are_explained(void **state)
{
    (void)state;
    char conf[512];
    int len = snprintf(conf, sizeof(conf),
                       "dkim { key_directory = \"%s/explained\" key_table = \"%s/keys.table\" "
                       "signing_table = \"%s/signing.table\" }\n",
                       folder, folder, folder);

    write_file("conf", conf, (size_t)len);
    len = snprintf(conf, sizeof(conf),
                   "list example.net lists %s/ed.pem expire=7d headers=+X-Loop\n", folder);
    write_file("keys.table", conf, (size_t)len);
    static const char rows[] = "news@example.org list\n.example.net list\nx@y.z nothing\n";
    write_file("signing.table", rows, sizeof(rows) - 1);
    assert_int_equal(mkdir("explained", 0700), 0);
    assert_int_equal(
        run("keygen --domain example.org --selector e --type ed25519 --output explained"), 0);
    assert_int_equal(run("keygen --domain example.org --selector r --output explained"), 0);

    explain("user@example.org", 0, "From example.org: 2 signatures\n");
    explain("user@example.org", 0, "key directory");
    explain("user@example.org", 0, "d=example.org s=r: rsa-sha256, 2048 bits\n");
    explain("news@example.org", 0, "From example.org: 1 signature\n");
    explain("news@example.org", 0, "signing.table:1");
    explain("a@deep.example.net", 0, "d=example.net s=lists: ed25519-sha256, 256 bits\n");
    explain("a@deep.example.net", 0, "604800 s\n");
    explain("a@deep.example.net", 0, "+X-Loop\n");
    explain("user@sub.example.org", 1, "From sub.example.org: 0 signatures\n");
    explain("user@sub.example.org", 1, "signing.table:3"); /* what is wrong there */
    explain("user@example.org x", 64, "signs nothing");
    explain("user", 64, "takes an address");
    static const char combined[] = "milter { modules = dkim }\nspf { mailfrom_fail = reject }\n";
    write_file("conf", combined, sizeof(combined) - 1);
    explain("user@example.org", 1, "From example.org: 0 signatures\n");
    assert_int_equal(run("sign --config nowhere --explain-sender a@b.c"), 69);
    assert_int_equal(run("sign --config conf mail"), 64);
}

static void wrong_usage_is_said(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "verify",
        "verify a b",
        "verify --unknown mail",
        "verify --now yesterday mail",
        "verify --zone zone --nameserver 127.0.0.1 mail",
        "verify --nameserver ns.example.org mail",
        "verify --engine none mail",
        "sign mail",
        "sign --key rsa.pem mail",
        "sign --domain example.org --key rsa.pem mail",
        "sign --domain example.org --selector s --key rsa.pem",
        "sign --domain example.org --selector s --key rsa.pem --selector t mail",
        "sign --domain example.org --selector s --key rsa.pem --selector s --key ed.pem mail",
        "sign --domain org --selector s --key rsa.pem mail",
        "sign --domain example.org --selector 's s' --key rsa.pem mail",
        "sign --domain example.org" TWO "--canonicalization relaxed mail",
        "sign --domain example.org" TWO "--headers X mail",
        "sign --domain example.org" TWO "--headers=-From mail",
        "sign --domain example.org" TWO "--expire 30 mail",
        "sign --domain example.org" TWO "--identity @example.net mail",
        "keygen --domain example.org",
        "keygen --domain example.org --selector ../x",
        "keygen --domain example.org --selector x --type dsa",
        "keygen --domain example.org --selector x --bits 512",
        "keygen --domain example.org --selector x --bits 2048 --type ed25519",
        "keygen --domain example.org --selector x y",
        "testkey example.org",
        "testkey --zone zone org s",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (run(wrong[i]) != 64)
            fail_msg("not refused: %s: %s", wrong[i], program_output);
        assert_true(strlen(program_output) > 10);
    }
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    static const char *const missing[] = {
        "verify --zone zone nowhere",
        "verify --zone nowhere mail",
        "verify --zone zone .",
        "sign --domain example.org" TWO "nowhere",
        "sign --domain example.org --selector s --key nowhere mail",
        "sign --domain example.org --selector s --key zone mail",
        "keygen --domain example.org --selector s --output nowhere/key",
        "testkey --zone nowhere example.org s",
        "testkey --zone zone --key nowhere example.org rsa",
    };
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        if (run(missing[i]) != 69)
            fail_msg("not 69: %s: %s", missing[i], program_output);
        assert_true(strlen(program_output) > 10);
    }
    assert_int_equal(run("sign --domain example.org" TWO "mail >/dev/full"), 69);
    assert_int_equal(run("verify --zone zone mail >/dev/full"), 69);
}

static void help_says_how_it_ends(void **state)
{
    (void)state;
    static const char *const helps[] = {"verify --help", "sign --help", "keygen --help",
                                        "testkey --help"};
    for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
        assert_int_equal(run(helps[i]), 0);
        assert_non_null(strstr(program_output, "Exit status"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_verifies),
        cmocka_unit_test(a_change_shows),
        cmocka_unit_test(a_pipe_is_signed_as_a_file_is),
        cmocka_unit_test(memory_does_not_depend_on_the_body),
        cmocka_unit_test(unsignable_messages_are_not_signed),
        cmocka_unit_test(keys_are_private_and_never_overwritten),
        cmocka_unit_test(a_pair_of_keys),
        cmocka_unit_test(large_keys_are_published_in_strings),
        cmocka_unit_test(testkey_judges),
        cmocka_unit_test(keys_of_a_sender_are_explained),
        cmocka_unit_test(wrong_usage_is_said),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(help_says_how_it_ends),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
