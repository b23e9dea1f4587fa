#ifndef AUTHMILTER_REPORT_PRINT_H
#define AUTHMILTER_REPORT_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "common/base/span.h"
#include "dmarc-milter/dmarc_delivery.h"
#include "dmarc-milter/dmarc_drain.h"

/* What `authmilter dmarc-report` says about a run: as lines at once, or as one JSON object. */
struct report_print {
    FILE *out;
    bool json, dry_run;
    json_t *reports, *without, *deliveries; /* NULL without JSON; the last: of the latest report */
    char report_id[64];                     /* of it */
    bool failed;                            /* memory was short */
};

/* Begins. Returns false when memory is short. */
bool report_print_begin(struct report_print *print);

/* A report that deliveries follow of; one that was said already is not said again. */
struct report_print_report {
    const char *domain, *report_id, *file;
    int64_t day, records, messages;
    size_t octets;
};

/* Says it. */
void report_print_report(struct report_print *print, const struct report_print_report *report);

/* Says what became of a delivery; of a dry run SENT is what would be sent. */
void report_print_delivery(struct report_print *print, const char *to,
                           const struct dmarc_delivery_end *end);

/* Says that there is no report about some messages, and why. */
void report_print_without(struct report_print *print, const char *domain, int64_t day,
                          int64_t messages, const char *why);

/* How it ended. */
struct report_print_end {
    const struct dmarc_drained *drained; /* NULL: there is no stream, or it was not asked */
    int64_t waiting;                     /* deliveries that are to come */
    bool more;                           /* a limit left something for the next run */
};

/* Ends. Returns false when it could not be written. */
bool report_print_end(struct report_print *print, const struct report_print_end *end);

#endif
