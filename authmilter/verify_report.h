#ifndef AUTHMILTER_VERIFY_REPORT_H
#define AUTHMILTER_VERIFY_REPORT_H

#include <stdio.h>

#include "authmilter/tool_key.h"
#include "authmilter/tool_mail.h"
#include "dkim-milter/dkim_verify.h"

/* What `authmilter verify` found, for a person and as JSON. Hostile text is escaped in both. */

struct verify_report {
    const char *receiver;
    const struct tool_mail_notes *notes;
    size_t field_count; /* of the header */
    bool utf8;          /* octets above 127 stand in the header: internationalised mail */
    const struct dkim_report *dkim;
    const struct tool_record *records; /* as many as outcomes */
};

/* Writes sentences on each signature and the Authentication-Results field. */
void verify_report_text(const struct verify_report *report, FILE *out);

/* Writes one JSON object. Returns false when memory is short. */
bool verify_report_json(const struct verify_report *report, FILE *out);

/*
 * Makes the value of the Authentication-Results field, in one line for `fold` false.
 *
 * Returns: NULL when the texts cannot stand in a field or memory is short.
 * Ownership: the caller frees it with free().
 */
char *verify_report_field(const struct verify_report *report, bool fold);

/* Returns "simple" or "relaxed". */
const char *verify_report_canon_word(enum dkim_canon canon);

#endif
