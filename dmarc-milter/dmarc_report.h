#ifndef DMARC_REPORT_H
#define DMARC_REPORT_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "dmarc-milter/dmarc_row.h"

/* An aggregate report (RFC 9990), and the texts it is sent as. Nothing here asks anybody. */

/* Messages that differ in nothing a report says. */
struct dmarc_report_record {
    struct dmarc_row row;
    int64_t count;
};

struct dmarc_report {
    const char *org_name, *email;
    const char *extra_contact_info; /* "" = none */
    const char *generator;
    const char *report_id;   /* see dmarc_report_id() */
    const char *error;       /* "" = none */
    int64_t begin_s, end_s;  /* first and last second of the period */
    struct dmarc_row policy; /* a row whose policy is that of all records */
    const struct dmarc_report_record *records;
    size_t count;
};

/*
 * Appends the report as XML. Texts are written as they are, with characters that XML does not
 * know, and octets that are no UTF-8, replaced by "?".
 *
 * Returns: false when memory is short.
 */
bool dmarc_report_xml(const struct dmarc_report *report, struct am_buf *out) AM_MUST_USE;

/* Appends octets compressed (RFC 1952); equal octets, equal result. Returns false when memory is
 * short. */
bool dmarc_report_gzip(struct am_span octets, struct am_buf *out) AM_MUST_USE;

/* What a report's name is made of. */
struct dmarc_report_name {
    const char *instance; /* of the database: no other one gives the same names */
    const char *receiver, *policy_domain;
    int64_t day;      /* since 1970 */
    int64_t sequence; /* of the reports about that domain and day */
};

/* Longest id with its NUL. */
#define DMARC_REPORT_ID_MAX 32

/*
 * Writes the Report-ID, which is the unique-id of the file's name, too: the date and 16 digits, all
 * of them letters and digits. The same name gives the same id.
 */
void dmarc_report_id(const struct dmarc_report_name *name, char out[DMARC_REPORT_ID_MAX]);

/* Returns the file's name: receiver!domain!begin!end!id.xml.gz; NULL when memory is short.
 * Ownership: `arena`. */
const char *dmarc_report_file(const struct dmarc_report_name *name,
                              struct am_arena *arena) AM_MUST_USE;

/* Writes a day as "2026-11-30". */
const char *dmarc_report_day(int64_t day, char out[DMARC_REPORT_ID_MAX]);

#define DMARC_REPORT_DAY_S 86400

#endif
