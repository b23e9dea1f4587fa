#include <stdlib.h>

#include "authmilter/verify_report.h"
#include "authres/authres.h"
#include "dkim-milter/dkim_module_result.h"

/* Adds a result; a property that a field cannot carry is left out. */
static bool add_result(struct ar_header *header, const struct am_result *result)
{
    if (ar_header_add_result(header, result->method, result->result) != AR_OK ||
        (result->reason != NULL &&
         ar_header_set_reason(header, result->reason, strlen(result->reason)) != AR_OK))
        return false;
    for (size_t i = 0; i < result->property_count; i++) {
        const struct am_property *property = &result->properties[i];
        enum ar_status status = ar_header_add_property(header, property->ptype, property->property,
                                                       property->value.ptr, property->value.len);

        if (status != AR_OK && status != AR_BAD_VALUE)
            return false;
    }
    return true;
}

/* The results that dkim-milter would publish. */
static bool add_outcomes(struct ar_header *header, const struct dkim_report *report, bool utf8)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    size_t prefix = dkim_module_signature_prefix(report);
    bool good = arena != NULL;

    for (size_t i = 0; good && i < report->count; i++) {
        struct am_result result;

        dkim_module_result(&result, arena, &report->outcomes[i], prefix, utf8);
        good = add_result(header, &result);
    }
    am_arena_free(arena);
    return good && (report->count > 0 || ar_header_add_result(header, "dkim", "none") == AR_OK);
}

char *verify_report_field(const struct verify_report *report, bool fold)
{
    struct ar_header *header = ar_header_new(NULL);
    char *text = NULL;
    const struct ar_format format = {
        .width = fold ? 0 : AR_LINE_MAX,
        .name_len = sizeof("Authentication-Results: ") - 1,
    };

    if (header == NULL)
        return NULL;
    ar_header_allow_utf8(header, report->utf8);
    if (ar_header_set_id(header, report->receiver, strlen(report->receiver)) != AR_OK ||
        !add_outcomes(header, report->dkim, report->utf8) ||
        ar_header_format(header, &format, &text, NULL) != AR_OK)
        text = NULL;
    ar_header_free(header);
    return text;
}

bool verify_report_has_utf8(const struct dkim_fields *fields)
{
    for (const struct dkim_field *field = fields->first; field != NULL; field = field->below)
        for (size_t i = 0; i < field->raw.len; i++)
            if ((unsigned char)field->raw.ptr[i] > 127)
                return true;
    return false;
}
