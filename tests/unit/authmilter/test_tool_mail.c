#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "authmilter/tool_mail.h"
#include "common/base/buf.h"

/* A message in a file of its own, read at once. */
struct reading {
    struct am_arena *arena;
    struct tool_mail *mail;
    struct dkim_fields fields;
    struct am_buf body;
    struct am_problem problem;
    bool header_read;
};

static const char *write_file(struct am_span text)
{
    static char path[64];

    snprintf(path, sizeof(path), "tool-mail-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text.ptr, text.len), (ssize_t)text.len);
    close(file);
    return path;
}

static void read_span(struct reading *reading, struct am_span text)
{
    const char *path = write_file(text);
    struct am_span chunk = {"", 1};

    reading->arena = am_arena_new(65536, 0);
    reading->mail = tool_mail_open(reading->arena, path, true, &reading->problem);
    assert_non_null(reading->mail);
    unlink(path);
    dkim_fields_init(&reading->fields, reading->arena, false);
    am_buf_init(&reading->body, 0);
    reading->header_read = tool_mail_header(reading->mail, &reading->fields, &reading->problem);
    while (reading->header_read && chunk.len > 0) {
        assert_true(tool_mail_body(reading->mail, &chunk, &reading->problem));
        am_buf_add(&reading->body, chunk);
    }
}

#define READ(reading, text) read_span(reading, am_span_of(text, sizeof(text) - 1))

static void done(struct reading *reading)
{
    am_buf_fini(&reading->body);
    am_arena_free(reading->arena);
}

static void assert_body(const struct reading *reading, struct am_span expected)
{
    assert_int_equal(reading->body.len, expected.len);
    assert_memory_equal(am_buf_str(&reading->body), expected.ptr, expected.len);
    assert_int_equal(tool_mail_notes(reading->mail)->body_octets, expected.len);
}

#define BODY(reading, text) assert_body(reading, am_span_of(text, sizeof(text) - 1))

static void assert_value(const struct dkim_field *field, const char *name, const char *value)
{
    assert_true(am_span_equal(field->name, am_span_str(name)));
    assert_true(am_span_equal(field->value, am_span_str(value)));
}

static void fields_come_as_a_milter_gets_them(void **state)
{
    (void)state;
    static const char *const files[] = {
        "A: one\n\ttwo\n  three \nB:\nc :x\n\nbody\n",
        "A: one\r\n\ttwo\r\n  three \r\nB:\r\nc :x\r\n\r\nbody\r\n",
        "A: one\n\ttwo\r\n  three \nB:\r\nc :x\n\r\nbody\n",
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct reading reading;
        read_span(&reading, am_span_str(files[i]));
        const struct dkim_field *field = reading.fields.first;
        assert_int_equal(reading.fields.count, 3);
        assert_value(field, "A", " one\n\ttwo\n  three ");
        assert_value(field->below, "B", "");
        assert_value(field->below->below, "c", "x");
        BODY(&reading, "body\r\n");
        assert_int_equal(tool_mail_notes(reading.mail)->lf_ends, i != 1);
        assert_int_equal(tool_mail_notes(reading.mail)->mixed_ends, i == 2);
        done(&reading);
    }
}

static void lf_files_are_read_as_crlf(void **state)
{
    (void)state;
    struct reading reading;

    READ(&reading, "A: b\n\none\n\r\ntwo\r\nbare\rcr\r\r\n\nend");
    BODY(&reading, "one\r\n\r\ntwo\r\nbare\rcr\r\r\n\r\nend");
    assert_true(tool_mail_notes(reading.mail)->mixed_ends);
    assert_true(tool_mail_notes(reading.mail)->bare_cr);
    assert_false(tool_mail_notes(reading.mail)->bare_lf);
    done(&reading);
}

static void crlf_files_are_read_octet_by_octet(void **state)
{
    (void)state;
    struct reading reading;

    READ(&reading, "A: b\r\n\r\none\ntwo\r\n\0\xff\n\r");
    BODY(&reading, "one\ntwo\r\n\0\xff\n\r");
    const struct tool_mail_notes *notes = tool_mail_notes(reading.mail);
    assert_true(notes->mixed_ends && notes->bare_lf && notes->bare_cr && notes->nul &&
                notes->eight_bit);
    done(&reading);
}

static void odd_headers_end_where_mtas_end_them(void **state)
{
    (void)state;
    static const struct {
        const char *file, *body;
        size_t fields, line;
    } rows[] = {
        {"", "", 0, 0},
        {"\n", "", 0, 0},
        {"\nbody\n", "body\r\n", 0, 0},
        {"A: b", "", 1, 0},
        {"A: b\n", "", 1, 0},
        {"A: b\n\n", "", 1, 0},
        {"A: b\nbody\nC: d\n", "body\r\nC: d\r\n", 1, 2},
        {" indented\nA: b\n", " indented\r\nA: b\r\n", 0, 1},
        {"no colon", "no colon", 0, 1},
        {": no name\n", ": no name\r\n", 0, 1},
        {"A b: c\n", "A b: c\r\n", 0, 1},
        {"From me Mon\nA: b\n\nx\n", "x\r\n", 1, 0},
        {"A: b\nFrom me\n", "From me\r\n", 1, 2},
        {"From: me\n\n", "", 1, 0},
        {"A: b\n \n\nx", "x", 1, 0},
        {"\xc3\xa9: b\n", "\xc3\xa9: b\r\n", 0, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reading reading;
        read_span(&reading, am_span_str(rows[i].file));
        assert_true(reading.header_read);
        assert_int_equal(reading.fields.count, rows[i].fields);
        assert_int_equal(tool_mail_notes(reading.mail)->no_separator, rows[i].line);
        assert_body(&reading, am_span_str(rows[i].body));
        done(&reading);
    }
}

static void nul_and_cr_stand_in_values(void **state)
{
    (void)state;
    struct reading reading;

    READ(&reading, "A: b\0c\rd\n\n");
    assert_true(am_span_equal(reading.fields.first->value, am_span_of(" b\0c\rd", 6)));
    done(&reading);
}

static void large_headers_are_refused_with_a_sentence(void **state)
{
    (void)state;
    size_t len = TOOL_MAIL_HEADER_MAX + 100;
    char *text = malloc(len);
    struct reading reading;

    assert_non_null(text);
    memset(text, 'a', len);
    read_span(&reading, am_span_of(text, len)); /* one line without end */
    assert_false(reading.header_read);
    assert_non_null(strstr(reading.problem.text, "larger than"));
    done(&reading);
    for (size_t i = 0; i + 4 < len; i += 4)
        memcpy(text + i, "a:b\n", 4);
    read_span(&reading, am_span_of(text, len)); /* more fields than anybody needs */
    assert_false(reading.header_read);
    assert_non_null(strstr(reading.problem.text, "more than 20000 fields"));
    done(&reading);
    memset(text, ' ', len);
    memcpy(text, "A: b\n", 5);
    for (size_t i = 100; i < len; i += 100)
        text[i] = '\n';
    read_span(&reading, am_span_of(text, len)); /* one field */
    assert_false(reading.header_read);
    done(&reading);
    free(text);
}

/* Chunks end anywhere: within a CRLF too. */
static void long_bodies_come_whole(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        struct am_buf file, expected;
        struct reading reading;
        am_buf_init(&file, 0);
        am_buf_init(&expected, 0);
        am_buf_add_str(&file, "A: b\n\n");
        am_buf_add(&file, am_span_of("xxxx", shift));
        am_buf_add(&expected, am_span_of("xxxx", shift));
        for (size_t i = 0; i < 60000; i++) {
            am_buf_add_str(&file, i % 3 == 0 ? "ab\r\n" : "c\n");
            am_buf_add_str(&expected, i % 3 == 0 ? "ab\r\n" : "c\r\n");
        }
        read_span(&reading, am_buf_span(&file));
        assert_body(&reading, am_buf_span(&expected));
        assert_false(tool_mail_notes(reading.mail)->bare_cr);
        done(&reading);
        am_buf_fini(&file);
        am_buf_fini(&expected);
    }
}

static void a_body_without_separator_may_begin_with_a_long_line(void **state)
{
    (void)state;
    size_t len = 300000;
    char *text = malloc(len);
    struct reading reading;

    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, "A: b\n", 5);
    read_span(&reading, am_span_of(text, len));
    assert_int_equal(reading.body.len, len - 5);
    assert_int_equal(tool_mail_notes(reading.mail)->longest_line, len - 5);
    done(&reading);
    free(text);
}

