#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dmarc-milter/dmarc_delivery.h"
#include "dmarc-milter/dmarc_flat.h"
#include "dmarc-milter/dmarc_maker.h"
#include "dmarc-milter/dmarc_sink.h"
#include "tests/unit/dmarc/sample_row.h"

/* From rows to reports and their deliveries: each row counts once. */

#define DAY (SAMPLE_NOON / 86400)

static char folder[] = "/tmp/dmarc-maker-XXXXXX";
static char path[64];
static struct dmarc_db *db, *other;
static struct am_problem problem;
static size_t made, made_records, largest;
static int64_t made_messages;

static struct dmarc_db *open_db(void)
{
    const struct dmarc_db_options options = {.path = path, .create = true, .wait_ms = 5000};
    struct dmarc_db *opened = dmarc_db_open(&options, &problem);

    if (opened == NULL)
        fail_msg("%s", problem.text);
    return opened;
}

static int set_up(void **state)
{
    static int number;

    (void)state;
    snprintf(path, sizeof(path), "%s/%d.db", folder, number++);
    db = open_db();
    other = open_db();
    made = made_records = largest = 0;
    made_messages = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dmarc_db_close(db);
    dmarc_db_close(other);
    return 0;
}

static void add(const struct dmarc_row *row, int times)
{
    struct dmarc_flat *flat = dmarc_flat_new(row);

    assert_non_null(flat);
    assert_true(dmarc_db_begin(db, &problem));
    for (int i = 0; i < times; i++)
        assert_true(dmarc_store_sqlite_insert(db, &flat, 1, &problem));
    assert_true(dmarc_db_commit(db, &problem));
    free(flat);
}

static bool take(void *user, const struct dmarc_made *report, struct am_problem *why)
{
    (void)why;
    assert_ptr_equal(user, folder);
    made++;
    made_records += report->records;
    made_messages += report->messages;
    largest = report->content.len > largest ? report->content.len : largest;
    assert_memory_equal(report->content.ptr, "\x1f\x8b", 2);
    return true;
}

static struct dmarc_maker maker_of(struct dmarc_db *where)
{
    return (struct dmarc_maker){
        .db = where,
        .receiver = "mx.example.org",
        .org_name = "Example",
        .email = "dmarc@example.org",
        .extra_contact_info = "",
        .generator = "test",
        .octets_max = 1 << 20,
        .uris_max = 5,
        .now_s = SAMPLE_NOON + 86400,
        .take = take,
        .user = folder,
    };
}

static struct dmarc_make_result make(struct dmarc_db *where)
{
    const struct dmarc_maker maker = maker_of(where);
    struct dmarc_make_result result;

    if (!dmarc_maker_run(&maker, "example.com", DAY, &result, &problem))
        fail_msg("%s", problem.text);
    return result;
}

static int64_t ask(const char *statement)
{
    struct dmarc_query *query = dmarc_query_new(db, statement, &problem);

    assert_non_null(query);
    assert_int_equal(dmarc_query_step(query, &problem), DMARC_QUERY_ROW);
    int64_t number = dmarc_query_int(query, 0);
    dmarc_query_free(query);
    return number;
}

static void equal_rows_are_one_record(void **state)
{
    struct dmarc_row row = sample_row();

    (void)state;
    add(&row, 3);
    row.source_ip = "192.0.2.2";
    add(&row, 1);
    row.signatures[0].selector = "s2";
    add(&row, 2);
    row.time_s += 86400;
    add(&row, 1);
    row.time_s -= 86400;
    row.policy_domain = "example.net";
    add(&row, 1);
    struct dmarc_make_result result = make(db);
    assert_int_equal(result.reports, 1);
    assert_int_equal(result.messages, 6);
    assert_int_equal(made, 1);
    assert_int_equal(made_records, 3);
    assert_int_equal(made_messages, 6);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 2);
    assert_int_equal(ask("SELECT count(*) FROM reports"), 1);
    assert_int_equal(ask("SELECT count(*) FROM deliveries WHERE uri='dmarc@example.com'"), 1);
}

static void a_record_is_about_an_address(void **state)
{
    struct dmarc_row row = sample_row();

    (void)state;
    add(&row, 1);
    row.source_ip = "local";
    add(&row, 2);
    row.source_ip = "";
    add(&row, 1);
    struct dmarc_make_result result = make(db);
    assert_int_equal(result.messages, 1);
    assert_int_equal(result.without_address, 3);
    assert_int_equal(made_records, 1);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 0);
    /* Of none there is no report. */
    add(&row, 1);
    assert_int_equal(make(db).reports, 0);
}

/* Who comes second finds nothing. */
static void rows_are_counted_once(void **state)
{
    struct dmarc_row row = sample_row();

    (void)state;
    add(&row, 5);
    assert_int_equal(make(db).messages, 5);
    assert_int_equal(make(other).reports, 0);
    assert_int_equal(ask("SELECT count(*) FROM reports"), 1);
    /* What comes later is a report of its own, with another name. */
    add(&row, 2);
    assert_int_equal(make(other).messages, 2);
    assert_int_equal(ask("SELECT count(DISTINCT report_id) FROM reports"), 2);
    assert_int_equal(ask("SELECT sum(messages) FROM reports"), 7);
}

