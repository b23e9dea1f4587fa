#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/ar_json.h"
#include "authmilter/ar_json_stream.h"
#include "tests/support/failing_alloc.h"

/* JSON into headers and back, sequences of objects, and what is refused with which words. */

static const char full[] =
    "{\"authserv_id\":\"mx.example.org\",\"version\":1,\"instance\":3,\"results\":[{\"method\":"
    "\"dkim\",\"version\":2,\"result\":\"pass\",\"reason\":\"a \\\"b\\\" \\\\\",\"properties\":[{"
    "\"ptype\":\"header\",\"property\":\"d\",\"value\":\"example.org\"},{\"ptype\":\"header\","
    "\"property\":\"i\",\"value\":\"@example.org\"}],\"comments\":[\"m\",\"r\",\"s\",\"t\",\"p\","
    "\"q\"],\"comments_at\":[\"before-method\",\"result\",\"reason\",\"reason\",0,1]},{\"method\":"
    "\"spf\",\"version\":null,\"result\":\"none\",\"reason\":null,\"properties\":[],\"comments\":["
    "\"x\"]}],\"comments\":[\"b\",\"i\",\"v\"],\"comments_at\":[\"before-id\",\"id\",\"version\"],"
    "\"forgiven\":[]}";

static json_t *load(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);

    if (json == NULL)
        fail_msg("%s in %s", error.text, text);
    return json;
}

/* The field's value that some JSON makes; the caller frees it. */
static char *field_of(const char *text, bool utf8)
{
    const struct ar_format format = {.width = AR_LINE_MAX};
    struct ar_header *header;
    struct am_problem problem = {""};
    char *value = NULL;
    json_t *json = load(text);

    if (ar_json_read(json, utf8, &header, &problem) != AR_OK)
        fail_msg("%s: %s", text, problem.text);
    assert_int_equal(ar_header_format(header, &format, &value, NULL), AR_OK);
    ar_header_free(header);
    json_decref(json);
    return value;
}

static void every_member_finds_its_place(void **state)
{
    (void)state;
    char *value = field_of(full, false);
    assert_string_equal(
        value, "i=3; (b) mx.example.org (i) 1 (v); (m) dkim/2=pass (r) reason=\"a \\\"b\\\" \\\\\" "
               "(s) (t) header.d=example.org (p) header.i=@example.org (q); spf=none (x)");
    struct ar_header *header = ar_header_parse(NULL, value, strlen(value), NULL, NULL);
    assert_non_null(header);
    json_t *json = ar_json_write(header, 0);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, full);
    free(text);
    json_decref(json);
    ar_header_free(header);
    free(value);
}

