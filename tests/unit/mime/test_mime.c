#include "tests/unit/mime/sample.h"

#include "contrib/mime/mime.h"
#include "contrib/mime/mime_edit.h"
#include "contrib/mime/mime_names.h"

static const struct am_mime_limits usual = {1 << 20, 1 << 16, 100, 20};

static struct am_mime *open_it(struct am_arena *arena, const char *fields, const char *body)
{
    struct am_problem why = {""};
    struct am_mime *mime =
        am_mime_open(arena, am_span_str(fields), am_span_str(body), &usual, &why);
    if (mime == NULL)
        fail_msg("%s", why.text);
    return mime;
}

static const char two_parts[] = "preamble\r\n"
                                "--b\r\n"
                                "Content-Type: text/plain; name=\"a b.txt\"\r\n"
                                "\r\n"
                                "one\r\n"
                                "--b\r\n"
                                "Content-Type: APPLICATION/Octet-Stream\r\n"
                                "Content-Transfer-Encoding: base64\r\n"
                                "Content-Disposition: attachment;\r\n"
                                "\tfilename*=UTF-8''%C3%A9.bin\r\n"
                                "\r\n"
                                "dHdv\r\n"
                                "--b--\r\n"
                                "epilogue\r\n";

static void parts_have_types_names_places_and_contents(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_mime *mime = open_it(arena, "Content-Type: multipart/mixed; boundary=b\n", two_parts);
    struct am_buf content;
    (void)state;
    assert_int_equal(am_mime_count(mime), 3);
    assert_int_equal(am_mime_defects(mime), 0);
    assert_false(am_mime_is_cut(mime));
    const struct am_mime_part *part = am_mime_at(mime, 0);
    assert_string_equal(part->path, "1");
    assert_true(part->is_container);
    part = am_mime_at(mime, 1);
    assert_string_equal(part->type, "text/plain");
    assert_int_equal(part->names.count, 1);
    assert_string_equal(part->names.items[0], "a b.txt");
    assert_memory_equal(two_parts + part->start, "Content-Type: text", 18);
    assert_memory_equal(two_parts + part->content, "one\r\n--b", 8);
    assert_memory_equal(two_parts + part->end, "\r\n--b", 5);
    part = am_mime_at(mime, 2);
    assert_string_equal(part->path, "1.2");
    assert_string_equal(part->type, "application/octet-stream");
    assert_int_equal(part->depth, 2);
    assert_string_equal(part->names.items[0], "\xC3\xA9.bin");
    am_buf_init(&content, 0);
    assert_true(am_mime_decode(mime, 2, &content));
    assert_string_equal(am_buf_str(&content), "two");
    am_buf_fini(&content);
    am_buf_init(&content, 2);
    assert_false(am_mime_decode(mime, 2, &content));
    assert_string_equal(am_buf_str(&content), "tw");
    am_buf_fini(&content);
    am_arena_free(arena);
}

static void whatever_is_not_cut_stays_as_it_was(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_mime *mime = open_it(arena, "Content-Type: multipart/mixed; boundary=b\n", two_parts);
    struct am_buf out;
    const struct am_mime_cut cut = {am_mime_at(mime, 2), "gone\n"};
    (void)state;
    am_buf_init(&out, 0);
    assert_true(am_mime_splice(&out, am_span_str(two_parts), NULL, 0));
    assert_string_equal(am_buf_str(&out), two_parts);
    am_buf_clear(&out);
    assert_true(am_mime_splice(&out, am_span_str(two_parts), &cut, 1));
    assert_string_equal(am_buf_str(&out), "preamble\r\n"
                                          "--b\r\n"
                                          "Content-Type: text/plain; name=\"a b.txt\"\r\n"
                                          "\r\n"
                                          "one\r\n"
                                          "--b\r\n"
                                          "Content-Type: text/plain; charset=utf-8\r\n"
                                          "Content-Transfer-Encoding: quoted-printable\r\n"
                                          "Content-Disposition: inline\r\n"
                                          "\r\n"
                                          "gone\r\n"
                                          "\r\n"
                                          "--b--\r\n"
                                          "epilogue\r\n");
    am_buf_fini(&out);
    am_arena_free(arena);
}

static void limits_hold(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem why = {""};
    struct am_mime_limits limits = usual;
    struct am_span fields = am_span_str("Content-Type: multipart/mixed; boundary=b\n");
    (void)state;
    limits.max_bytes = strlen(two_parts) - 1;
    assert_null(am_mime_open(arena, fields, am_span_str(two_parts), &limits, &why));
    assert_non_null(strstr(why.text, "larger than"));
    limits = usual;
    limits.max_parts = 2;
    struct am_mime *mime = am_mime_open(arena, fields, am_span_str(two_parts), &limits, &why);
    assert_non_null(mime);
    assert_int_equal(am_mime_count(mime), 2);
    assert_true(am_mime_is_cut(mime));
    limits = usual;
    limits.max_depth = 1;
    mime = am_mime_open(arena, fields, am_span_str(two_parts), &limits, &why);
    assert_non_null(mime);
    assert_int_equal(am_mime_count(mime), 1);
    assert_true(am_mime_is_cut(mime));
    /* Too many delimiters are not even shown to the parser. */
    struct am_buf many;
    am_buf_init(&many, 0);
    for (int i = 0; i < 3000; i++)
        am_buf_add_str(&many, "--b\r\n\r\n");
    assert_null(am_mime_open(arena, fields, am_buf_span(&many), &usual, &why));
    assert_non_null(strstr(why.text, "more than 100 parts"));
    am_buf_fini(&many);
    am_arena_free(arena);
}

