#include <string.h>

#include "authmilter/spf_report.h"
#include "authres/authres.h"

/* What was checked, as RFC 8601 section 2.7.2 names it; with a null sender that is the HELO. */
static bool add_entry(struct ar_header *header, const struct spf_report *report,
                      const struct spf_report_entry *entry)
{
    const struct spf_outcome *outcome = entry->outcome;
    bool helo = entry->identity == SPF_HELO || report->from == NULL || *report->from == '\0';
    const char *value = helo ? report->helo : report->from;
    if (value == NULL)
        value = "";
    return ar_header_add_result(header, "spf", spf_result_word(outcome->result)) == AR_OK &&
           (outcome->reason == NULL ||
            ar_header_set_reason(header, outcome->reason, strlen(outcome->reason)) == AR_OK) &&
           ar_header_add_property(header, "smtp", helo ? "helo" : "mailfrom", value,
                                  strlen(value)) == AR_OK;
}

char *spf_report_field(const struct spf_report *report, bool fold)
{
    struct ar_header *header = ar_header_new(NULL);
    if (header == NULL)
        return NULL;
    ar_header_allow_utf8(header, true);
    bool good = ar_header_set_id(header, report->receiver, strlen(report->receiver)) == AR_OK;
    for (size_t i = 0; i < report->count; i++)
        good = good && add_entry(header, report, &report->entries[i]);
    char *text = NULL;
    struct ar_format format = {
        .width = fold ? 0 : AR_LINE_MAX,
        .name_len = sizeof("Authentication-Results: ") - 1,
    };
    if (good && ar_header_format(header, &format, &text, NULL) != AR_OK)
        text = NULL;
    ar_header_free(header);
    return text;
}
