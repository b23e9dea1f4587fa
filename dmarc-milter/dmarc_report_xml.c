#include "dmarc-milter/dmarc_report.h"

#include <libxml/xmlwriter.h>

#include "common/base/utf8.h"
#include "common/mail/domain.h"

#define NAMESPACE "urn:ietf:params:xml:ns:dmarc-2.0"

struct writer {
    xmlTextWriterPtr xml;
    struct am_buf text; /* of the element at hand */
    bool failed;
};

/* --- elements --- */

static const xmlChar *of(const char *text)
{
    return (const xmlChar *)text;
}

static void check(struct writer *writer, int status)
{
    writer->failed |= status < 0;
}

static void begin(struct writer *writer, const char *name)
{
    check(writer, xmlTextWriterStartElement(writer->xml, of(name)));
}

static void end(struct writer *writer)
{
    check(writer, xmlTextWriterEndElement(writer->xml));
}

/* XML 1.0 knows no control characters, not even escaped ones, nor U+FFFE and U+FFFF. */
static bool is_written(const char *text, size_t len)
{
    return len > 0 && !am_utf8_is_control(text, len) &&
           (len != 3 ||
            (memcmp(text, "\xef\xbf\xbe", 3) != 0 && memcmp(text, "\xef\xbf\xbf", 3) != 0));
}