static void a_dry_run_keeps_nothing(void **state)
{
    struct dmarc_maker maker = maker_of(db);
    struct dmarc_row row = sample_row();
    struct dmarc_make_result result;

    (void)state;
    add(&row, 5);
    maker.dry_run = true;
    assert_true(dmarc_maker_run(&maker, "example.com", DAY, &result, &problem));
    assert_int_equal(result.messages, 5);
    assert_int_equal(made, 1);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 5);
    assert_int_equal(ask("SELECT count(*) FROM reports"), 0);
}

static bool refuse(void *user, const struct dmarc_made *report, struct am_problem *why)
{
    (void)user;
    (void)report;
    return am_problem_set(why, "the folder is full");
}

static void what_fails_changes_nothing(void **state)
{
    struct dmarc_maker maker = maker_of(db);
    struct dmarc_row row = sample_row();
    struct dmarc_make_result result;

    (void)state;
    add(&row, 5);
    maker.take = refuse;
    assert_false(dmarc_maker_run(&maker, "example.com", DAY, &result, &problem));
    assert_string_equal(problem.text, "the folder is full");
    assert_int_equal(ask("SELECT count(*) FROM rows"), 5);
    assert_int_equal(ask("SELECT count(*) FROM reports"), 0);
}

static void each_policy_has_its_report(void **state)
{
    static const char *const fo[] = {"0", "1", "d", "s", "1:d", "1:s", "d:s"};
    struct dmarc_row row = sample_row();

    (void)state;
    for (int i = 0; i < 7; i++) {
        row.fo = fo[i];
        row.time_s = SAMPLE_NOON + i;
        add(&row, 1);
    }
    struct dmarc_make_result result = make(db);
    assert_int_equal(result.reports, DMARC_MAKER_POLICIES_MAX);
    assert_int_equal(result.messages, 4);
    assert_int_equal(result.left_out, 3);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 0);
}

static void who_wants_no_report_gets_none(void **state)
{
    struct dmarc_row row = sample_row();

    (void)state;
    row.rua = "";
    add(&row, 2);
    struct dmarc_make_result result = make(db);
    assert_int_equal(result.reports, 0);
    assert_int_equal(result.unwanted, 2);
    assert_int_equal(ask("SELECT count(*) FROM rows"), 0);
    /* The newest record counts. */
    row.rua = "mailto:old@example.com";
    add(&row, 1);
    row.time_s++;
    row.rua = "mailto:new@example.com,mailto:two@example.com";
    add(&row, 1);
    assert_int_equal(make(db).messages, 2);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 2);
    assert_int_equal(ask("SELECT count(*) FROM deliveries WHERE uri='new@example.com'"), 1);
}

static void large_reports_are_split(void **state)
{
    struct dmarc_maker maker = maker_of(db);
    struct dmarc_row row = sample_row();
    struct dmarc_make_result result;
    char ip[32];

    (void)state;
    row.source_ip = ip;
    assert_true(dmarc_db_begin(db, &problem) && dmarc_db_commit(db, &problem));
    for (int i = 0; i < 400; i++) {
        snprintf(ip, sizeof(ip), "192.0.%d.%d", i / 256, i % 256);
        add(&row, 1);
    }
    maker.octets_max = 2000;
    assert_true(dmarc_maker_run(&maker, "example.com", DAY, &result, &problem));
    assert_true(result.reports > 1);
    assert_int_equal(result.messages, 400);
    assert_int_equal(made_records, 400);
    assert_true(largest <= 2000);
    assert_int_equal(ask("SELECT count(DISTINCT file) FROM reports"), result.reports);
}

static void what_is_due_is_listed_oldest_first(void **state)
{
    struct dmarc_row row = sample_row();
    struct am_arena *arena = am_arena_new(1024, 0);
    struct dmarc_due_filter filter = {.before_day = DAY + 1, .day = -1, .most = 10};
    struct dmarc_due *list;
    size_t count;

    (void)state;
    add(&row, 2);
    row.time_s -= 86400;
    add(&row, 1);
    row.policy_domain = "a.example";
    add(&row, 1);
    row.time_s += 2 * 86400;
    add(&row, 1);
    assert_true(dmarc_due_list(db, &filter, arena, &list, &count, &problem));
    assert_int_equal(count, 3);
    assert_string_equal(list[0].policy_domain, "a.example");
    assert_int_equal(list[0].day, DAY - 1);
    assert_string_equal(list[2].policy_domain, "example.com");
    assert_int_equal(list[2].rows, 2);
    filter.domain = "example.com";
    filter.day = DAY;
    assert_true(dmarc_due_list(db, &filter, arena, &list, &count, &problem));
    assert_int_equal(count, 1);
    am_arena_free(arena);
}