/* Opens many copies of a text between two others. Returns why it was not opened; "": it was. */
static const char *refusal(const char *head, const char *copy, int copies, const char *tail)
{
    static struct am_problem why;
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_buf body;
    am_buf_init(&body, 0);
    am_buf_add_str(&body, head);
    for (int i = 0; i < copies; i++)
        am_buf_add_str(&body, copy);
    am_buf_add_str(&body, tail);
    if (am_mime_open(arena, am_span_str("Content-Type: multipart/mixed; boundary=b\n"),
                     am_buf_span(&body), &usual, &why) != NULL)
        why.text[0] = '\0';
    am_buf_fini(&body);
    am_arena_free(arena);
    return why.text;
}

#define PART "--b\r\n"
#define MESSAGE "Content-Type: message/rfc822\r\n\r\n"
#define END "\r\n\r\nx\r\n--b--\r\n"

static void headers_of_parts_have_bounds(void **state)
{
    static const char fields[] = "more than 10000 fields in the headers of its parts",
                      octets[] = "the headers of its parts are larger than 65536 bytes",
                      params[] = "a field with more than 500 parameters",
                      groups[] = "a field with more than 100 groups of addresses";
    (void)state;
    assert_string_equal(refusal(PART, "A:\r\n", 9999, END), "");
    assert_string_equal(refusal(PART, "A:\r\n", 10001, END), fields);
    assert_string_equal(refusal(PART "A: ", "0123456789", 6540, END), "");
    assert_string_equal(refusal(PART "A: ", "0123456789", 6560, END), octets);
    assert_string_equal(refusal(PART "A: ", "0123456\r\n ", 6560, END), octets);
    assert_string_equal(refusal("", PART "A: 0123456789\r\n\r\n", 900, END), "");
    assert_string_equal(refusal(PART "Content-Type: a/b", ";\r\n a=b", 500, END), "");
    assert_string_equal(refusal(PART "Content-Type: a/b", ";\r\n a=b", 501, END), params);
    assert_string_equal(refusal(PART "content-x : ", "a=", 501, END), params);
    assert_string_equal(refusal(PART "X: ", "a=", 501, END), "");
    assert_string_equal(refusal(PART MESSAGE "To", ":g", 100, END), "");
    assert_string_equal(refusal(PART MESSAGE "To", ":g", 101, END), groups);
    assert_string_equal(refusal(PART MESSAGE "reply-to ", ":g", 101, END), groups);
    assert_string_equal(refusal(PART MESSAGE "Subject", ":g", 101, END), "");
}

/* What GMime may take for a header is one; contents are not. */
static void headers_are_told_from_contents(void **state)
{
    static const char groups[] = "a field with more than 100 groups of addresses";
    (void)state;
    assert_string_equal(refusal(PART "\r\nTo", ":g", 101, END), "");
    assert_string_equal(refusal(PART "A: b\r\n\r\nx\r\nTo", ":g", 101, END), "");
    assert_string_equal(refusal("A: b\r\nTo", ":g", 101, END), "");
    assert_string_equal(refusal(PART MESSAGE MESSAGE "To", ":g", 101, END), groups);
    assert_string_equal(refusal(PART MESSAGE "A: b\r\n\r\nTo", ":g", 101, END), "");
    /* A delimiter of nobody's within the header, lines that are no fields. */
    assert_string_equal(
        refusal(PART "Content-Type: message/rfc822\r\n--c\r\n\r\nTo", ":g", 101, END), groups);
    assert_string_equal(
        refusal(PART "no field\r\n folded\r\n" MESSAGE "no field\r\nTo", ":g", 101, END), groups);
    /* The parts of a digest are messages. */
    assert_string_equal(refusal(PART "Content-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n"
                                     "\r\nTo",
                                ":g", 101, END),
                        groups);
}