static void copies_have_the_fields_on_top(void **state)
{
    (void)state;
    static const struct {
        const char *file, *copy;
    } rows[] = {
        {"A: b\n\nx\r\ny\n", "S: t\nA: b\n\nx\r\ny\n"},
        {"From me\nA: b\n\nx", "From me\nS: t\nA: b\n\nx"},
        {"", "S: t\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reading reading;
        char *copy = NULL;
        size_t len;
        read_span(&reading, am_span_str(rows[i].file));
        FILE *out = open_memstream(&copy, &len);
        assert_true(tool_mail_copy(reading.mail, am_span_str("S: t\n"), out, &reading.problem));
        fclose(out);
        assert_string_equal(copy, rows[i].copy);
        free(copy);
        done(&reading);
    }
}

static void a_file_that_changes_is_not_copied(void **state)
{
    (void)state;
    struct am_arena *arena = am_arena_new(4096, 0);
    const char *path = write_file(am_span_str("A: b\n\nx\n"));
    struct am_problem problem;
    struct tool_mail *mail = tool_mail_open(arena, path, true, &problem);
    FILE *file = fopen(path, "ae");

    assert_non_null(mail);
    assert_non_null(file);
    fputs("more\n", file);
    fclose(file);
    assert_false(tool_mail_copy(mail, am_span_str("S: t\n"), stderr, &problem));
    assert_non_null(strstr(problem.text, "changed"));
    unlink(path);
    am_arena_free(arena);
}

static void what_cannot_be_opened_is_said(void **state)
{
    (void)state;
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem problem;
    struct dkim_fields fields;

    assert_null(tool_mail_open(arena, "nowhere/mail", false, &problem));
    assert_non_null(strstr(problem.text, "nowhere/mail"));
    struct tool_mail *folder = tool_mail_open(arena, ".", false, &problem);
    assert_non_null(folder);
    dkim_fields_init(&fields, arena, false);
    assert_false(tool_mail_header(folder, &fields, &problem));
    am_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_as_a_milter_gets_them),
        cmocka_unit_test(lf_files_are_read_as_crlf),
        cmocka_unit_test(crlf_files_are_read_octet_by_octet),
        cmocka_unit_test(odd_headers_end_where_mtas_end_them),
        cmocka_unit_test(nul_and_cr_stand_in_values),
        cmocka_unit_test(large_headers_are_refused_with_a_sentence),
        cmocka_unit_test(long_bodies_come_whole),
        cmocka_unit_test(a_body_without_separator_may_begin_with_a_long_line),
        cmocka_unit_test(copies_have_the_fields_on_top),
        cmocka_unit_test(a_file_that_changes_is_not_copied),
        cmocka_unit_test(what_cannot_be_opened_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
