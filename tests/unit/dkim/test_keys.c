#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/failing_alloc.h"
#include "tests/unit/dkim/key_room.h"

static struct dkim_keys *open_tables(const char *key_table, const char *signing_table)
{
    struct am_problem problem = {.text = ""};
    key_room_put("keys", key_table, 0644);
    key_room_put("signing", signing_table, 0644);
    struct dkim_keys *keys =
        key_room_keys(NULL, key_room_path("keys"), key_room_path("signing"), &problem);
    if (keys == NULL)
        fail_msg("%s", problem.text);
    return keys;
}

static void finds_keys_by_table(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    key_room_key("b.key", 2);
    struct dkim_keys *keys = open_tables("# name domain selector file\n"
                                         "\n"
                                         "one\texample.org  sel1 a.key  # relative\r\n"
                                         "two Example.NET. sel2 a.key",
                                         "example.org one\n"
                                         ".example.net two, one\n");
    assert_int_equal(key_room_warnings(keys), 0);
    assert_int_equal(dkim_keys_count(keys), 2);
    assert_null(dkim_keys_item(keys, 2));
    assert_string_equal(key_room_find(keys, "a@EXAMPLE.org."), "one");
    assert_string_equal(key_room_find(keys, "a@x.example.net"), "two one");
    const struct dkim_signing_key *two = key_room_choice.keys[0];
    assert_string_equal(two->domain, "example.net");
    assert_string_equal(two->selector, "sel2");
    assert_string_equal(two->path, key_room_path("a.key"));
    assert_int_equal(two->expire_s, -1);
    assert_null(two->identity);
    assert_null(two->signed_deltas);
    /* A file is loaded once however many rows name it. */
    assert_ptr_equal(two->key, key_room_choice.keys[1]->key);
    char rule[256];
    snprintf(rule, sizeof(rule), "signing table %s:2 (.example.net)", key_room_path("signing"));
    assert_string_equal(key_room_choice.rule, rule);
    assert_string_equal(key_room_find(keys, "a@example.com"), "");
    snprintf(rule, sizeof(rule), "no row of signing table %s has a usable key for it",
             key_room_path("signing"));
    assert_string_equal(key_room_choice.rule, rule);
    assert_string_equal(key_room_find(keys, "<>"), "");
}

static void reads_options(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    struct dkim_keys *keys =
        open_tables("k example.org s a.key algorithm=ed25519-sha256 headers=+X-A,-Subject "
                    "identity=u;s=r@sub.example.org expire=30d\n"
                    "l example.org:s:a.key identity=@example.org expire=0\n",
                    "example.org k l\n");
    assert_int_equal(key_room_warnings(keys), 0);
    key_room_find(keys, "a@example.org");
    const struct dkim_signing_key *key = key_room_choice.keys[0];
    assert_string_equal(key->identity, "u=3Bs=3Dr@sub.example.org");
    assert_int_equal(key->expire_s, 30 * 86400);
    assert_int_equal(key->signed_deltas->count, 2);
    assert_string_equal(key->signed_deltas->items[0], "+X-A");
    assert_string_equal(key->signed_deltas->items[1], "-Subject");
    assert_string_equal(key_room_choice.keys[1]->identity, "@example.org");
    assert_int_equal(key_room_choice.keys[1]->expire_s, 0);
}

static void signs_for_the_domain_of_the_address(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    struct dkim_keys *keys = open_tables("any % s a.key\n", "* any\n");
    assert_string_equal(key_room_find(keys, "a@B\xc3\xbc"
                                            "cher.example"),
                        "any");
    assert_string_equal(key_room_choice.keys[0]->domain, "xn--bcher-kva.example");
    assert_string_equal(dkim_keys_item(keys, 0)->domain, "%");
    assert_string_equal(key_room_find(keys, "a@localhost"), "");
}

