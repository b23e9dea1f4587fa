#include <stdlib.h>

#include "authmilter/tool_json.h"
#include "authmilter/verify_report.h"
#include "dkim-milter/dkim_base64.h"

static json_t *text_or_null(struct am_span text)
{
    return text.len == 0 ? json_null() : tool_json_text(text);
}

static json_t *number_or_null(bool known, uint64_t number)
{
    return known ? json_integer((json_int_t)(number > INT64_MAX ? INT64_MAX : number))
                 : json_null();
}

static json_t *hash_or_null(bool known, const uint8_t hash[DKIM_HASH_LEN])
{
    struct am_buf digits;

    if (!known)
        return json_null();
    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, am_span_of((const char *)hash, DKIM_HASH_LEN));
    json_t *value = json_string(am_buf_str(&digits));
    am_buf_fini(&digits);
    return value;
}

static json_t *names_array(const struct dkim_signature *parts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < parts->name_count; i++)
        json_array_append_new(array, tool_json_text(parts->names[i]));
    return array;
}

static json_t *key_object(const struct tool_record *record)
{
    if (record->name == NULL)
        return json_null();
    bool found = record->key != NULL;
    return json_pack(
        "{s:o, s:s, s:i, s:o, s:s, s:o, s:o, s:b, s:b, s:b}", "name", tool_json_str(record->name),
        "dns", am_dns_outcome_word(record->dns), "records", (int)record->count, "record",
        text_or_null(record->text), "reason", dkim_reason_word(record->reason), "type",
        found ? json_string(dkim_key_type_word(record->parsed.type)) : json_null(), "bits",
        number_or_null(found, record->bits), "testing", (int)record->parsed.testing, "strict",
        (int)record->parsed.strict, "dnssec", (int)record->secure);
}

static json_t *outcome_object(const struct dkim_outcome *outcome, const struct tool_record *record)
{
    static const uint8_t none[DKIM_HASH_LEN];
    const struct dkim_signature *parts = outcome->parts;
    bool has_hash = memcmp(parts->body_hash, none, sizeof(none)) != 0;
    json_t *tags = json_pack(
        "{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "d", text_or_null(parts->domain), "s",
        text_or_null(parts->selector), "a", text_or_null(parts->algorithm), "header_canon",
        verify_report_canon_word(parts->header_canon), "body_canon",
        verify_report_canon_word(parts->body_canon), "i", text_or_null(parts->identity), "h",
        names_array(parts), "l", number_or_null(parts->has_length, parts->length), "t",
        number_or_null(parts->has_timestamp, (uint64_t)parts->timestamp), "x",
        number_or_null(parts->has_expiry, (uint64_t)parts->expiry));

    return json_pack("{s:s, s:s, s:s, s:I, s:b, s:b, s:o, s:o, s:o, s:o, s:I}", "result",
                     dkim_result_word(outcome->result), "reason", dkim_reason_word(outcome->reason),
                     "text", dkim_reason_text(outcome->reason), "field",
                     (json_int_t)outcome->field + 1, "evaluated", (int)outcome->evaluated,
                     "aligned", (int)outcome->aligned, "tags", tags, "key", key_object(record),
                     "body_hash_signed", hash_or_null(has_hash, parts->body_hash),
                     "body_hash_found", hash_or_null(outcome->body_hashed, outcome->body_hash),
                     "unsigned_octets", (json_int_t)outcome->unsigned_octets);
}

static json_t *notes_object(const struct verify_report *report)
{
    const struct tool_mail_notes *notes = report->notes;

    return json_pack("{s:I, s:I, s:s, s:b, s:b, s:I, s:b, s:b, s:b}", "fields",
                     (json_int_t)report->field_count, "body_octets", (json_int_t)notes->body_octets,
                     "line_ends", notes->lf_ends ? "lf" : "crlf", "mixed_line_ends",
                     (int)notes->mixed_ends, "mbox_line", (int)notes->mbox,
                     "body_without_separator_at_line", (json_int_t)notes->no_separator, "bare_cr",
                     (int)notes->bare_cr, "bare_lf", (int)notes->bare_lf, "nul", (int)notes->nul);
}

json_t *verify_report_object(const struct verify_report *report)
{
    const struct dkim_report *dkim = report->dkim;
    json_t *signatures = json_array();

    for (size_t i = 0; i < dkim->count; i++)
        json_array_append_new(signatures, outcome_object(&dkim->outcomes[i], &report->records[i]));
    char *field = verify_report_field(report, false);
    json_t *object =
        json_pack("{s:s, s:b, s:o, s:b, s:o, s:I, s:o, s:o}", "result",
                  dkim_result_word(dkim->best), "aligned_pass", (int)dkim->aligned_pass, "author",
                  text_or_null(dkim->author), "several_from", (int)dkim->several_from, "signatures",
                  signatures, "signatures_not_listed", (json_int_t)dkim->more, "message",
                  notes_object(report), "authentication_results", tool_json_str(field));
    free(field);
    return object;
}

bool verify_report_json(const struct verify_report *report, FILE *out)
{
    return tool_json_print(verify_report_object(report), out);
}
