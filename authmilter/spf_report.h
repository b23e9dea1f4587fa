#ifndef AUTHMILTER_SPF_REPORT_H
#define AUTHMILTER_SPF_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "spf-milter/spf.h"

/* What `authmilter spf` found, for a person and as JSON. Hostile text is escaped in both. */

struct spf_report_entry {
    enum spf_identity identity;
    const struct spf_outcome *outcome;
};

struct spf_report {
    struct am_ip client;
    const char *helo; /* NULL = not given */
    const char *from; /* NULL = not given; "" = the null sender */
    const char *receiver;
    struct spf_report_entry entries[2];
    size_t count;
    bool no_field; /* the text ends without the Authentication-Results field */
};

/* Writes sentences, a table of the steps and the Authentication-Results field. */
void spf_report_text(const struct spf_report *report, FILE *out);

/* Makes the JSON object. Returns NULL when memory is short. */
json_t *spf_report_object(const struct spf_report *report);

/* Writes one JSON object. Returns false when memory is short. */
bool spf_report_json(const struct spf_report *report, FILE *out);

/*
 * Makes the value of the Authentication-Results field, in one line for `fold` false.
 *
 * Returns: NULL when the texts cannot stand in a field or memory is short.
 * Ownership: the caller frees it with free().
 */
char *spf_report_field(const struct spf_report *report, bool fold);

#endif