/* Structures that nobody writes: they are read, or refused in words. */
static void structures_without_end_are_survived(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem why = {""};
    struct am_mime_limits limits = {1 << 24, 1 << 20, 600, 20};
    struct am_buf body, fields;
    (void)state;
    am_buf_init(&body, 0);
    am_buf_init(&fields, 0);
    for (int i = 0; i < 1000; i++)
        am_buf_printf(&body, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i,
                      i + 1);
    struct am_mime *mime =
        am_mime_open(arena, am_span_str("Content-Type: multipart/mixed; boundary=b0\n"),
                     am_buf_span(&body), &limits, &why);
    assert_non_null(mime);
    assert_int_equal(am_mime_count(mime), 20);
    assert_true(am_mime_is_cut(mime));
    assert_string_equal(refusal("", "--b\r\n\r\nx\r\n", 100000, ""), "more than 100 parts");

    /* A boundary of 10,000 octets, for which no parts are found, but the name is. */
    am_buf_clear(&body);
    am_buf_add_str(&fields, "Content-Type: multipart/mixed; boundary=");
    am_buf_add_str(&body, "--");
    for (int i = 0; i < 1000; i++) {
        am_buf_add_str(&fields, "0123456789");
        am_buf_add_str(&body, "0123456789");
    }
    am_buf_add_char(&fields, '\n');
    am_buf_add_str(&body, "\r\nContent-Type: a/b; name=evil.exe\r\n\r\nx\r\n");
    mime = am_mime_open(arena, am_buf_span(&fields), am_buf_span(&body), &limits, &why);
    assert_non_null(mime);
    assert_int_not_equal(am_mime_defects(mime), 0);
    struct am_strlist names = {NULL, 0};
    assert_true(am_mime_stray_names(mime, &names));
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], "evil.exe");
    am_buf_fini(&fields);
    am_buf_fini(&body);
    am_arena_free(arena);
}

static void assert_names(const char *header, const char *expected)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_strlist names = {NULL, 0};
    struct am_buf text;
    assert_true(am_mime_names_scan(&names, arena, am_span_str(header)));
    am_buf_init(&text, 0);
    for (size_t i = 0; i < names.count; i++)
        am_buf_printf(&text, "<%s>", names.items[i]);
    assert_string_equal(am_buf_str(&text), expected);
    am_buf_fini(&text);
    am_arena_free(arena);
}

static void the_lax_reader_finds_every_name(void **state)
{
    (void)state;
    assert_names("Content-Type: a/b; name=one.txt; NAME=\"two; x.txt\"\n", "<one.txt><two; x.txt>");
    assert_names(
        "content-disposition : attachment;\r\n filename = x.exe\r\nSubject: a; name=no\r\n",
        "<x.exe>");
    assert_names("Content-Type: a/b name=x.exe\n", "<x.exe>");
    assert_names("Content-Type: a/b; name=\"x.exe\n", "<x.exe>");
    assert_names("Content-Type: a/b; name*0=x.; name*1*=e; filename*2=xe\n", "<x.><e><xe><x.exe>");
    assert_names(
        "Content-Type: a/b; name*0*=utf-8''%65v%69l%2E; name*1*=ex%65%00%2; name*2=%.txt\n",
        "<utf-8''%65v%69l%2E><ex%65%00%2><%.txt><evil.exe\xEF\xBF\xBD%2%.txt>");
    assert_names("Content-Type: a/b; name*=''\nContent-Type: a/b; name*='x\n", "<''><'x>");
    assert_names("Content-Type: a/b; name=\"a\\\"b\"; name=c\n", "<a\\\"b><c>");
    assert_names("Content-Type: a/b; boundary=x.exe; filenames=y.exe; name=\n", "");
    assert_names("Content-Type\nname=x\n", "");
    assert_names("", "");
}

static void too_many_names_are_said(void **state)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_strlist names = {NULL, 0};
    struct am_buf header;
    (void)state;
    am_buf_init(&header, 0);
    am_buf_add_str(&header, "Content-Type: a/b");
    for (int i = 0; i < AM_MIME_NAMES_MAX + 1; i++)
        am_buf_printf(&header, "; name=n%d", i);
    assert_false(am_mime_names_scan(&names, arena, am_buf_span(&header)));
    assert_int_equal(names.count, AM_MIME_NAMES_MAX);
    am_buf_fini(&header);
    am_arena_free(arena);
}

static void texts_are_quoted_so_that_they_arrive(void **state)
{
    struct am_buf out;
    (void)state;
    am_buf_init(&out, 0);
    am_mime_put_quoted(&out, am_span_str("a=b \n.dot\n\xC3\xA9\tx\n--b\n"));
    assert_string_equal(am_buf_str(&out), "a=3Db=20\r\n=2Edot\r\n=C3=A9=09x\r\n=2D-b\r\n");
    am_buf_clear(&out);
    for (int i = 0; i < 100; i++)
        am_mime_put_quoted(&out, am_span_str("\n"));
    am_buf_clear(&out);
    char line[201] = "";
    memset(line, '=', 200);
    am_mime_put_quoted(&out, am_span_of(line, 200));
    for (const char *at = am_buf_str(&out); *at != '\0';) {
        size_t len = strcspn(at, "\r");
        assert_in_range(len, 1, 76);
        at += len + strspn(at + len, "\r\n");
    }
    am_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_types_names_places_and_contents),
        cmocka_unit_test(whatever_is_not_cut_stays_as_it_was),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(headers_of_parts_have_bounds),
        cmocka_unit_test(headers_are_told_from_contents),
        cmocka_unit_test(structures_without_end_are_survived),
        cmocka_unit_test(the_lax_reader_finds_every_name),
        cmocka_unit_test(too_many_names_are_said),
        cmocka_unit_test(texts_are_quoted_so_that_they_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
