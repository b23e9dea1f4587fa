#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/dns/dns_zone.h"
#include "common/milter/play.h"
#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_module.h"
#include "tests/suites/dmarc/given_module.h"

/* What the module hands to the store of aggregate reports, read back from the file. */

static const struct am_module *const modules[] = {&given_module, &dmarc_module, NULL};

static const char zone[] =
    "_dmarc.example.com. 60 IN TXT \"v=DMARC1; p=reject; sp=quarantine; adkim=s; fo=1:d; "
    "ruf=mailto:f@example.com; rua=mailto:r@example.com\"\n"
    "_dmarc.test.example. 60 IN TXT \"v=DMARC1; p=reject; t=y\"\n"
    "_dmarc.odd.example. 60 IN TXT \"v=DMARC1; p=x; rua=mailto:r@odd.example\"\n"
    ";!servfail _dmarc.down.example txt\n";

static char folder[] = "/tmp/dmarc-module-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    am_log_open("test", &(struct am_log_options){.level = AM_LOG_ERROR});
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void give(const char *method, const char *result, const char *ptype, const char *property,
                 const char *value)
{
    struct am_result *one = &given.results[given.count++];

    *one = (struct am_result){.method = method, .result = result};
    am_result_add_property(one, ptype, property, am_span_str(value));
}

static int new_path(void **state)
{
    static int number;

    (void)state;
    snprintf(path, sizeof(path), "%s/%d.db", folder, number++);
    given.count = 0;
    give("spf", "none", "smtp", "mailfrom", "Bounce@Elsewhere.example");
    give("dkim", "none", "policy", "x", "");
    return 0;
}

static void play_one(struct am_runtime *runtime, struct am_arena *arena, const char *from)
{
    const char *recipient = "<user@example.org>";
    const struct am_play_field field = {"From", from};
    const struct am_play_mail mail = {.client = "192.0.2.1",
                                      .helo = "mail.elsewhere.example",
                                      .sender = "<Bounce@Elsewhere.example>",
                                      .recipients = {&recipient, 1},
                                      .fields = &field,
                                      .field_count = 1};
    struct am_outcome outcome;
    struct am_problem problem;

    if (!am_play(runtime, &mail, arena, &outcome, &problem))
        fail_msg("%s", problem.text);
}

/*
 * Plays mails, one for each From; when this returns the rows are in the file. Behind "#" in
 * `config` stands what goes into section dmarc, with its end.
 */
static void play(const char *config, const char *const *froms)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_problem problem;
    struct am_resolver *resolver = am_dns_zone_parse(zone, "zone", &problem);
    const struct am_runtime_source source = {
        .modules = modules,
        .schema = am_runtime_schema(arena, modules),
        .path = "test",
        .text = am_arena_printf(arena, "%.*s\ndmarc { report_store = \"%s\" %s",
                                (int)strcspn(config, "#"), config, path,
                                strchr(config, '#') == NULL ? "}" : strchr(config, '#') + 1),
        .clock = am_clock_system(),
        .resolver = resolver,
        .reporter = am_play_reporter(),
    };
    struct am_runtime *runtime = am_runtime_load(&source, NULL, &problem);

    if (runtime == NULL)
        fail_msg("%s", problem.text);
    for (; *froms != NULL; froms++)
        play_one(runtime, arena, *froms);
    am_snapshot_drop(&runtime->snapshot);
    am_resolver_free(resolver);
    am_arena_free(arena);
}

/* Reads columns of all rows, "|" between them and a line feed behind each row. */
static const char *rows(const char *columns)
{
    static char text[4096];
    char statement[512];
    const struct dmarc_db_options options = {.path = path, .wait_ms = 1000};
    struct am_problem problem = {""};
    struct dmarc_db *db = access(path, F_OK) != 0 ? NULL : dmarc_db_open(&options, &problem);

    text[0] = '\0';
    if (db == NULL)
        return problem.text[0] == '\0' ? "" : "no database";
    snprintf(statement, sizeof(statement), "SELECT %s FROM rows ORDER BY id", columns);
    struct dmarc_query *query = dmarc_query_new(db, statement, &problem);
    if (query == NULL)
        fail_msg("%s", problem.text);
    while (dmarc_query_step(query, &problem) == DMARC_QUERY_ROW) {
        strncat(text, dmarc_query_text(query, 0), sizeof(text) - strlen(text) - 1);
        strncat(text, "\n", sizeof(text) - strlen(text) - 1);
    }
    dmarc_query_free(query);
    dmarc_db_close(db);
    return text;
}

