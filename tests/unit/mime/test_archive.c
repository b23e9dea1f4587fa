#include "tests/unit/mime/sample.h"

#include "contrib/mime/archive.h"
#include "contrib/mime/mime.h"
#include "contrib/mime/seven.h"

/* The archive that is the second part of a sample. */
struct rig {
    struct am_arena *arena;
    struct sample sample;
    struct am_buf file;
    struct am_buf seen; /* "<name>" for each entry, with marks */
    size_t stop_after;
};

static void rig_open(struct rig *rig, const char *name)
{
    const struct am_mime_limits limits = {1 << 20, 1 << 16, 100, 20};
    struct am_problem why = {""};
    *rig = (struct rig){.arena = am_arena_new(4096, 0), .stop_after = SIZE_MAX};
    sample_read(&rig->sample, name);
    struct am_mime *mime =
        am_mime_open(rig->arena, rig->sample.fields, rig->sample.body, &limits, &why);
    assert_non_null(mime);
    am_buf_init(&rig->file, 0);
    am_buf_init(&rig->seen, 0);
    assert_true(am_mime_decode(mime, 2, &rig->file));
}

static void rig_close(struct rig *rig)
{
    am_buf_fini(&rig->file);
    am_buf_fini(&rig->seen);
    am_buf_fini(&rig->sample.text);
    am_arena_free(rig->arena);
}

static bool take(void *user, const struct am_archive_entry *entry)
{
    struct rig *rig = user;
    am_buf_printf(&rig->seen, "<%.*s%s%s>", (int)entry->name.len, entry->name.ptr,
                  entry->is_archive ? "!" : "", entry->is_file ? "?" : "");
    assert_true(entry->content.len == 0 || entry->is_archive);
    return --rig->stop_after > 0;
}

static enum am_archive_outcome list(struct rig *rig, struct am_archive_budget budget, bool nested)
{
    const struct am_archive_taker taker = {take, rig};
    am_buf_clear(&rig->seen);
    return am_archive_list(am_buf_span(&rig->file), &budget, nested, &taker);
}

static const struct am_archive_budget usual = {.entries = 100, .bytes = 1 << 20, .ratio = 100};

static void assert_list(const char *name, enum am_archive_outcome outcome, const char *seen)
{
    struct rig rig;
    rig_open(&rig, name);
    assert_int_equal(list(&rig, usual, true), outcome);
    assert_string_equal(am_buf_str(&rig.seen), seen);
    rig_close(&rig);
}

static void names_are_listed(void **state)
{
    (void)state;
    assert_list("zip", AM_ARCHIVE_READ, "<readme.txt><b/evil.exe>");
    assert_list("tar-gz", AM_ARCHIVE_READ, "<x/evil.bat>");
    assert_list("gz", AM_ARCHIVE_READ, "<data?>");
    assert_list("zip-empty", AM_ARCHIVE_READ, "");
    assert_list("zip-nested", AM_ARCHIVE_READ, "<x.txt><inner.zip!>");
    assert_list("zip-broken", AM_ARCHIVE_BROKEN, "<readme.txt>");
    assert_list("exe", AM_ARCHIVE_BROKEN, "");
    assert_list("zip-encrypted", AM_ARCHIVE_READ, "<evil.exe>");
    assert_list("gz-broken", AM_ARCHIVE_BROKEN, "");
    assert_list("compress", AM_ARCHIVE_BROKEN, "");
    assert_list("7z", AM_ARCHIVE_READ, "<evil.exe><readme.txt>");
    assert_list("7z-list-plain", AM_ARCHIVE_READ, "<evil.exe><readme.txt>");
    assert_list("7z-names-encrypted", AM_ARCHIVE_ENCRYPTED, "");
    assert_list("7z-encrypted", AM_ARCHIVE_ENCRYPTED, "<evil.exe>");
    assert_list("rar", AM_ARCHIVE_READ, "<readme.txt><x/evil.exe>");
    assert_list("rar5", AM_ARCHIVE_READ, "<readme.txt><x/evil.exe>");
}

static void budgets_hold(void **state)
{
    struct rig rig;
    struct am_archive_budget budget = usual;
    (void)state;
    rig_open(&rig, "zip");
    budget.entries = 1;
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_BEYOND);
    assert_string_equal(am_buf_str(&rig.seen), "<readme.txt>");
    budget = usual;
    budget.bytes = 3; /* each entry has two */
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_BEYOND);
    assert_string_equal(am_buf_str(&rig.seen), "<readme.txt><b/evil.exe>");
    rig_close(&rig);

    rig_open(&rig, "zip-bomb");
    assert_int_equal(list(&rig, usual, true), AM_ARCHIVE_BEYOND);
    budget = (struct am_archive_budget){.entries = 10, .bytes = SIZE_MAX, .ratio = 100};
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_BEYOND);
    budget.ratio = 0;
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_READ);
    rig_close(&rig);
}