/* --- deliveries --- */

static struct dmarc_delivery claim(struct dmarc_db *where, struct am_arena *arena, int64_t now_s,
                                   bool *found)
{
    const struct dmarc_delivery_filter filter = {.now_s = now_s, .day = -1};
    struct dmarc_delivery delivery = {0};

    if (!dmarc_delivery_claim(where, &filter, arena, &delivery, found, &problem))
        fail_msg("%s", problem.text);
    return delivery;
}

static void a_delivery_is_one_process_own(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_delivery_end end = {.state = DMARC_DELIVERY_SENT,
                                     .addresses = "dmarc@example.com",
                                     .reason = "",
                                     .now_s = SAMPLE_NOON + 90000};
    struct dmarc_row row = sample_row();
    bool found, has;
    int64_t count;

    (void)state;
    add(&row, 1);
    make(db);
    struct dmarc_delivery delivery = claim(db, arena, SAMPLE_NOON + 90000, &found);
    assert_true(found);
    assert_string_equal(delivery.address, "dmarc@example.com");
    assert_string_equal(delivery.policy_domain, "example.com");
    assert_int_equal(delivery.attempts, 1);
    claim(other, arena, SAMPLE_NOON + 90000, &found);
    assert_false(found);
    assert_true(dmarc_delivery_end(db, &delivery, &end, &problem));
    claim(other, arena, SAMPLE_NOON + 10000000, &found);
    assert_false(found);
    assert_true(dmarc_delivery_has(db, delivery.report, "dmarc@example.com", &has, &problem));
    assert_true(has);
    assert_true(dmarc_delivery_has(db, delivery.report, "dmarc@example.co", &has, &problem));
    assert_false(has);
    assert_true(dmarc_delivery_count(db, &count, &problem));
    assert_int_equal(count, 0);
    assert_true(dmarc_delivery_tidy(db, SAMPLE_NOON + 90000, &problem));
    assert_int_equal(ask("SELECT count(*) FROM reports WHERE content IS NULL"), 1);
    assert_true(dmarc_delivery_tidy(db, SAMPLE_NOON + 70 * 86400, &problem));
    assert_int_equal(ask("SELECT count(*) FROM reports"), 0);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 0);
    am_arena_free(arena);
}

static void tries_come_less_and_less_often_and_end(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_row row = sample_row();
    int64_t now_s = SAMPLE_NOON + 90000, delay_s = DMARC_DELIVERY_RETRY_S;
    bool found;

    (void)state;
    add(&row, 1);
    make(db);
    for (int i = 1; i <= DMARC_DELIVERY_ATTEMPTS_MAX; i++) {
        struct dmarc_delivery_end end = {
            .state = DMARC_DELIVERY_WAITING, .addresses = "", .reason = "busy", .now_s = now_s};
        struct dmarc_delivery delivery = claim(db, arena, now_s, &found);

        assert_true(found);
        assert_int_equal(delivery.attempts, i);
        assert_true(dmarc_delivery_end(db, &delivery, &end, &problem));
        if (i == DMARC_DELIVERY_ATTEMPTS_MAX) {
            assert_int_equal(end.state, DMARC_DELIVERY_GIVEN_UP);
            break;
        }
        assert_int_equal(end.state, DMARC_DELIVERY_WAITING);
        assert_int_equal(end.next_try_s, now_s + delay_s);
        claim(db, arena, now_s + delay_s - 1, &found);
        assert_false(found);
        now_s += delay_s;
        delay_s *= 2;
    }
    claim(db, arena, now_s + 1000000, &found);
    assert_false(found);
    am_arena_free(arena);
}

/* A claim of a process that died does not hold for ever. */
static void a_claim_ends_by_itself(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_row row = sample_row();
    int64_t now_s = SAMPLE_NOON + 90000;
    bool found;

    (void)state;
    add(&row, 1);
    make(db);
    claim(db, arena, now_s, &found);
    assert_true(found);
    claim(other, arena, now_s + DMARC_DELIVERY_CLAIM_S - 1, &found);
    assert_false(found);
    struct dmarc_delivery again = claim(other, arena, now_s + DMARC_DELIVERY_CLAIM_S, &found);
    assert_true(found);
    assert_int_equal(again.attempts, 2);
    am_arena_free(arena);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_rows_are_one_record),
        TEST(a_record_is_about_an_address),
        TEST(rows_are_counted_once),
        TEST(a_dry_run_keeps_nothing),
        TEST(what_fails_changes_nothing),
        TEST(each_policy_has_its_report),
        TEST(who_wants_no_report_gets_none),
        TEST(large_reports_are_split),
        TEST(what_is_due_is_listed_oldest_first),
        TEST(a_delivery_is_one_process_own),
        TEST(tries_come_less_and_less_often_and_end),
        TEST(a_claim_ends_by_itself),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
