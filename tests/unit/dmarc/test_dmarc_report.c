#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <zlib.h>

#include "dmarc-milter/dmarc_report.h"
#include "tests/unit/dmarc/sample_row.h"

/* Names of reports, and the XML: valid whatever strangers put into it. */

static struct am_buf xml;
static xmlDocPtr document;
static xmlSchemaPtr schema;

static struct dmarc_report report_of(const struct dmarc_report_record *records, size_t count)
{
    return (struct dmarc_report){
        .org_name = "Example Organisation",
        .email = "dmarc@example.org",
        .extra_contact_info = "",
        .generator = "authmilter test",
        .report_id = "20261130abc",
        .error = "",
        .begin_s = 1795996800,
        .end_s = 1796083199,
        .policy = records[0].row,
        .records = records,
        .count = count,
    };
}

/* Writes the report, reads it again and holds it against the schema. */
static void write_xml(const struct dmarc_report *report)
{
    if (document != NULL)
        xmlFreeDoc(document);
    am_buf_clear(&xml);
    assert_true(dmarc_report_xml(report, &xml));
    document = xmlReadMemory(xml.data, (int)xml.len, NULL, NULL, XML_PARSE_NONET);
    if (document == NULL)
        fail_msg("no XML: %s", am_buf_str(&xml));
    xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema);
    int status = xmlSchemaValidateDoc(context, document);
    xmlSchemaFreeValidCtxt(context);
    if (status != 0)
        fail_msg("not as the schema wants it: %s", am_buf_str(&xml));
}

/* Checks the text that a path finds; "d" is the namespace. */
static void expect(const char *path, const char *text)
{
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    xmlChar expression[256];

    xmlXPathRegisterNs(context, (const xmlChar *)"d",
                       (const xmlChar *)"urn:ietf:params:xml:ns:dmarc-2.0");
    xmlStrPrintf(expression, sizeof(expression), "string(%s)", path);
    xmlXPathObjectPtr found = xmlXPathEvalExpression(expression, context);
    assert_non_null(found);
    assert_string_equal((const char *)found->stringval, text);
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
}

static void a_report_says_what_was_seen(void **state)
{
    struct dmarc_report_record records[2] = {{sample_row(), 3}, {sample_row(), 1}};

    (void)state;
    records[1].row.source_ip = "2001:db8::1";
    records[1].row.dkim = "fail";
    records[1].row.disposition = "reject";
    records[1].row.envelope_from = "";
    records[1].row.signature_count = 0;
    records[1].row.spf_domain = "";
    struct dmarc_report report = report_of(records, 2);
    report.error = "two & more";
    report.extra_contact_info = "https://example.org/dmarc?a=1&b=2";
    write_xml(&report);
    expect("/d:feedback/d:version", "1.0");
    expect("//d:report_metadata/d:org_name", "Example Organisation");
    expect("//d:report_metadata/d:extra_contact_info", "https://example.org/dmarc?a=1&b=2");
    expect("//d:report_metadata/d:report_id", "20261130abc");
    expect("//d:report_metadata/d:error", "two & more");
    expect("//d:date_range/d:begin", "1795996800");
    expect("//d:date_range/d:end", "1796083199");
    expect("//d:policy_published/d:domain", "example.com");
    expect("//d:policy_published/d:discovery_method", "treewalk");
    /* Tags that are not there have their default values. */
    expect("//d:policy_published/d:p", "reject");
    expect("//d:policy_published/d:sp", "reject");
    expect("//d:policy_published/d:np", "reject");
    expect("count(//d:record)", "2");
    expect("//d:record[1]/d:row/d:source_ip", "192.0.2.1");
    expect("//d:record[1]/d:row/d:count", "3");
    expect("//d:record[1]//d:disposition", "pass");
    expect("//d:record[1]//d:policy_evaluated/d:dkim", "pass");
    expect("//d:record[1]//d:policy_evaluated/d:spf", "fail");
    expect("count(//d:record[1]//d:reason)", "0");
    expect("//d:record[1]/d:identifiers/d:header_from", "example.com");
    expect("//d:record[1]/d:identifiers/d:envelope_from", "bounce.example.net");
    expect("//d:record[1]/d:auth_results/d:dkim/d:selector", "s1");
    expect("//d:record[1]/d:auth_results/d:spf/d:scope", "mfrom");
    expect("//d:record[2]//d:disposition", "reject");
    expect("count(//d:record[2]/d:identifiers/d:envelope_from)", "1");
    expect("count(//d:record[2]/d:auth_results/*)", "0");
}

