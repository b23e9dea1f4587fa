#ifndef AUTHMILTER_VERIFY_REPORT_H
#define AUTHMILTER_VERIFY_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "authmilter/tool_key.h"
#include "authmilter/tool_mail.h"
#include "dkim-milter/dkim_diagnose.h"
#include "dkim-milter/dkim_hashed.h"

/* What `authmilter verify` found, for a person and as JSON. Hostile text is escaped in both. */

struct verify_report {
    const char *receiver;
    const struct tool_mail_notes *notes;
    size_t field_count; /* of the header */
    bool utf8;          /* octets above 127 stand in the header: internationalised mail */
    const struct dkim_report *dkim;
    const struct tool_record *records;      /* as many as outcomes */
    const struct dkim_diagnosis *diagnoses; /* as many; NULL: nothing was looked for */
    const struct dkim_hashed *hashed;       /* as many; NULL: not told */
    bool no_field; /* the text ends without the Authentication-Results field */
};

/* Writes sentences on each signature and the Authentication-Results field. */
void verify_report_text(const struct verify_report *report, FILE *out);

/* Makes the JSON object. Returns NULL when memory is short. */
json_t *verify_report_object(const struct verify_report *report);

/* Writes one JSON object. Returns false when memory is short. */
bool verify_report_json(const struct verify_report *report, FILE *out);

/*
 * Makes the value of the Authentication-Results field, in one line for `fold` false.
 *
 * Returns: NULL when the texts cannot stand in a field or memory is short.
 * Ownership: the caller frees it with free().
 */
char *verify_report_field(const struct verify_report *report, bool fold);

/*
 * Looks the keys of a report's signatures up once more, to show them; the resolver's cache knows
 * the answers. Returns: as many as outcomes; NULL when memory is short. Ownership: env->arena.
 */
struct tool_record *verify_report_find_records(const struct dkim_verify_env *env,
                                               const struct dkim_report *report) AM_MUST_USE;

/* Tells whether octets above 127 stand in a header. */
bool verify_report_has_utf8(const struct dkim_fields *fields);

/* Returns "simple" or "relaxed". */
const char *verify_report_canon_word(enum dkim_canon canon);

#endif