/* Opens a good row and a bad one: the good one works, the bad one is told with its line. */
static void bad_row_says(const char *row, const char *what)
{
    char table[16384], place[256];
    snprintf(table, sizeof(table), "good example.org s a.key\n%s\nlast example.org t a.key\n", row);
    struct dkim_keys *keys = open_tables(table, "example.org good last\n");
    snprintf(place, sizeof(place), "%s:2: ", key_room_path("keys"));
    assert_string_equal(key_room_find(keys, "a@example.org"), "good last");
    assert_int_equal(key_room_warnings(keys), 1);
    const char *sentence = dkim_keys_warnings(keys)->sentence;
    if (strncmp(sentence, place, strlen(place)) != 0 || strstr(sentence, what) == NULL)
        fail_msg("%s: \"%s\" is not in: %s", row, what, sentence);
}

static void reports_broken_rows_and_uses_the_others(void **state)
{
    char lengthy[9000];
    (void)state;
    key_room_key("a.key", 1);
    key_room_put("open.key", "x", 0644);
    bad_row_says("only three words", "a row is: NAME DOMAIN SELECTOR KEYFILE");
    bad_row_says("x", "a row is:");
    bad_row_says("good example.net s a.key", "there is a key named good already");
    bad_row_says("x exa_mple..org s a.key", "the domain \"exa_mple..org\" is no domain name");
    bad_row_says("x org s a.key", "has one label only");
    bad_row_says("x example.org s!s a.key", "the selector \"s!s\" is no domain name");
    bad_row_says("x example.org s absent.key", "/absent.key does not exist");
    bad_row_says("x example.org s open.key", "/open.key can be read by everybody; mend it with: "
                                             "chmod 0600 ");
    bad_row_says("x example.org s a.key size=4", "\"size=4\" is no option of a key");
    bad_row_says("x example.org s a.key plain", "\"plain\" is no option of a key");
    bad_row_says("x example.org s a.key expire=soon", "expire");
    bad_row_says("x example.org s a.key expire=20000d", "expire");
    bad_row_says("x example.org s a.key headers=X", "headers=X: write +Name");
    bad_row_says("x example.org s a.key headers=+X:Y", "headers=+X:Y: write +Name");
    bad_row_says("x example.org s a.key headers=-from", "From is always signed");
    bad_row_says("x example.org s a.key identity=user", "write user@domain or @domain");
    bad_row_says("x example.org s a.key identity=a@example.com",
                 "its domain is neither example.org nor below it");
    bad_row_says("x % s a.key identity=a@example.com", "identity= needs a domain of its own");
    bad_row_says("x example.org s a.key algorithm=rsa-sha1", "it is rsa-sha256 or ed25519-sha256");
    bad_row_says("x example.org s a.key algorithm=rsa-sha256",
                 "algorithm=rsa-sha256, but the key is one for ed25519-sha256");
    bad_row_says("x,y example.org s a.key", "holds neither commas nor blanks");
    bad_row_says("x example.org s \x01", "control character (0x01)");
    bad_row_says("x example.org s a.key identity=\xff@example.org", "not UTF-8");
    memset(lengthy, 'x', sizeof(lengthy));
    lengthy[sizeof(lengthy) - 1] = '\0';
    bad_row_says(lengthy, "the line has 8999 octets, more than the 8192 of a row");
}

static void survives_a_nul(void **state)
{
    static const char text[] = "good example.org s a.key\nx exa\0mple.org s a.key\n"
                               "\0y example.org s a.key\nz example.org \0s a.key\n";
    struct am_problem problem;
    (void)state;
    key_room_key("a.key", 1);
    FILE *file = fopen(key_room_path("keys"), "w");
    assert_int_equal(fwrite(text, 1, sizeof(text) - 1, file), sizeof(text) - 1);
    fclose(file);
    struct dkim_keys *keys = key_room_keys(NULL, key_room_path("keys"), NULL, &problem);
    assert_int_equal(dkim_keys_count(keys), 1);
    assert_int_equal(key_room_warnings(keys), 3);
    assert_true(key_room_warned(keys, "keys:2: the row holds a control character (0x00)"));
    assert_true(key_room_warned(keys, "keys:3: the row holds a control character (0x00)"));
    assert_true(key_room_warned(keys, "keys:4: the row holds a control character (0x00)"));
}