static void dispositions_have_their_reasons(void **state)
{
    struct dmarc_report_record records[6];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        records[i] = (struct dmarc_report_record){sample_row(), 1};
        records[i].row.dkim = "fail";
    }
    /* 0: fails, and nothing was done, for no reason that was given. */
    records[1].row.testing = "y";
    records[2].row.reasons[0] = (struct dmarc_row_reason){"mailing_list", "list.example"};
    records[2].row.reasons[1] = (struct dmarc_row_reason){"forwarded", ""};
    records[2].row.reason_count = 2;
    records[3].row.p = "none";
    records[4].row.p = "none";
    records[4].row.dkim = "pass";
    records[4].row.disposition = "pass";
    records[5].row.header_from = "sub.example.com";
    records[5].row.sp = "none";
    struct dmarc_report report = report_of(records, 6);
    write_xml(&report);
    expect("//d:record[1]//d:reason/d:type", "local_policy");
    expect("//d:record[2]//d:reason/d:type", "policy_test_mode");
    expect("//d:record[3]//d:reason[1]/d:type", "mailing_list");
    expect("//d:record[3]//d:reason[1]/d:comment", "list.example");
    expect("//d:record[3]//d:reason[2]/d:type", "other");
    expect("count(//d:record[3]//d:reason[2]/d:comment)", "0");
    expect("count(//d:record[4]//d:reason)", "0");
    expect("//d:record[5]//d:disposition", "none");
    expect("count(//d:record[6]//d:reason)", "0");
}

static void signatures_that_matter_most_come_first(void **state)
{
    struct dmarc_report_record record = {sample_row(), 1};

    (void)state;
    record.row.signature_count = 5;
    record.row.signatures[0] = (struct dmarc_row_dkim){"example.com", "broken", "fail"};
    record.row.signatures[1] = (struct dmarc_row_dkim){"list.example", "list", "pass"};
    record.row.signatures[2] = (struct dmarc_row_dkim){"mail.example.com", "relaxed", "pass"};
    record.row.signatures[3] = (struct dmarc_row_dkim){"EXAMPLE.com", "strict", "pass"};
    record.row.signatures[4] = (struct dmarc_row_dkim){"example.com", "odd", "no such word"};
    struct dmarc_report report = report_of(&record, 1);
    write_xml(&report);
    expect("count(//d:auth_results/d:dkim)", "4");
    expect("//d:auth_results/d:dkim[1]/d:selector", "strict");
    expect("//d:auth_results/d:dkim[2]/d:selector", "relaxed");
    expect("//d:auth_results/d:dkim[3]/d:selector", "list");
    expect("//d:auth_results/d:dkim[4]/d:selector", "broken");
}

/* No text of a stranger ends an element, begins one, or makes the file unreadable. */
static void hostile_texts_stay_texts(void **state)
{
    static const char *const texts[] = {
        "</header_from><row>",
        "]]>",
        "<![CDATA[x]]>",
        "<!--",
        "<?xml version=\"1.0\"?>",
        "&amp;&lt;&#0;&xxe;",
        "<!DOCTYPE x [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]>",
        "\"quotes\" 'and' `more`",
        "%n%s%999999d",
        "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
    };
    static const struct {
        const char *text, *becomes;
    } broken[] = {
        {"a\x01\x02\x08\x0b\x1f\x7f", "a??????"},
        {"line\r\nbreak\ttab", "line??break?tab"},
        {"\xff\xfe\x80", "???"},
        {"\xc0\xaf\xed\xa0\x80", "?????"},
        {"\xef\xbf\xbe\xef\xbf\xbf", "??"},
        {"\xc2\x85\xe2\x80\xa8\xe2\x80\xae", "???"},
        {"cut \xe2\x82", "cut ??"},
    };
    struct dmarc_report_record record = {sample_row(), 1};
    struct dmarc_report report;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        record.row.header_from = texts[i];
        record.row.signatures[0].selector = texts[i];
        record.row.fo = texts[i];
        report = report_of(&record, 1);
        report.org_name = texts[i];
        write_xml(&report);
        expect("//d:header_from", texts[i]);
        expect("//d:selector", texts[i]);
        expect("//d:fo", texts[i]);
        expect("//d:org_name", texts[i]);
        expect("count(//d:record)", "1");
    }
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        record.row.header_from = broken[i].text;
        report = report_of(&record, 1);
        write_xml(&report);
        expect("//d:header_from", broken[i].becomes);
    }
    /* Words nobody knows. */
    record.row.p = record.row.adkim = record.row.testing = record.row.disposition =
        record.row.dkim = record.row.spf = record.row.spf_result = record.row.spf_scope = "<x>";
    report = report_of(&record, 1);
    write_xml(&report);
    expect("//d:policy_published/d:p", "none");
    expect("count(//d:auth_results/d:spf)", "0");
}

