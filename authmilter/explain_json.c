#include "authmilter/explain.h"
#include "authmilter/tool_json.h"

/* The object of docs/explain.md. */

static json_t *fact_object(const struct explain_fact *fact)
{
    return json_pack("{s:o, s:o}", "value", tool_json_str(fact->value), "source",
                     tool_json_str(fact->source));
}

static json_t *list(const struct am_strlist *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < texts->count; i++)
        json_array_append_new(array, tool_json_str(texts->items[i]));
    return array;
}

static json_t *envelope_object(const struct explain_envelope *envelope)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "client", fact_object(&envelope->client),
                     "client_name", fact_object(&envelope->client_name), "helo",
                     fact_object(&envelope->helo), "sender", fact_object(&envelope->sender),
                     "recipients", list(&envelope->recipients), "login",
                     tool_json_str(envelope->user));
}

static json_t *results_array(const struct am_results *results)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < results->count; i++) {
        const struct am_result *result = &results->items[i];
        json_t *properties = json_object();

        for (size_t j = 0; properties != NULL && j < result->property_count; j++) {
            const struct am_property *property = &result->properties[j];
            char name[128];

            snprintf(name, sizeof(name), "%s.%s", property->ptype, property->property);
            json_object_set_new(properties, name, tool_json_text(property->value));
        }
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:o, s:o}", "method", result->method, "result",
                                        result->result, "reason", tool_json_str(result->reason),
                                        "properties", properties));
    }
    return array;
}

static json_t *notes_object(const struct am_outcome *outcome)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < outcome->note_count; i++)
        json_object_set_new(object, outcome->notes[i].key, tool_json_str(outcome->notes[i].value));
    return object;
}

static json_t *outcome_object(const struct explain_report *report)
{
    const struct am_outcome *outcome = report->outcome;

    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "action",
                     outcome->action, "config", tool_json_str(report->config), "modules",
                     report->modules, "module", tool_json_str(outcome->module), "stage",
                     tool_json_str(outcome->stage), "why", tool_json_str(outcome->why), "reply",
                     tool_json_str(outcome->reply), "observed", tool_json_str(outcome->observed),
                     "quarantine", tool_json_str(outcome->quarantine), "refused",
                     list(&outcome->refused), "edits", list(&outcome->edits), "results",
                     results_array(&outcome->results), "notes", notes_object(outcome));
}

static json_t *diagnoses_array(const struct explain_report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < report->dkim.dkim->count; i++) {
        json_t *sentences = json_array();

        for (size_t j = 0; j < report->diagnoses[i].count; j++)
            json_array_append_new(
                sentences, json_pack("{s:o, s:b}", "text",
                                     tool_json_str(report->diagnoses[i].sentences[j].text),
                                     "confirmed", report->diagnoses[i].sentences[j].confirmed));
        json_array_append_new(array, sentences);
    }
    return array;
}

/* Longer headers are not shown, but counted; --hashed writes them. */
#define HEADER_SHOWN_MAX 65536

static json_t *header_text(const struct dkim_hashed *hashed)
{
    return hashed->header.len > HEADER_SHOWN_MAX ? json_null()
                                                 : tool_json_text(am_buf_span(&hashed->header));
}

/* Of each signature what was hashed; null where it could not be read. */
static json_t *hashed_array(const struct explain_report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < report->dkim.dkim->count; i++) {
        const struct dkim_hashed *hashed = &report->dkim.hashed[i];

        json_array_append_new(
            array,
            hashed->is_known
                ? json_pack("{s:I, s:I, s:o, s:I, s:I}", "fields", (json_int_t)hashed->field_count,
                            "header_octets", (json_int_t)hashed->header.len, "header",
                            header_text(hashed), "body_octets", (json_int_t)hashed->body_octets,
                            "body_octets_in_all", (json_int_t)hashed->canonical_octets)
                : json_null());
    }
    return array;
}

bool explain_json(const struct explain_report *report, FILE *out)
{
    json_t *spf = report->spf_unchecked == NULL
                      ? spf_report_object(&report->spf)
                      : json_pack("{s:s}", "unchecked", report->spf_unchecked);

    return tool_json_print(
        json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "format", "authmilter-explain",
                  "version", 1, "envelope", envelope_object(report->envelope), "spf", spf, "dkim",
                  verify_report_object(&report->dkim), "hashed", hashed_array(report), "changes",
                  diagnoses_array(report), "outcome", outcome_object(report)),
        out);
}
