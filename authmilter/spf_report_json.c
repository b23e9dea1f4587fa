#include <jansson.h>
#include <stdlib.h>

#include "authmilter/spf_report.h"
#include "common/base/log.h"

/* A JSON string of any bytes: what is no printable UTF-8 is escaped as \xNN first. */
static json_t *string(struct am_span text)
{
    struct am_buf escaped;
    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    json_t *value = escaped.failed ? NULL : json_string(am_buf_str(&escaped));
    am_buf_fini(&escaped);
    return value;
}

static json_t *string_or_null(const char *text)
{
    return text == NULL ? json_null() : string(am_span_str(text));
}

static json_t *step_object(const struct spf_step *step)
{
    struct am_buf dns;
    am_buf_init(&dns, 0);
    spf_step_dns(step, &dns);
    json_t *object = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "depth",
                               (int)step->depth, "domain", string_or_null(step->domain), "term",
                               string(step->term), "asked", string_or_null(step->target), "dns",
                               dns.len == 0 ? json_null() : string(am_buf_span(&dns)), "outcome",
                               string_or_null(step->outcome), "terms", (int)step->terms_used,
                               "voids", (int)step->voids_used);
    am_buf_fini(&dns);
    return object;
}

static json_t *entry_object(const struct spf_report_entry *entry)
{
    const struct spf_outcome *outcome = entry->outcome;
    json_t *steps = json_array();
    for (size_t i = 0; i < outcome->step_count; i++)
        json_array_append_new(steps, step_object(&outcome->steps[i]));
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:I, s:b, s:o}", "identity",
        entry->identity == SPF_HELO ? "helo" : "mailfrom", "result",
        spf_result_word(outcome->result), "sender", string_or_null(outcome->sender), "domain",
        string_or_null(outcome->domain), "term", string_or_null(outcome->term), "reason",
        string_or_null(outcome->reason), "limit",
        outcome->limit == SPF_LIMIT_NONE ? json_null()
                                         : string_or_null(spf_limit_word(outcome->limit)),
        "explanation", string_or_null(outcome->explanation), "record",
        string_or_null(outcome->record), "terms", (int)outcome->terms_used, "voids",
        (int)outcome->voids_used, "queries", (int)outcome->queries, "waited_us",
        (json_int_t)outcome->waited_us, "secure", (int)outcome->secure, "steps", steps);
}

bool spf_report_json(const struct spf_report *report, FILE *out)
{
    char client[AM_IP_TEXT_MAX];
    json_t *results = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(results, entry_object(&report->entries[i]));
    char *field = spf_report_field(report, false);
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "client", am_ip_format(&report->client, client),
                  "helo", string_or_null(report->helo), "from", string_or_null(report->from),
                  "receiver", string_or_null(report->receiver), "results", results,
                  "authentication_results", string_or_null(field));
    free(field);
    if (object == NULL)
        return false;
    bool written = json_dumpf(object, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
    json_decref(object);
    return written;
}