#define JOIN(A, B) A "||'|'||" B
#define POLICY                                                                                     \
    JOIN("policy_domain",                                                                          \
         JOIN("p",                                                                                 \
              JOIN("sp",                                                                           \
                   JOIN("np", JOIN("adkim", JOIN("aspf", JOIN("fo", JOIN("testing", "rua"))))))))
#define OUTCOME                                                                                    \
    JOIN(                                                                                          \
        "header_from",                                                                             \
        JOIN("disposition",                                                                        \
             JOIN("dkim", JOIN("spf", "replace(replace(reasons, char(9), ':'), char(10), ';')"))))
#define CLAIMS                                                                                     \
    JOIN("source_ip",                                                                              \
         JOIN("envelope_from",                                                                     \
              JOIN("spf_domain",                                                                   \
                   JOIN("spf_scope",                                                               \
                        JOIN("spf_result",                                                         \
                             "replace(replace(signatures, char(9), ':'), char(10), ';')")))))

static void tells_policy_and_claims(void **state)
{
    (void)state;
    given.count = 0;
    give("spf", "fail", "smtp", "mailfrom", "Bounce@Elsewhere.example");
    give("spf", "pass", "smtp", "helo", "mail.elsewhere.example");
    give("dkim", "fail", "header", "d", "list.example");
    give("dkim", "pass", "header", "d", "Example.com");
    am_result_add_property(&given.results[3], "header", "s", am_span_str("s1"));
    play("", (const char *const[]){"a@example.com", NULL});
    assert_string_equal(rows(POLICY),
                        "example.com|reject|quarantine||s|r|1:d|n|mailto:r@example.com\n");
    assert_string_equal(rows(OUTCOME), "example.com|pass|pass|fail|\n");
    assert_string_equal(rows(CLAIMS), "192.0.2.1|elsewhere.example|elsewhere.example|mfrom|fail|"
                                      "example.com:s1:pass;list.example::fail;\n");
    assert_true(labs(atol(rows("time")) - (long)time(NULL)) < 600);
}

static void tells_what_was_done(void **state)
{
    static const struct {
        const char *config, *from, *expected;
    } table[] = {
        {"#fail_reject = reject exempt_local = no }", "a@example.com",
         "example.com|reject|fail|fail|\n"},
        {"#fail_reject = quarantine }", "a@example.com",
         "example.com|quarantine|fail|fail|local_policy:policies are not applied as they are "
         "published;\n"},
        {"", "a@example.com",
         "example.com|none|fail|fail|local_policy:policies are not applied as they are "
         "published;\n"},
        {"#fail_quarantine = quarantine }", "a@sub.example.com",
         "sub.example.com|quarantine|fail|fail|\n"},
        {"#fail_reject = reject forwarders = { 192.0.2.0/24 } }", "a@example.com",
         "example.com|none|fail|fail|trusted_forwarder:;\n"},
        {"#fail_reject = reject list_clients = { 192.0.2.1 } }", "a@example.com",
         "example.com|none|fail|fail|mailing_list:;\n"},
        {"#fail_quarantine = quarantine }", "a@test.example",
         "test.example|quarantine|fail|fail|policy_test_mode:;\n"},
        {"milter { observe = yes }\n#fail_reject = reject }", "a@example.com",
         "example.com|none|fail|fail|local_policy:policies are not applied as they are "
         "published;\n"},
        {"dmarc_override \"x\" { client = { 192.0.2.1 } fail_reject = accept }\n#fail_reject = "
         "reject }",
         "a@example.com", "example.com|none|fail|fail|local_policy:;\n"},
        {"", "a@odd.example", "odd.example|none|fail|fail|\n"},
        {"", "a@example.com, b@odd.example",
         "example.com|none|fail|fail|local_policy:policies are not applied as they are published;\n"
         "odd.example|none|fail|fail|\n"},
        {"", "a@nobody.example", ""},
        {"", "a@down.example", ""},
        {"", "nobody", ""},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        new_path(state);
        play(table[i].config, (const char *const[]){table[i].from, NULL});
        assert_string_equal(rows(OUTCOME), table[i].expected);
    }
}

/* Rows are added to a file that is there. */
static void adds_to_a_file(void **state)
{
    (void)state;
    play("", (const char *const[]){"a@example.com", "b@example.com", NULL});
    play("", (const char *const[]){"c@example.com", NULL});
    assert_string_equal(rows("count(*)||''"), "3\n");
}

static void nothing_is_kept_unasked(void **state)
{
    (void)state;
    path[0] = '\0';
    play("", (const char *const[]){"a@example.com", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_policy_and_claims, new_path),
        cmocka_unit_test_setup(tells_what_was_done, new_path),
        cmocka_unit_test_setup(adds_to_a_file, new_path),
        cmocka_unit_test_setup(nothing_is_kept_unasked, new_path),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