static void reports_signing_rows_without_keys(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    struct dkim_keys *keys = open_tables("good example.org s a.key\nbad example.org s absent\n",
                                         "example.org good\n"
                                         "a@example.org ghost\n"
                                         "b@example.org ghost,good\n"
                                         "c@example.org bad\n"
                                         "d@example.org\n"
                                         "e@@example.org good\n");
    assert_true(key_room_warned(keys, "signing:2: there is no key named ghost"));
    assert_true(key_room_warned(keys, "signing:3: there is no key named ghost"));
    assert_true(key_room_warned(keys, "signing:4: key bad was left out"));
    assert_true(key_room_warned(keys, "signing:5: a row is: PATTERN KEYNAME"));
    assert_true(key_room_warned(keys, "signing:6: \"e@@example.org\" is no pattern"));
    assert_int_equal(key_room_warnings(keys), 6);
    /* A row without keys is as if it were not there. */
    assert_string_equal(key_room_find(keys, "a@example.org"), "good");
    assert_string_equal(key_room_find(keys, "b@example.org"), "good");
    assert_non_null(strstr(key_room_choice.rule, "signing:3 (b@example.org)"));
    assert_string_equal(key_room_find(keys, "c@example.org"), "good");
}

static void ends_warnings_somewhere(void **state)
{
    struct am_buf text;
    (void)state;
    am_buf_init(&text, 0);
    for (unsigned i = 0; i < 250; i++)
        am_buf_printf(&text, "broken%u\n", i);
    struct dkim_keys *keys = open_tables(am_buf_str(&text), "");
    am_buf_fini(&text);
    assert_int_equal(key_room_warnings(keys), 101);
    assert_true(key_room_warned(keys, "and 150 more"));
}

static void reads_a_directory(void **state)
{
    struct am_problem problem = {.text = ""};
    (void)state;
    key_room_folder("d", 0755);
    key_room_folder("d/Example.org", 0755);
    key_room_folder("d/b\xc3\xbc"
                    "cher.example",
                    0755);
    key_room_folder("d/no_dot", 0755);
    key_room_folder("d/.hidden", 0755);
    key_room_put("d/README", "hello", 0644);
    key_room_key("d/Example.org/s2.pem", 2);
    key_room_key("d/Example.org/s1.private", 1);
    key_room_key("d/Example.org/s1.key", 1);
    key_room_key("d/Example.org/.s3.key", 3);
    key_room_put("d/Example.org/s1.txt", "v=DKIM1", 0644);
    key_room_put("d/Example.org/open.key", "v=DKIM1", 0644);
    key_room_key("d/Example.org/s!.key", 3);
    key_room_key("d/b\xc3\xbc"
                 "cher.example/s.key",
                 4);
    struct dkim_keys *keys = key_room_keys("d/", NULL, NULL, &problem);
    if (keys == NULL)
        fail_msg("%s", problem.text);
    assert_string_equal(key_room_find(keys, "a@example.ORG"), "example.org/s1 example.org/s2");
    assert_non_null(strstr(key_room_choice.rule, "/d/Example.org"));
    assert_string_equal(key_room_find(keys, "a@xn--bcher-kva.example"), "xn--bcher-kva.example/s");
    assert_string_equal(key_room_find(keys, "a@sub.example.org"), "");
    assert_true(key_room_warned(keys, "there is another file for selector s1 of example.org"));
    assert_true(key_room_warned(keys, "/open.key can be read by everybody"));
    assert_true(key_room_warned(keys, "/d/no_dot: a folder of the key directory is named after"));
    assert_true(key_room_warned(keys, "/s!.key: what stands before the ending is no selector"));
    assert_int_equal(key_room_warnings(keys), 4);
    assert_non_null(strstr(am_buf_str(&key_room_watched), "/d/\n"));
    assert_non_null(strstr(am_buf_str(&key_room_watched), "/d/Example.org/\n"));
    assert_non_null(strstr(am_buf_str(&key_room_watched), "/d/Example.org/s2.pem\n"));
}