static void element(struct writer *writer, const char *name, const char *value)
{
    struct am_span rest = am_span_str(value);

    am_buf_clear(&writer->text);
    while (rest.len > 0) {
        size_t len = am_utf8_first(rest);

        if (is_written(rest.ptr, len))
            am_buf_add(&writer->text, am_span_of(rest.ptr, len));
        else
            am_buf_add_char(&writer->text, '?');
        len = len == 0 ? 1 : len;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    writer->failed |= writer->text.failed;
    begin(writer, name);
    if (writer->text.len > 0)
        check(writer, xmlTextWriterWriteString(writer->xml, of(am_buf_str(&writer->text))));
    end(writer);
}

static void number(struct writer *writer, const char *name, int64_t value)
{
    check(writer, xmlTextWriterWriteFormatElement(writer->xml, of(name), "%lld", (long long)value));
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static const char *word_or(const char *word, const char *const *words, const char *other)
{
    return is_one_of(word, words) ? word : other;
}

/* --- head --- */

static void metadata(struct writer *writer, const struct dmarc_report *report)
{
    begin(writer, "report_metadata");
    element(writer, "org_name", report->org_name);
    element(writer, "email", report->email);
    if (report->extra_contact_info[0] != '\0')
        element(writer, "extra_contact_info", report->extra_contact_info);
    element(writer, "report_id", report->report_id);
    begin(writer, "date_range");
    number(writer, "begin", report->begin_s);
    number(writer, "end", report->end_s);
    end(writer);
    if (report->error[0] != '\0')
        element(writer, "error", report->error);
    element(writer, "generator", report->generator);
    end(writer);
}

static const char *const policies[] = {"none", "quarantine", "reject", NULL};
static const char *const modes[] = {"r", "s", NULL};
static const char *const flags[] = {"n", "y", NULL};

/* Tags that are not there have their default values (RFC 9990 section 2.1). */
static const char *policy_p(const struct dmarc_row *row)
{
    return word_or(row->p, policies, "none");
}

static const char *policy_sp(const struct dmarc_row *row)
{
    return word_or(row->sp, policies, policy_p(row));
}

static void policy_published(struct writer *writer, const struct dmarc_row *row)
{
    begin(writer, "policy_published");
    element(writer, "domain", row->policy_domain);
    element(writer, "discovery_method", "treewalk");
    element(writer, "p", policy_p(row));
    element(writer, "sp", policy_sp(row));
    element(writer, "np", word_or(row->np, policies, policy_sp(row)));
    element(writer, "fo", row->fo[0] == '\0' ? "0" : row->fo);
    element(writer, "adkim", word_or(row->adkim, modes, "r"));
    element(writer, "aspf", word_or(row->aspf, modes, "r"));
    element(writer, "testing", word_or(row->testing, flags, "n"));
    end(writer);
}

/* --- records --- */

static bool is_own(const struct dmarc_row *row)
{
    return am_domain_equal(am_span_str(row->header_from), am_span_str(row->policy_domain));
}

/* What the policy asks for with a message that fails. */
static const char *asked_for(const struct dmarc_row *row)
{
    return is_own(row) ? policy_p(row) : policy_sp(row);
}

static bool passed(const struct dmarc_row *row)
{
    return strcmp(row->dkim, "pass") == 0 || strcmp(row->spf, "pass") == 0;
}

/* "pass" is for mail that passes a policy that would have had a consequence. */
static const char *disposition(const struct dmarc_row *row)
{
    if (passed(row) && is_one_of(row->disposition, (const char *const[]){"none", "pass", NULL}))
        return strcmp(asked_for(row), "none") == 0 ? "none" : "pass";
    return word_or(row->disposition, policies, "none");
}

static void reason(struct writer *writer, const char *type, const char *comment)
{
    begin(writer, "reason");
    element(writer, "type", type);
    if (comment[0] != '\0')
        element(writer, "comment", comment);
    end(writer);
}

/* A message that fails and is treated otherwise than the policy says has a reason, always. */
static void reasons(struct writer *writer, const struct dmarc_row *row)
{
    static const char *const types[] = {"local_policy",     "mailing_list",      "other",
                                        "policy_test_mode", "trusted_forwarder", NULL};
    const char *done = disposition(row);

    for (size_t i = 0; i < row->reason_count; i++)
        reason(writer, word_or(row->reasons[i].type, types, "other"), row->reasons[i].comment);
    if (row->reason_count > 0 || passed(row) || strcmp(done, asked_for(row)) == 0 ||
        (!is_own(row) && strcmp(done, row->np) == 0))
        return;
    reason(writer, strcmp(row->testing, "y") == 0 ? "policy_test_mode" : "local_policy", "");
}

/* RFC 9990 section 2.1.2: which signatures matter most. */
static int rank(const struct dmarc_row *row, const struct dmarc_row_dkim *signature)
{
    struct am_span from = am_span_str(row->header_from), domain = am_span_str(signature->domain);

    if (strcmp(signature->result, "pass") != 0)
        return 3;
    if (am_domain_equal(from, domain))
        return 0;
    return am_domain_is_within(from, domain) || am_domain_is_within(domain, from) ? 1 : 2;
}

static void signatures(struct writer *writer, const struct dmarc_row *row)
{
    static const char *const results[] = {"none",    "pass",      "fail",      "policy",
                                          "neutral", "temperror", "permerror", NULL};

    for (int wanted = 0; wanted <= 3; wanted++)
        for (size_t i = 0; i < row->signature_count; i++) {
            const struct dmarc_row_dkim *signature = &row->signatures[i];

            if (rank(row, signature) != wanted || !is_one_of(signature->result, results))
                continue;
            begin(writer, "dkim");
            element(writer, "domain", signature->domain);
            element(writer, "selector", signature->selector);
            element(writer, "result", signature->result);
            end(writer);
        }
}

static void spf(struct writer *writer, const struct dmarc_row *row)
{
    static const char *const results[] = {"none",    "pass",      "fail",      "softfail", "policy",
                                          "neutral", "temperror", "permerror", NULL};

    if (row->spf_domain[0] == '\0' || !is_one_of(row->spf_result, results))
        return;
    begin(writer, "spf");
    element(writer, "domain", row->spf_domain);
    if (strcmp(row->spf_scope, "mfrom") == 0)
        element(writer, "scope", "mfrom");
    element(writer, "result", row->spf_result);
    end(writer);
}

static void record(struct writer *writer, const struct dmarc_report_record *record)
{
    const struct dmarc_row *row = &record->row;

    begin(writer, "record");
    begin(writer, "row");
    element(writer, "source_ip", row->source_ip);
    number(writer, "count", record->count);
    begin(writer, "policy_evaluated");
    element(writer, "disposition", disposition(row));
    element(writer, "dkim", strcmp(row->dkim, "pass") == 0 ? "pass" : "fail");
    element(writer, "spf", strcmp(row->spf, "pass") == 0 ? "pass" : "fail");
    reasons(writer, row);
    end(writer);
    end(writer);
    begin(writer, "identifiers");
    element(writer, "header_from", row->header_from);
    element(writer, "envelope_from", row->envelope_from);
    end(writer);
    begin(writer, "auth_results");
    signatures(writer, row);
    spf(writer, row);
    end(writer);
    end(writer);
}

static void write_all(struct writer *writer, const struct dmarc_report *report)
{
    check(writer, xmlTextWriterSetIndent(writer->xml, 1));
    check(writer, xmlTextWriterSetIndentString(writer->xml, of(" ")));
    check(writer, xmlTextWriterStartDocument(writer->xml, "1.0", "UTF-8", NULL));
    check(writer, xmlTextWriterStartElement(writer->xml, of("feedback")));
    check(writer, xmlTextWriterWriteAttribute(writer->xml, of("xmlns"), of(NAMESPACE)));
    element(writer, "version", "1.0");
    metadata(writer, report);
    policy_published(writer, &report->policy);
    for (size_t i = 0; i < report->count; i++)
        record(writer, &report->records[i]);
    end(writer);
    check(writer, xmlTextWriterEndDocument(writer->xml));
    check(writer, xmlTextWriterFlush(writer->xml));
}

bool dmarc_report_xml(const struct dmarc_report *report, struct am_buf *out)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    struct writer writer = {.xml = buffer == NULL ? NULL : xmlNewTextWriterMemory(buffer, 0)};

    am_buf_init(&writer.text, 0);
    if (writer.xml == NULL)
        writer.failed = true;
    else
        write_all(&writer, report);
    xmlFreeTextWriter(writer.xml);
    if (!writer.failed)
        am_buf_add(out, am_span_of((const char *)xmlBufferContent(buffer),
                                   (size_t)xmlBufferLength(buffer)));
    xmlBufferFree(buffer);
    am_buf_fini(&writer.text);
    return !writer.failed && !out->failed;
}