static void what_may_be_null_may_be_absent(void **state)
{
    (void)state;
    static const struct {
        const char *json, *value;
    } cases[] = {
        {"{\"authserv_id\":\"a\"}", "a; none"},
        {"{\"authserv_id\":\"a\",\"version\":null,\"instance\":null,\"results\":null,"
         "\"comments\":null,\"comments_at\":null,\"forgiven\":null}",
         "a; none"},
        {"{\"authserv_id\":\"a\",\"comments\":[\"x\"]}", "a (x); none"},
        {"{\"authserv_id\":\"a\",\"comments\":[\"y\",\"x\"],\"comments_at\":[\"none\",\"id\"]}",
         "a (x); none (y)"},
        {"{\"results\":[{\"result\":\"pass\",\"method\":\"spf\"}],\"authserv_id\":\"a b\"}",
         "\"a b\"; spf=pass"},
        {"{\"authserv_id\":\"a\",\"forgiven\":[{\"offset\":1,\"what\":\"x\"}]}", "a; none"},
        {"{\"authserv_id\":\"a\",\"results\":[{\"method\":\"spf\",\"result\":\"pass\","
         "\"reason\":\"\",\"comments\":[\"z\",\"a)\"],\"comments_at\":[\"reason\",\"result\"]}]}",
         "a; spf=pass (a\\)) reason=\"\" (z)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *value = field_of(cases[i].json, false);
        assert_string_equal(value, cases[i].value);
        free(value);
    }
}

#define RESULT(members) "{\"authserv_id\":\"a\",\"results\":[{" members "}]}"
#define SPF "\"method\":\"spf\",\"result\":\"pass\""
#define PROPERTY(members) RESULT(SPF ",\"properties\":[{" members "}]")
#define CANNOT "the text holds characters that the field cannot carry"
#define KEYWORD "not a keyword (letters, digits and inner hyphens)"
#define MISSING "missing, and nothing can be written without it"
#define UTF8 "UTF-8 needs --utf8, for a message that is sent with SMTPUTF8"

static const struct {
    const char *json, *problem;
} refused[] = {
    {"[]", "not an object"},
    {"{}", "authserv_id: " MISSING},
    {"{\"authserv_id\":null}", "authserv_id: " MISSING},
    {"{\"authserv_id\":1}", "authserv_id: not a string"},
    {"{\"authserv_id\":\"\"}", "authserv_id: " CANNOT},
    {"{\"authserv_id\":\"a\\nb\"}", "authserv_id: " CANNOT},
    {"{\"authserv_id\":\"a\\u0000b\"}", "authserv_id: " CANNOT},
    {"{\"authserv_id\":\"\\u00e4\"}", "authserv_id: " UTF8},
    {"{\"authserv_id\":\"a\",\"what\":1}", "what: there is no such member"},
    {"{\"authserv_id\":\"a\",\"b\\u001b[m\":1}", "b?[m: there is no such member"},
    {"{\"authserv_id\":\"a\",\"version\":-1}", "version: out of range"},
    {"{\"authserv_id\":\"a\",\"version\":1000000000}", "version: out of range"},
    {"{\"authserv_id\":\"a\",\"version\":9223372036854775807}", "version: out of range"},
    {"{\"authserv_id\":\"a\",\"version\":1.5}", "version: not an integer"},
    {"{\"authserv_id\":\"a\",\"version\":\"1\"}", "version: not an integer"},
    {"{\"authserv_id\":\"a\",\"instance\":0}", "instance: out of range"},
    {"{\"authserv_id\":\"a\",\"instance\":51}", "instance: out of range"},
    {"{\"authserv_id\":\"a\",\"instance\":4294967297}", "instance: out of range"},
    {"{\"authserv_id\":\"a\",\"results\":{}}", "results: not an array"},
    {"{\"authserv_id\":\"a\",\"results\":[1]}", "results[0]: not an object"},
    {"{\"authserv_id\":\"a\",\"comments\":\"x\"}", "comments: not an array"},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\",1]}", "comments[1]: not a string"},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\\r\"]}", "comments[0]: " CANNOT},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\"],\"comments_at\":[]}",
     "comments_at: not as long as \"comments\""},
    {"{\"authserv_id\":\"a\",\"comments_at\":[\"id\"]}",
     "comments_at: not as long as \"comments\""},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\"],\"comments_at\":[\"result\"]}",
     "comments_at[0]: not a place where a comment can stand"},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\"],\"comments_at\":[0]}",
     "comments_at[0]: not a place where a comment can stand"},
    {"{\"authserv_id\":\"a\",\"comments\":[\"x\"],\"comments_at\":[\"version\"]}",
     "comments_at[0]: there is nothing at this place"},
    {"{\"authserv_id\":\"a\",\"results\":[{" SPF "}],\"comments\":[\"x\",\"y\"],"
     "\"comments_at\":[\"none\",\"id\"]}",
     "comments_at[0]: there is nothing at this place"},
    {RESULT("\"result\":\"pass\""), "results[0].method: " MISSING},
    {RESULT("\"method\":\"spf\""), "results[0].result: " MISSING},
    {RESULT("\"method\":\"s f\",\"result\":\"pass\""), "results[0].method: " KEYWORD},
    {RESULT("\"method\":\"spf\\u0000\",\"result\":\"pass\""), "results[0].method: " KEYWORD},
    {RESULT("\"method\":\"spf\",\"result\":\"p;ss\""), "results[0].result: " KEYWORD},
    {RESULT("\"method\":\"spf\",\"result\":\"p\\u00e4ss\""), "results[0].result: " KEYWORD},
    {RESULT(SPF ",\"version\":-2"), "results[0].version: out of range"},
    {RESULT(SPF ",\"reason\":1"), "results[0].reason: not a string"},
    {RESULT(SPF ",\"reason\":\"a\\n\""), "results[0].reason: " CANNOT},
    {RESULT(SPF ",\"reason\":\"\\u00e4\""), "results[0].reason: " UTF8},
    {RESULT(SPF ",\"x\":1"), "results[0].x: there is no such member"},
    {RESULT(SPF ",\"forgiven\":[]"), "results[0].forgiven: there is no such member"},
    {RESULT(SPF ",\"comments\":[\"x\"],\"comments_at\":[\"reason\"]"),
     "results[0].comments_at[0]: there is nothing at this place"},
    {RESULT(SPF ",\"comments\":[\"x\"],\"comments_at\":[0]"),
     "results[0].comments_at[0]: there is nothing at this place"},
    {RESULT(SPF ",\"comments\":[\"x\"],\"comments_at\":[-1]"),
     "results[0].comments_at[0]: not a place where a comment can stand"},
    {RESULT(SPF ",\"comments\":[\"x\"],\"comments_at\":[\"id\"]"),
     "results[0].comments_at[0]: not a place where a comment can stand"},
    {RESULT(SPF ",\"properties\":1"), "results[0].properties: not an array"},
    {RESULT(SPF "},{" SPF ",\"properties\":[[]]"), "results[1].properties[0]: not an object"},
    {PROPERTY("\"ptype\":null,\"property\":\"a\",\"value\":\"b\""),
     "results[0].properties[0].ptype: " MISSING},
    {PROPERTY("\"ptype\":\"smtp\",\"property\":\"a\""), "results[0].properties[0].value: " MISSING},
    {PROPERTY("\"ptype\":\"s.p\",\"property\":\"a\",\"value\":\"b\""),
     "results[0].properties[0].ptype: " KEYWORD},
    {PROPERTY("\"ptype\":\"smtp\",\"property\":\"a=\",\"value\":\"b\""),
     "results[0].properties[0].property: " KEYWORD},
    {PROPERTY("\"ptype\":\"smtp\",\"property\":\"a\",\"value\":\"b\\u0007\""),
     "results[0].properties[0].value: " CANNOT},
    {PROPERTY("\"ptype\":\"smtp\",\"property\":\"a\",\"value\":\"\\u00e4@b\""),
     "results[0].properties[0].value: " UTF8},
    {PROPERTY("\"ptype\":\"smtp\",\"property\":\"a\",\"value\":\"b\",\"c\":1"),
     "results[0].properties[0].c: there is no such member"},
};

