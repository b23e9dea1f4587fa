#include "tests/unit/mime/sample.h"

#include "contrib/mime/danger.h"

static const struct am_danger *make(struct am_arena *arena)
{
    static const char *kinds[] = {"exe", ".SCR", "vbs"};
    const struct am_strlist list = {kinds, 3};
    const struct am_danger *danger = am_danger_new(arena, &list);
    assert_non_null(danger);
    return danger;
}

static void names_are_judged_as_their_readers_take_them(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        const char *why; /* NULL: harmless */
    } rows[] = {
#define ROW(NAME, WHY) {NAME, sizeof(NAME) - 1, WHY}
        ROW("evil.exe", "its kind: exe"),
        ROW("EVIL.EXE", "its kind: exe"),
        ROW("evil.Scr", "its kind: scr"),
        ROW(".exe", "its kind: exe"),
        ROW("report.pdf.exe", "its kind: exe, behind another one"),
        ROW("report.pdf .exe", "its kind: exe, behind another one"),
        ROW("evil.exe.", "its kind: exe"),
        ROW("evil.exe. . ..", "its kind: exe"),
        ROW("evil.exe ", "its kind: exe"),
        ROW("\"evil.exe\"", "its kind: exe"),
        ROW("evil.exe\r\n", "its kind: exe"),
        ROW("evil.e\x01xe", "its kind: exe"),
        ROW("evil.exe::$DATA", "its kind: exe"),
        ROW("evil.exe:a.txt", "its kind: exe"),
        ROW("a.txt:evil.exe", "its kind: exe"),
        ROW("evil.exe\0.txt", "its kind: exe"),
        ROW("evil.e\0xe", "its kind: exe"),
        ROW("evil.exe\xEF\xBF\xBD.txt", "its kind: exe"),
        ROW("folder/evil.exe", "its kind: exe"),
        ROW("C:\\folder\\evil.exe", "its kind: exe"),
        ROW("evil.ex\xE2\x80\x8B"
            "e",
            "its kind: exe"),
        ROW("evil.\xC2\xAD"
            "exe",
            "its kind: exe"),
        ROW("photo\xE2\x80\xAEgpj.exe", "characters in its name turn it around"),
        ROW("photo\xE2\x80\xAEgpj.txt", "characters in its name turn it around"),
        ROW("a.{00020C01-0000-0000-C000-000000000046}", "its kind: the number of a class"),
        ROW("evil.exe.txt", NULL),
        ROW("evil.exe/readme", NULL),
        ROW("evil.exe/", NULL),
        ROW("exe", NULL),
        ROW("an exe", NULL),
        ROW("a.exe2", NULL),
        ROW("a.{", NULL),
        ROW("", NULL),
        ROW(".", NULL),
        ROW("\xE2\x80\x8F\xD7\xA9.pdf", NULL), /* a Hebrew letter behind its mark */
        ROW("invoice.\xD0\xB5xe", NULL),       /* a Cyrillic letter: another kind */
        ROW("\xFF\xFE.exe", "its kind: exe"),  /* no UTF-8 */
        ROW("\xFF\xFE.pdf", NULL),
#undef ROW
    };
    struct am_arena *arena = am_arena_new(4096, 0);
    const struct am_danger *danger = make(arena);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = am_danger_of_name(danger, arena, am_span_of(rows[i].name, rows[i].len));
        if ((why == NULL) != (rows[i].why == NULL) ||
            (why != NULL && strcmp(why, rows[i].why) != 0))
            fail_msg("row %zu, %s: %s", i, rows[i].name, why == NULL ? "harmless" : why);
    }
    am_arena_free(arena);
}

static void a_long_name_is_judged_by_its_end(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    const struct am_danger *danger = make(arena);
    struct am_buf name;
    (void)state;
    am_buf_init(&name, 0);
    for (int i = 0; i < 100000; i++)
        am_buf_add_str(&name, "a:");
    am_buf_add_str(&name, "b.exe");
    assert_non_null(am_danger_of_name(danger, arena, am_buf_span(&name)));
    am_buf_add_str(&name, ".txt");
    assert_null(am_danger_of_name(danger, arena, am_buf_span(&name)));
    am_buf_fini(&name);
    am_arena_free(arena);
}

static void the_usual_list_has_the_usual_kinds(void **state)
{
    static const char *const kinds[] = {"exe", "com", "pif", "bat", "scr", "vbs", "js",  "lnk",
                                        "iso", "img", "vhd", "one", "xll", "hta", "chm", "wsf",
                                        "jar", "msi", "ps1", "reg", "cpl", "url", "dll", "app"};
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char with_commas[16];
        snprintf(with_commas, sizeof(with_commas), ",%s,", kinds[i]);
        if (strstr(am_danger_defaults, with_commas) == NULL)
            fail_msg("%s is not in the list", kinds[i]);
    }
}

static void programs_are_known_by_their_first_octets(void **state)
{
    char program[AM_DANGER_HEAD] = "MZ\x90";
    char text[AM_DANGER_HEAD + 1] =
        "MZ was here, and wrote a text that goes on without any NUL octet";
    (void)state;
    assert_string_equal(am_danger_of_content(am_span_of(program, sizeof(program))),
                        "a Windows program");
    assert_null(am_danger_of_content(am_span_of(program, 20)));
    assert_null(am_danger_of_content(am_span_of(text, AM_DANGER_HEAD)));
    assert_string_equal(am_danger_of_content(am_span_of("\x7f"
                                                        "ELF\2",
                                                        5)),
                        "a Unix program");
    assert_string_equal(am_danger_of_content(am_span_of("L\0\0\0\x01\x14\x02\0", 8)),
                        "a Windows link");
    assert_null(am_danger_of_content(am_span_of("", 0)));
    assert_null(am_danger_of_content(am_span_str("From here to there")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged_as_their_readers_take_them),
        cmocka_unit_test(a_long_name_is_judged_by_its_end),
        cmocka_unit_test(the_usual_list_has_the_usual_kinds),
        cmocka_unit_test(programs_are_known_by_their_first_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
