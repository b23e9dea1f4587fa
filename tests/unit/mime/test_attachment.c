#include "tests/unit/mime/sample.h"

#include "contrib/attachment-milter/attachment.h"

/* Every message of the corpus, and what is found in it (PM-70 to PM-76, BM-72, BM-73). */

struct rig {
    struct am_arena *arena;
    struct attachment_rules rules;
    const char *kinds[256];
};

static void rig_open(struct rig *rig)
{
    struct am_strlist all = {rig->kinds, 0};
    rig->arena = am_arena_new(65536, 0);
    char *list = am_arena_copy(rig->arena, am_span_str(am_danger_defaults)), *rest = NULL;
    for (char *kind = strtok_r(list, ",", &rest); kind != NULL; kind = strtok_r(NULL, ",", &rest))
        rig->kinds[all.count++] = kind;
    rig->rules =
        (struct attachment_rules){.danger = am_danger_new(rig->arena, &all),
                                  .contents = true,
                                  .archives = true,
                                  .nested = ATTACHMENT_LOOK,
                                  .unreadable = ATTACHMENT_REMOVE,
                                  .encrypted = ATTACHMENT_KEEP,
                                  .limits = {1 << 20, 1 << 16, 100, 20},
                                  .budget = {.entries = 100, .bytes = 1 << 20, .ratio = 100}};
}

/* "1.2 evil.exe (its kind: exe)", "malformed: ...", ... one to a line. */
static void report_of(struct rig *rig, struct am_span fields, struct am_span body,
                      struct attachment_report *report, struct am_buf *text)
{
    am_buf_clear(text);
    assert_true(attachment_look(report, rig->arena, &rig->rules, fields, body));
    for (size_t i = 0; i < report->count; i++)
        am_buf_printf(text, "%s %s (%s)\n", report->findings[i].part->path,
                      report->findings[i].name, report->findings[i].why);
    if (report->hidden != NULL)
        am_buf_printf(text, "hidden: %s\n", report->hidden);
    if (report->malformed != NULL)
        am_buf_printf(text, "malformed: %s\n", report->malformed);
    if (report->unseen != NULL)
        am_buf_printf(text, "unseen: %s\n", report->unseen);
}