static void a_refusal_names_the_place_and_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct ar_header *header = NULL;
        struct am_problem problem = {""};
        json_t *json = load(refused[i].json);
        assert_int_not_equal(ar_json_read(json, false, &header, &problem), AR_OK);
        assert_string_equal(problem.text, refused[i].problem);
        assert_null(header);
        json_decref(json);
    }
}

static void utf8_is_taken_when_allowed(void **state)
{
    (void)state;
    char *value =
        field_of("{\"authserv_id\":\"m\\u00e4x.example\",\"comments\":[\"\\u20ac\"]}", true);
    assert_string_equal(value, "\"m\303\244x.example\" (\342\202\254); none");
    free(value);
}

/* Reads a sequence; "12e" stands for objects in lines 1 and 2 and the end, "1!3" for malformed
 * JSON seen in line 3. */
static void read_sequence(const char *text, size_t max, const char *expected)
{
    struct ar_json_stream stream;
    struct am_problem problem;
    enum ar_json_status status;
    json_t *json;
    char got[64] = "";
    size_t at = 0;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");

    assert_non_null(file);
    ar_json_stream_init(&stream, file, max);
    while ((status = ar_json_stream_next(&stream, &json, &problem)) == AR_JSON_OBJECT) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%zu", stream.object_line);
        json_decref(json);
    }
    if (status == AR_JSON_END)
        snprintf(got + at, sizeof(got) - at, "e");
    else if (status == AR_JSON_MALFORMED)
        snprintf(got + at, sizeof(got) - at, "!%zu", stream.line);
    assert_string_equal(got, expected);
    fclose(file);
}