/* Ten million files in 341 octets: nobody reads that list. */
static void a_long_list_of_a_7z_is_not_read(void **state)
{
    struct rig rig;
    (void)state;
    rig_open(&rig, "7z-bomb");
    assert_int_equal(am_seven_judge(am_buf_span(&rig.file), 1250000), AM_SEVEN_BEYOND);
    assert_int_equal(am_seven_judge(am_buf_span(&rig.file), 1300000), AM_SEVEN_FITS);
    assert_int_equal(list(&rig, usual, true), AM_ARCHIVE_BEYOND);
    /* Behind the start of a program it is not looked for. */
    char *program = am_arena_alloc(rig.arena, 0x27000 + rig.file.len);
    assert_non_null(program);
    memset(program, 0, 0x27000);
    memcpy(program, "MZ", 2);
    memcpy(program + 0x27000, am_buf_str(&rig.file), rig.file.len);
    struct am_archive_budget budget = usual;
    const struct am_archive_taker taker = {take, &rig};
    assert_int_equal(
        am_archive_list(am_span_of(program, 0x27000 + rig.file.len), &budget, true, &taker),
        AM_ARCHIVE_BROKEN);
    rig_close(&rig);
}

static void every_beginning_of_a_7z_is_judged(void **state)
{
    static const char *const samples[] = {"7z", "7z-list-plain", "7z-names-encrypted", "7z-bomb"};
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct rig rig;
        rig_open(&rig, samples[i]);
        for (size_t len = 0; len < rig.file.len; len++)
            assert_int_equal(am_seven_judge(am_span_of(am_buf_str(&rig.file), len), 1000),
                             len < 32 ? AM_SEVEN_NONE : AM_SEVEN_FITS);
        /* No octet of the list's description can be changed so that more fits. */
        for (size_t at = 32; at < rig.file.len; at++) {
            rig.file.data[at] ^= 0x55;
            (void)am_seven_judge(am_buf_span(&rig.file), 1000);
            rig.file.data[at] ^= 0x55;
        }
        rig_close(&rig);
    }
}

static bool no_time(void *user)
{
    (void)user;
    return false;
}

static void the_taker_and_the_clock_can_end_it(void **state)
{
    struct rig rig;
    struct am_archive_budget budget = usual;
    (void)state;
    rig_open(&rig, "zip");
    rig.stop_after = 1;
    assert_int_equal(list(&rig, usual, true), AM_ARCHIVE_STOPPED);
    assert_string_equal(am_buf_str(&rig.seen), "<readme.txt>");
    budget.goes_on = no_time;
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_BEYOND);
    rig_close(&rig);
}

static bool has_pieces_left(void *user)
{
    int *left = user;
    return (*left)-- > 0;
}

/* Compressed files of no octets give back nothing that could be counted: the clock ends them. */
static void what_unpacks_to_nothing_ends_by_the_clock(void **state)
{
    static const char nothing[] = "\x1F\x8B\x08\0\0\0\0\0\x02\xFF\x03\0\0\0\0\0\0\0\0";
    struct rig rig;
    struct am_archive_budget budget = usual;
    int left = 1000;
    (void)state;
    rig_open(&rig, "gz");
    am_buf_clear(&rig.file);
    for (int i = 0; i < 10000; i++)
        am_buf_add(&rig.file, am_span_of(nothing, sizeof(nothing)));
    budget.goes_on = has_pieces_left;
    budget.user = &left;
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_READ);
    assert_in_range(left, 0, 990);
    left = 3;
    assert_int_equal(list(&rig, budget, true), AM_ARCHIVE_BEYOND);
    rig_close(&rig);
    /* One compression is undone, and what comes out is an archive within: not all at once. */
    assert_list("gz-gz-gz", AM_ARCHIVE_READ, "<data!?>");
}

static void marks_tell_archives(void **state)
{
    (void)state;
    assert_true(am_archive_is(am_span_of("PK\x03\x04....", 8)));
    assert_true(am_archive_is(am_span_of("ab-lh5-x", 8)));
    assert_false(am_archive_is(am_span_of("a -lhrt", 7)));
    assert_false(am_archive_is(am_span_of("PK", 2)));
    assert_false(am_archive_is(am_span_of("", 0)));
    assert_false(am_archive_is(am_span_str("070701 is a date")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_listed),
        cmocka_unit_test(budgets_hold),
        cmocka_unit_test(a_long_list_of_a_7z_is_not_read),
        cmocka_unit_test(every_beginning_of_a_7z_is_judged),
        cmocka_unit_test(the_taker_and_the_clock_can_end_it),
        cmocka_unit_test(what_unpacks_to_nothing_ends_by_the_clock),
        cmocka_unit_test(marks_tell_archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