static void prefers_the_table_and_lets_it_name_keys_of_the_directory(void **state)
{
    struct am_problem problem;
    (void)state;
    key_room_folder("d", 0755);
    key_room_folder("d/example.org", 0755);
    key_room_key("d/example.org/s1.key", 1);
    key_room_key("d/example.org/s2.key", 2);
    key_room_put("signing", ".example.org example.org/s2\nvip@example.net example.org/s1\n", 0644);
    struct dkim_keys *keys = key_room_keys("d", NULL, key_room_path("signing"), &problem);
    assert_string_equal(key_room_find(keys, "a@example.org"), "example.org/s2");
    assert_string_equal(key_room_find(keys, "a@sub.example.org"), "example.org/s2");
    assert_string_equal(key_room_find(keys, "vip@example.net"), "example.org/s1");
    key_room_put("signing", "vip@example.org example.org/s2\n", 0644);
    keys = key_room_keys("d", NULL, key_room_path("signing"), &problem);
    assert_string_equal(key_room_find(keys, "a@example.org"), "example.org/s1 example.org/s2");
    key_room_find(keys, "a@example.com");
    assert_non_null(strstr(key_room_choice.rule, "no row of signing table /"));
    assert_non_null(strstr(key_room_choice.rule, "and no folder of key directory /"));
}