static const struct {
    const char *sample, *expected;
} rows[] = {
    {"7z", "1.2 a.7z (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"7z-bomb", "1.2 a.7z (an archive that is too large to be looked into)\n"},
    {"7z-encrypted", "1.2 a.7z (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"7z-list-plain", "1.2 a.7z (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"7z-names-encrypted", ""},
    {"bad-base64", "1.2 photo.jpg (a Windows program)\n"},
    {"bad-lines", "1.1 evil.exe (its kind: exe)\nmalformed: a line of a header is no field\n"},
    {"bare-lf", "1.1 evil.exe (its kind: exe)\n"},
    {"class-id",
     "1.2 a.{00020C01-0000-0000-C000-000000000046} (its kind: the number of a class)\n"},
    {"compress", "1.2 a.txt.Z (an archive that cannot be read)\n"},
    {"content-mz", "1.2 photo.jpg (a Windows program)\n"},
    {"deep", "hidden: \"evil.exe\", outside of all parts: its kind: exe\n"
             "malformed: a multipart that does not end, or has no parts\n"
             "unseen: more parts, names or levels than are looked at\n"},
    {"digest", "1.1.1 evil.exe (its kind: exe)\n"},
    {"double", "1.2 report.pdf.scr (its kind: scr, behind another one)\n"},
    {"empty", ""},
    {"exe", "1.2 evil.exe (its kind: exe)\n"},
    {"gz", ""},
    {"gz-exe", "1.2 a.exe.gz (in the archive, \"a.exe\": its kind: exe)\n"},
    {"gz-gz-gz",
     "1.2 a.exe.gz.gz (in the archive, \"a.exe.gz\": in the archive, \"a.exe\": its kind: exe)\n"},
    {"gz-broken", "1.2 a.tar.gz (an archive that cannot be read)\n"},
    {"groups", "unseen: a field with more than 100 groups of addresses\n"},
    {"isolates",
     "1.2 a.pdf\\xE2\\x81\\xA7 . \\xE2\\x81\\xA9.exe . . (its kind: exe, behind another one)\n"},
    {"lookalike", ""},
    {"message", "1.2.1 evil.exe (its kind: exe)\n"},
    {"message-base64", "1.2  (in the message, \"evil.exe\": its kind: exe)\n"},
    {"message-multipart", "1.2.1.2 evil.exe (its kind: exe)\n"},
    {"message-named", "1.2 evil.hta (its kind: hta)\n"},
    {"no-boundary", "hidden: \"evil.exe\", outside of all parts: its kind: exe\n"
                    "malformed: a multipart without boundary\n"},
    {"no-end", "1.2 evil.exe (its kind: exe)\n"
               "malformed: a multipart that does not end, or has no parts\n"},
    {"no-header", "1.1  (a Windows program)\n"},
    {"nul", "1.2 \"evil.exe (its kind: exe)\n"},
    {"nul-in-extension", "1.2 evil.e\xEF\xBF\xBDxe (its kind: exe)\n"},
    {"padding", "1.2 a.zip (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"partial", "unseen: a part whose content is elsewhere\n"},
    {"plain", ""},
    {"prefix-boundary", "1.1.1 evil.exe (its kind: exe)\n"},
    {"quoted-printable", "1.2 a.txt (a Windows program)\n"},
    {"quoted-twice", "hidden: \"evil.exe\", outside of all parts: its kind: exe\n"
                     "malformed: a multipart that does not end, or has no parts\n"},
    {"rfc2047", "1.2 evil.vbs (its kind: vbs)\n"},
    {"rar", "1.2 a.rar (in the archive, \"x/evil.exe\": its kind: exe)\n"},
    {"rar5", "1.2 a.rar (in the archive, \"x/evil.exe\": its kind: exe)\n"},
    {"rfc2231-nul", "1.2 evil.exe\xEF\xBF\xBD.txt (its kind: exe)\n"},
    {"rfc2231-pieces", "1.2 evil.exe (its kind: exe)\n"},
    {"rtl", "1.2 evil\\xE2\\x80\\xAEgpj.exe (characters in its name turn it around)\n"},
    {"rtl-2231", "1.2 ann\\xE2\\x80\\xAEtxt.xyz (characters in its name turn it around)\n"},
    {"smime", "1.1 evil.exe (its kind: exe)\n"},
    {"stream", "1.2 evil.exe::$DATA (its kind: exe)\n"},
    {"tar-gz", "1.2 a.tar.gz (in the archive, \"x/evil.bat\": its kind: bat)\n"},
    {"trailing-dots", "1.2 evil.exe. .  (its kind: exe)\n"},
    {"two-boundaries", "hidden: \"evil.exe\", outside of all parts: its kind: exe\n"
                       "malformed: fields or parameters that contradict each other\n"},
    {"two-dispositions", "1.2 evil.js (its kind: js)\n"
                         "malformed: fields or parameters that contradict each other\n"},
    {"two-names", "1.2 evil.exe (its kind: exe)\n"
                  "malformed: fields or parameters that contradict each other\n"},
    {"two-types", "1.1 evil.exe (its kind: exe)\n"
                  "malformed: fields or parameters that contradict each other\n"},
    {"uu", ""},
    {"whole", "1 evil.exe (its kind: exe)\n"},
    {"wrong-type", ""},
    {"zip", "1.2 a.zip (in the archive, \"b/evil.exe\": its kind: exe)\n"},
    {"zip-bomb", "1.2 a.zip (an archive that is too large to be looked into)\n"},
    {"zip-broken", "1.2 a.zip (an archive that cannot be read)\n"},
    {"zip-empty", ""},
    {"zip-encrypted", "1.2 a.zip (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"zip-harmless", ""},
    {"zip-named-otherwise", "1.2 a.dat (in the archive, \"evil.exe\": its kind: exe)\n"},
    {"zip-nested", "1.2 a.zip (in the archive, \"inner.zip\": in the archive, \"evil.exe\": its "
                   "kind: exe)\n"},
    {"zip-nested-twice", "1.2 a.zip (in the archive, \"inner.zip\": in the archive, \"inner.zip\": "
                         "archives within archives within archives)\n"},
};

static void every_message_is_what_it_is(void **state)
{
    struct attachment_report report;
    struct am_buf text;
    struct rig rig;
    (void)state;
    rig_open(&rig);
    am_buf_init(&text, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample;
        sample_read(&sample, rows[i].sample);
        report_of(&rig, sample.fields, sample.body, &report, &text);
        if (strcmp(am_buf_str(&text), rows[i].expected) != 0)
            fail_msg("%s:\n%s", rows[i].sample, am_buf_str(&text));
        am_buf_fini(&sample.text);
    }
    am_buf_fini(&text);
    am_arena_free(rig.arena);
}

/* After the replacing nothing dangerous is found in any of them, and nothing new is wrong. */
static void what_is_replaced_is_gone(void **state)
{
    struct attachment_report before, after;
    struct am_buf text, body;
    struct rig rig;
    (void)state;
    rig_open(&rig);
    am_buf_init(&text, 0);
    am_buf_init(&body, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample;
        sample_read(&sample, rows[i].sample);
        report_of(&rig, sample.fields, sample.body, &before, &text);
        am_buf_clear(&body);
        assert_true(attachment_replace(&body, rig.arena, &before, sample.body, "--\nAsk us.",
                                       "mx.example.org"));
        struct am_span fields = attachment_is_whole(&before)
                                    ? am_span_str("Content-Type: text/plain\n")
                                    : sample.fields;
        report_of(&rig, fields, am_buf_span(&body), &after, &text);
        if (after.count != 0 || (before.malformed == NULL && after.malformed != NULL))
            fail_msg("%s:\n%s%s", rows[i].sample, am_buf_str(&text), am_buf_str(&body));
        if (before.count == 0)
            assert_true(am_span_equal(am_buf_span(&body), sample.body));
        am_buf_fini(&sample.text);
    }
    am_buf_fini(&text);
    am_buf_fini(&body);
    am_arena_free(rig.arena);
}

static void options_change_what_is_dangerous(void **state)
{
    static const struct {
        const char *sample;
        bool contents, archives;
        enum attachment_archives nested, unreadable;
        bool found;
    } cases[] = {
        {"content-mz", false, true, ATTACHMENT_LOOK, ATTACHMENT_REMOVE, false},
        {"zip", true, false, ATTACHMENT_LOOK, ATTACHMENT_REMOVE, false},
        {"zip-nested", true, true, ATTACHMENT_KEEP, ATTACHMENT_REMOVE, false},
        {"zip-nested-twice", true, true, ATTACHMENT_REMOVE, ATTACHMENT_REMOVE, true},
        {"zip-nested-twice", true, true, ATTACHMENT_LOOK, ATTACHMENT_KEEP, false},
        {"zip-broken", true, true, ATTACHMENT_LOOK, ATTACHMENT_KEEP, false},
        {"zip-bomb", true, true, ATTACHMENT_LOOK, ATTACHMENT_KEEP, false},
    };
    struct attachment_report report;
    struct am_buf text;
    struct rig rig;
    (void)state;
    rig_open(&rig);
    am_buf_init(&text, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample;
        sample_read(&sample, cases[i].sample);
        rig.rules.contents = cases[i].contents;
        rig.rules.archives = cases[i].archives;
        rig.rules.nested = cases[i].nested;
        rig.rules.unreadable = cases[i].unreadable;
        report_of(&rig, sample.fields, sample.body, &report, &text);
        if ((report.count > 0) != cases[i].found)
            fail_msg("case %zu, %s: %s", i, cases[i].sample, am_buf_str(&text));
        am_buf_fini(&sample.text);
    }
    am_buf_fini(&text);
    am_arena_free(rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_what_it_is),
        cmocka_unit_test(what_is_replaced_is_gone),
        cmocka_unit_test(options_change_what_is_dangerous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