static void objects_may_stand_anyhow(void **state)
{
    (void)state;
    read_sequence("{}", 100, "1e");
    read_sequence("{}{}\n{}\n", 100, "112e");
    read_sequence("\r\n\t {}\r\n\n{\n}{}\n\n", 100, "245e");
    read_sequence(" \n", 100, "e");
    read_sequence("[] {}", 100, "11e");
    read_sequence("\xef\xbb\xbf{}\n{}", 100, "12e");
    read_sequence("\xef\xbb\xbf", 100, "e");
}

static void malformed_json_ends_the_sequence(void **state)
{
    (void)state;
    read_sequence("{}\n{\"a\n", 100, "1!2");
    read_sequence("{}\nx", 100, "1!2");
    read_sequence("\xef{}", 100, "!1");
    read_sequence("\xef\xbb{}", 100, "!1");
    read_sequence("{}\xef\xbb\xbf{}", 100, "1!1");
    read_sequence("{\n\"a\":\n}", 100, "!3");
    read_sequence("{\"a\":1,\"a\":2}", 100, "!1");
    read_sequence("{\"a\":\"\377\"}", 100, "!1");
    read_sequence("{\"a\":\"\\ud800\"}", 100, "!1");
    read_sequence("{} {\"a\":12}", 8, "11e");
    read_sequence("{} {\"a\":123}", 8, "1!1");
}

static size_t jansson_successes;

static void *failing_malloc(size_t size)
{
    return jansson_successes-- == 0 ? NULL : malloc(size);
}

/* One allocation of jansson after the other fails. */
static void writing_without_memory_fails_cleanly(void **state)
{
    (void)state;
    char *value = field_of(full, false);
    struct ar_header *header = ar_header_parse(NULL, value, strlen(value), NULL, NULL);
    size_t failures = 0;
    json_t *json = NULL;
    json_set_alloc_funcs(failing_malloc, free);
    while (json == NULL) {
        jansson_successes = failures++;
        json = ar_json_write(header, 0);
    }
    json_decref(json);
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 50);
    failing_alloc_start(0);
    assert_null(ar_json_write(header, 0));
    assert_true(failing_alloc_stop());
    ar_header_free(header);
    free(value);
}

static void reading_without_memory_fails_cleanly(void **state)
{
    (void)state;
    json_t *json = load(full);
    struct ar_header *header = NULL;
    struct am_problem problem;
    size_t failures = 0;
    for (bool failed = true; failed; failures++) {
        failing_alloc_start(failures);
        enum ar_status status = ar_json_read(json, false, &header, &problem);
        failed = failing_alloc_stop();
        assert_int_equal(status, failed ? AR_NO_MEMORY : AR_OK);
    }
    assert_true(failures > 3);
    ar_header_free(header);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_finds_its_place),
        cmocka_unit_test(what_may_be_null_may_be_absent),
        cmocka_unit_test(a_refusal_names_the_place_and_the_reason),
        cmocka_unit_test(utf8_is_taken_when_allowed),
        cmocka_unit_test(objects_may_stand_anyhow),
        cmocka_unit_test(malformed_json_ends_the_sequence),
        cmocka_unit_test(writing_without_memory_fails_cleanly),
        cmocka_unit_test(reading_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
