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
            json_array_append_new(sentences, tool_json_str(report->diagnoses[i].sentences[j]));
        json_array_append_new(array, sentences);
    }
    return array;
}

bool explain_json(const struct explain_report *report, FILE *out)
{
    json_t *spf = report->spf_unchecked == NULL
                      ? spf_report_object(&report->spf)
                      : json_pack("{s:s}", "unchecked", report->spf_unchecked);

    return tool_json_print(json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "format",
                                     "authmilter-explain", "version", 1, "envelope",
                                     envelope_object(report->envelope), "spf", spf, "dkim",
                                     verify_report_object(&report->dkim), "changes",
                                     diagnoses_array(report), "outcome", outcome_object(report)),
                           out);
}