static void cannot_open(const char *directory, const char *key_table, const char *what)
{
    struct am_problem problem = {.text = ""};
    assert_null(key_room_keys(directory, key_table, NULL, &problem));
    if (strstr(problem.text, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, problem.text);
}

static void fails_when_a_source_cannot_be_read(void **state)
{
    (void)state;
    cannot_open("absent", NULL, "key directory /");
    cannot_open(NULL, "/nonexistent/keys", "/nonexistent/keys cannot be opened: No such file");
    cannot_open(NULL, "keys", "\"keys\" is no full path: let it begin with a slash");
    cannot_open(NULL, "file:keys", "\"keys\" is no full path");
    cannot_open(NULL, "ldap://x/y", "\"ldap://x/y\" is no kind of table that is known here");
    cannot_open(NULL, "/dev/null", "/dev/null is no regular file");
    cannot_open(NULL, key_room, "is no regular file");
}

static void watches_what_it_reads(void **state)
{
    char prefixed[128];
    struct am_problem problem;
    (void)state;
    key_room_key("a.key", 1);
    key_room_put("keys", "k example.org s a.key\nl example.org t a.key\n", 0644);
    snprintf(prefixed, sizeof(prefixed), "refile:%s", key_room_path("keys"));
    assert_non_null(key_room_keys(NULL, prefixed, NULL, &problem));
    char expected[256];
    snprintf(expected, sizeof(expected), "%s\n%s\n", key_room_path("keys"), key_room_path("a.key"));
    assert_string_equal(am_buf_str(&key_room_watched), expected);
}

static void reports_a_weak_key_and_uses_it(void **state)
{
    struct am_problem problem;
    struct am_buf pem;
    (void)state;
    struct dkim_private_key *key = dkim_private_key_generate(DKIM_KEY_RSA, 1024, &problem);
    assert_non_null(key);
    am_buf_init(&pem, 0);
    assert_true(dkim_private_key_write_pem(key, &pem));
    key_room_put("weak.pem", am_buf_str(&pem), 0600);
    am_buf_fini(&pem);
    dkim_private_key_free(key);
    struct dkim_keys *keys = open_tables("k example.org s weak.pem\n", "example.org k\n");
    assert_true(key_room_warned(keys, "keys:1: an RSA key of 1024 bits is weak"));
    assert_string_equal(key_room_find(keys, "a@example.org"), "k");
}

/* Counts allocations that a find makes: none when there is nothing to be found. */
static void takes_no_memory_when_there_is_no_key(void **state)
{
    struct am_address address;
    struct dkim_keys_choice choice;
    (void)state;
    key_room_key("a.key", 1);
    struct dkim_keys *keys =
        open_tables("k example.org s a.key\n", "*@x*.example k\n.example.org k\n");
    struct am_arena *arena = am_arena_new(64, 0);
    am_address_parse(&address, am_span_str("Somebody@Mail.Example.Com"));
    failing_alloc_start(0);
    dkim_keys_find(keys, arena, &address, &choice);
    assert_false(failing_alloc_stop());
    assert_int_equal(am_arena_used(arena), 0);
    assert_int_equal(choice.count, 0);
    am_arena_free(arena);
}

static void put_one_of_each(void)
{
    key_room_folder("d", 0755);
    key_room_folder("d/example.net", 0755);
    key_room_key("d/example.net/s.key", 1);
    key_room_key("a.key", 1);
    key_room_put("keys", "k example.org s a.key headers=+X identity=@example.org\n", 0644);
    key_room_put("signing", "*@*.example.org k\na@example.org k\n", 0644);
}

static void survives_failing_allocations(void **state)
{
    struct am_problem problem;
    unsigned refused = 0;
    bool failed = true;
    (void)state;
    put_one_of_each();
    for (size_t n = 0; failed && n < 500; n++) {
        failing_alloc_start(n);
        struct dkim_keys *keys =
            key_room_keys("d", key_room_path("keys"), key_room_path("signing"), &problem);
        failed = failing_alloc_stop();
        refused += keys == NULL;
        if (keys != NULL)
            (void)key_room_find(keys, "a@example.org");
    }
    assert_false(failed);
    assert_true(refused > 0);
}

/* Every allocation from the arena fails once: opening says so or leaves out what it says. */
static void survives_a_small_arena(void **state)
{
    struct am_problem problem;
    struct dkim_keys *keys = NULL;
    unsigned refused = 0;
    (void)state;
    put_one_of_each();
    char *directory = strdup(key_room_path("d")), *key_table = strdup(key_room_path("keys"));
    struct dkim_keys_source source = {directory, key_table, key_room_path("signing")};
    for (size_t limit = 16; keys == NULL && limit < (size_t)1 << 20; limit += 48) {
        struct am_arena *arena = am_arena_new(64, limit);
        struct dkim_keys_env env = {.arena = arena};
        keys = dkim_keys_open(&source, &env, &problem);
        if (keys == NULL)
            assert_non_null(strstr(problem.text, "memory"));
        refused += keys == NULL;
        am_arena_free(arena);
    }
    assert_non_null(keys);
    assert_true(refused > 20);
    free(directory);
    free(key_table);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, key_room_open, key_room_close)
    const struct CMUnitTest tests[] = {
        TEST(finds_keys_by_table),
        TEST(reads_options),
        TEST(signs_for_the_domain_of_the_address),
        TEST(reports_broken_rows_and_uses_the_others),
        TEST(survives_a_nul),
        TEST(reports_signing_rows_without_keys),
        TEST(ends_warnings_somewhere),
        TEST(reads_a_directory),
        TEST(prefers_the_table_and_lets_it_name_keys_of_the_directory),
        TEST(fails_when_a_source_cannot_be_read),
        TEST(watches_what_it_reads),
        TEST(reports_a_weak_key_and_uses_it),
        TEST(takes_no_memory_when_there_is_no_key),
        TEST(survives_failing_allocations),
        TEST(survives_a_small_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
