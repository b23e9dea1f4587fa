#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_tag.h"

static struct dkim_tag_list list;

static enum dkim_tag_status parse(const char *text)
{
    return dkim_tag_list_parse(&list, am_span_str(text));
}

static void assert_value(const char *name, const char *value)
{
    const struct dkim_tag *tag = dkim_tag_find(&list, name);
    assert_non_null(tag);
    assert_int_equal(tag->value.len, strlen(value));
    assert_memory_equal(tag->value.ptr, value, strlen(value));
}

static void well_formed(void **state)
{
    (void)state;
    assert_int_equal(parse("v=1; a=rsa-sha256;d=example.com"), DKIM_TAG_OK);
    assert_int_equal(list.count, 3);
    assert_value("v", "1");
    assert_value("a", "rsa-sha256");
    assert_value("d", "example.com");
    assert_null(dkim_tag_find(&list, "V")); /* names are compared with letter case */
    assert_null(dkim_tag_find(&list, ""));
    assert_int_equal(parse("a=1;A=2"), DKIM_TAG_OK);
    assert_int_equal(parse("a_1Z=x"), DKIM_TAG_OK);
    assert_value("a_1Z", "x");
    assert_int_equal(parse("p="), DKIM_TAG_OK);
    assert_value("p", "");
    assert_int_equal(parse("p=;"), DKIM_TAG_OK);
    assert_int_equal(parse("v=1; \r\n\t"), DKIM_TAG_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(parse("z=a=b==!<>~:|"), DKIM_TAG_OK);
    assert_value("z", "a=b==!<>~:|");
}

/* Blanks and folds on both sides of names and values, and inside values. */
static void white_space(void **state)
{
    (void)state;
    assert_int_equal(parse(" \t v \t= \t1\t ;\n b\r\n =\r\n\tQUI\n J\r\n\t \t; c=a b"),
                     DKIM_TAG_OK);
    assert_value("v", "1");
    assert_value("b", "QUI\n J");
    assert_value("c", "a b");
    const struct dkim_tag *tag = dkim_tag_find(&list, "b");
    const char *raw = "\r\n\tQUI\n J\r\n\t \t";
    assert_int_equal(tag->raw.len, strlen(raw));
    assert_memory_equal(tag->raw.ptr, raw, strlen(raw));
    assert_int_equal(parse("a=1;\n\n b=2"), DKIM_TAG_SYNTAX); /* a line end is no white space */
    assert_int_equal(parse("a=1\n"), DKIM_TAG_SYNTAX);
    assert_int_equal(parse("a=1\r\n"), DKIM_TAG_SYNTAX);
    assert_int_equal(parse("a=1\r "), DKIM_TAG_SYNTAX);
    assert_int_equal(parse("a=1\r\r\n "), DKIM_TAG_SYNTAX);
    assert_int_equal(parse("a\v=1"), DKIM_TAG_SYNTAX);
    assert_int_equal(parse("a=\f1"), DKIM_TAG_SYNTAX);
}

static void malformed(void **state)
{
    static const char *const texts[] = {
        "",           " ",      ";",      ";a=1",           "a=1;;b=2", "a",
        "a;b=1",      "=1",     "1a=2",   "_a=2",           "a-b=2",    "a b=2",
        "a=1;b",      "a=\x01", "a=\x7f", "a=\xff",         "a=\xc3",   "a=\xc0\xaf",
        "\xc3\xa4=1", "a=1; ;", "a.b=1",  "a=\xed\xa0\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse(texts[i]) != DKIM_TAG_SYNTAX)
            fail_msg("\"%s\" was accepted", texts[i]);
    static const char nul[] = "a=1\0;b=2";
    assert_int_equal(dkim_tag_list_parse(&list, am_span_of(nul, sizeof(nul) - 1)), DKIM_TAG_SYNTAX);
    assert_int_equal(list.bad, 3);
    assert_int_equal(dkim_tag_list_parse(&list, am_span_of(NULL, 0)), DKIM_TAG_SYNTAX);
}

/* What stands before the fault is there, and the fault's place is told. */
static void faults_have_places(void **state)
{
    (void)state;
    assert_int_equal(parse("v=1; d=example.com; i=\x01; s=x"), DKIM_TAG_SYNTAX);
    assert_int_equal(list.count, 2);
    assert_value("d", "example.com");
    assert_int_equal(list.bad, 22);
    assert_int_equal(parse("d=a.example; s=x; d=b.example"), DKIM_TAG_DUPLICATE);
    assert_int_equal(list.count, 2);
    assert_value("d", "a.example");
    assert_int_equal(list.bad, 18);
    assert_int_equal(parse("d=a;d =a"), DKIM_TAG_DUPLICATE);
}

static void utf8_in_values(void **state)
{
    (void)state;
    assert_int_equal(parse("d=b\xc3\xbc"
                           "cher.example; i=\xf0\x9f\x93\xa7@x"),
                     DKIM_TAG_OK);
    assert_value("d", "b\xc3\xbc"
                      "cher.example");
}

static void too_many(void **state)
{
    char text[16 * (DKIM_TAG_MAX + 2)];
    size_t len = 0;
    (void)state;
    for (int i = 0; i <= DKIM_TAG_MAX; i++) {
        len += (size_t)sprintf(text + len, "t%d=%d;", i, i);
        enum dkim_tag_status wanted = i < DKIM_TAG_MAX ? DKIM_TAG_OK : DKIM_TAG_TOO_MANY;
        assert_int_equal(parse(text), wanted);
    }
    assert_int_equal(list.count, DKIM_TAG_MAX);
}

static void lists(void **state)
{
    (void)state;
    struct am_span rest = am_span_str(" from : to\n :\r\n\tcc::x "), item;
    static const char *const items[] = {"from", "to", "cc", "", "x"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(dkim_list_next(&rest, &item));
        assert_true(am_span_equal(item, am_span_str(items[i])));
    }
    assert_false(dkim_list_next(&rest, &item));
    rest = am_span_str("");
    assert_true(dkim_list_next(&rest, &item));
    assert_int_equal(item.len, 0);
    assert_false(dkim_list_next(&rest, &item));
}

static void trimming(void **state)
{
    (void)state;
    assert_true(am_span_equal(dkim_fws_trim(am_span_str(" \n x \r\n\t ")), am_span_str("x")));
    assert_true(am_span_equal(dkim_fws_trim(am_span_str("x\n")), am_span_str("x\n")));
    assert_true(am_span_equal(dkim_fws_trim(am_span_str("x\r ")), am_span_str("x\r")));
    assert_int_equal(dkim_fws_trim(am_span_str(" \t\n ")).len, 0);
    assert_int_equal(dkim_fws_len(am_span_str("  \nx")), 2);
    assert_int_equal(dkim_fws_len(am_span_of(NULL, 0)), 0);
}

static bool decodes(const char *text, const char *octets, size_t len)
{
    uint8_t out[64];
    size_t got;
    return dkim_base64_decode_into(am_span_str(text), out, sizeof(out), &got) && got == len &&
           memcmp(out, octets, len) == 0;
}

static void base64(void **state)
{
    (void)state;
    assert_true(decodes("QUJD", "ABC", 3));
    assert_true(decodes("QUI=", "AB", 2));
    assert_true(decodes("QQ==", "A", 1));
    assert_true(decodes("+/+/", "\xfb\xff\xbf", 3));
    assert_true(decodes("Q\n Q\r\n\t= = ", "A", 1));
    assert_true(decodes("QUI", "AB", 2)); /* the grammar lets "=" be missing */
    assert_true(decodes("QQ", "A", 1));
    static const char *const bad[] = {
        "",     "=",    "Q",     "QUJDQ", "QUJD=", "QUI==", "QQ===", "QQ=Q",
        "Q-==", "Q_==", "QQ\n=", "QQ=\r", "Q\vQ=", "====",  "QQ==;", "QQ==QQ"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t out[16];
        size_t len;
        if (dkim_base64_decode_into(am_span_str(bad[i]), out, sizeof(out), &len))
            fail_msg("\"%s\" was accepted", bad[i]);
    }
    uint8_t small[2];
    size_t len;
    assert_false(dkim_base64_decode_into(am_span_str("QUJD"), small, sizeof(small), &len));
    struct am_arena *arena = am_arena_new(64, 64);
    struct am_span out;
    char much[400];
    memset(much, 'A', sizeof(much));
    assert_false(dkim_base64_decode(arena, am_span_of(much, sizeof(much)), &out));
    assert_null(out.ptr);
    assert_int_equal(out.len, 1);
    assert_false(dkim_base64_decode(arena, am_span_str("!"), &out));
    assert_int_equal(out.len, 0);
    am_arena_free(arena);
}

static void base64_round_trip(void **state)
{
    char octets[40];
    (void)state;
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (char)(i * 37 + 200);
    for (size_t len = 1; len <= sizeof(octets); len++) {
        struct am_buf text;
        am_buf_init(&text, 0);
        dkim_base64_encode(&text, am_span_of(octets, len));
        assert_int_equal(text.len, (len + 2) / 3 * 4);
        assert_true(decodes(am_buf_str(&text), octets, len));
        am_buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed),    cmocka_unit_test(white_space),
        cmocka_unit_test(malformed),      cmocka_unit_test(faults_have_places),
        cmocka_unit_test(utf8_in_values), cmocka_unit_test(too_many),
        cmocka_unit_test(lists),          cmocka_unit_test(trimming),
        cmocka_unit_test(base64),         cmocka_unit_test(base64_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