static void the_file_is_gzip_and_always_the_same(void **state)
{
    struct am_buf once, twice;
    char back[100000];
    struct dmarc_report_record record = {sample_row(), 1};
    struct dmarc_report report = report_of(&record, 1);

    (void)state;
    am_buf_init(&once, 0);
    am_buf_init(&twice, 0);
    write_xml(&report);
    assert_true(dmarc_report_gzip(am_buf_span(&xml), &once));
    assert_true(dmarc_report_gzip(am_buf_span(&xml), &twice));
    assert_true(am_span_equal(am_buf_span(&once), am_buf_span(&twice)));
    z_stream stream = {.next_in = (Bytef *)once.data,
                       .avail_in = (uInt)once.len,
                       .next_out = (Bytef *)back,
                       .avail_out = sizeof(back)};
    assert_int_equal(inflateInit2(&stream, 31), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(am_span_equal(am_buf_span(&xml), am_span_of(back, stream.total_out)));
    inflateEnd(&stream);
    am_buf_fini(&once);
    am_buf_fini(&twice);
}

static void names_are_as_the_rfc_has_them(void **state)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct dmarc_report_name name = {
        .instance = "a",
        .receiver = "mx.example.org",
        .policy_domain = "example.com",
        .day = 20787,
        .sequence = 1,
    };
    char id[DMARC_REPORT_ID_MAX], other[DMARC_REPORT_ID_MAX], expected[128];

    (void)state;
    dmarc_report_id(&name, id);
    assert_int_equal(strlen(id), 24);
    assert_memory_equal(id, "20261130", 8);
    assert_int_equal(strspn(id, "0123456789abcdef"), 24);
    snprintf(expected, sizeof(expected),
             "mx.example.org!example.com!1795996800!1796083199!%s.xml.gz", id);
    assert_string_equal(dmarc_report_file(&name, arena), expected);
    assert_string_equal(dmarc_report_day(20787, other), "2026-11-30");
    /* What differs in anything has another name. */
    name.sequence = 2;
    dmarc_report_id(&name, other);
    assert_string_not_equal(id, other);
    name.sequence = 1;
    name.instance = "b";
    dmarc_report_id(&name, other);
    assert_string_not_equal(id, other);
    name.instance = "a";
    name.policy_domain = "example.net";
    dmarc_report_id(&name, other);
    assert_string_not_equal(id, other);
    am_arena_free(arena);
}

static int start(void **state)
{
    xmlSchemaParserCtxtPtr context = xmlSchemaNewParserCtxt(REPORT_SCHEMA);

    (void)state;
    am_buf_init(&xml, 0);
    schema = xmlSchemaParse(context);
    xmlSchemaFreeParserCtxt(context);
    return schema == NULL;
}

static int stop(void **state)
{
    (void)state;
    am_buf_fini(&xml);
    xmlFreeDoc(document);
    xmlSchemaFree(schema);
    xmlCleanupParser();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_says_what_was_seen),
        cmocka_unit_test(dispositions_have_their_reasons),
        cmocka_unit_test(signatures_that_matter_most_come_first),
        cmocka_unit_test(hostile_texts_stay_texts),
        cmocka_unit_test(the_file_is_gzip_and_always_the_same),
        cmocka_unit_test(names_are_as_the_rfc_has_them),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
