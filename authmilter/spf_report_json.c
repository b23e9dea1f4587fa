#include <stdlib.h>

#include "authmilter/spf_report.h"
#include "authmilter/tool_json.h"

static json_t *step_object(const struct spf_step *step)
{
    struct am_buf dns;
    am_buf_init(&dns, 0);
    spf_step_dns(step, &dns);
    json_t *object =
        json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "depth", (int)step->depth, "domain",
                  tool_json_str(step->domain), "term", tool_json_text(step->term), "asked",
                  tool_json_str(step->target), "dns",
                  dns.len == 0 ? json_null() : tool_json_text(am_buf_span(&dns)), "outcome",
                  tool_json_str(step->outcome), "terms", (int)step->terms_used, "voids",
                  (int)step->voids_used);
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
        spf_result_word(outcome->result), "sender", tool_json_str(outcome->sender), "domain",
        tool_json_str(outcome->domain), "term", tool_json_str(outcome->term), "reason",
        tool_json_str(outcome->reason), "limit",
        outcome->limit == SPF_LIMIT_NONE ? json_null()
                                         : tool_json_str(spf_limit_word(outcome->limit)),
        "explanation", tool_json_str(outcome->explanation), "record",
        tool_json_str(outcome->record), "terms", (int)outcome->terms_used, "voids",
        (int)outcome->voids_used, "queries", (int)outcome->queries, "waited_us",
        (json_int_t)outcome->waited_us, "secure", (int)outcome->secure, "steps", steps);
}

json_t *spf_report_object(const struct spf_report *report)
{
    char client[AM_IP_TEXT_MAX];
    json_t *results = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(results, entry_object(&report->entries[i]));
    char *field = spf_report_field(report, false);
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "client", am_ip_format(&report->client, client),
                  "helo", tool_json_str(report->helo), "from", tool_json_str(report->from),
                  "receiver", tool_json_str(report->receiver), "results", results,
                  "authentication_results", tool_json_str(field));
    free(field);
    return object;
}

bool spf_report_json(const struct spf_report *report, FILE *out)
{
    return tool_json_print(spf_report_object(report), out);
}
